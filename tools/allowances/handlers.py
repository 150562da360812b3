"""The tool with which an assistant asks for an allowance. The operator reads the request, and alone can allow it."""

from pydantic import BaseModel, ConfigDict, Field

from guard.allowances.draft import Draft
from guard.allowances.fitness import BadTerms
from guard.allowances.wording import brief
from tools.builtin import BuiltinCall, BuiltinEffect, Outcome, Reply, builtin_tool, problem
from tools.registry import operation_named

TOOLSET = "allowances"


class WantedAllowance(BaseModel):
    """What the operator is asked to allow beforehand."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(max_length=80, description="Name of the operation, from search_operations.")
    conditions: list[str] = Field(
        max_length=40,
        description=(
            "One for each argument that the calls give: `to_number starts with +1201`, `from_number = +12015550100`, "
            "`to_number one of +12015550101, +12015550102`, `to_number texted us within 30 days`, `text any`."
        ),
    )
    count: str = Field(max_length=40, description="How many: `50/day`, or /month, /total.")
    money: str = Field(default="", max_length=40, description="How much money: `1.00 USD/day`; for what costs money.")
    until: str = Field(max_length=40, description="When it ends: a day, or an ISO time.")
    reason: str = Field(min_length=1, max_length=300, description="What for, for the operator.")


@builtin_tool(
    "request_allowance",
    toolset=TOOLSET,
    effect=BuiltinEffect.MUTATING,
    arguments=WantedAllowance,
    synonyms=("permission", "preapprove", "standing", "beforehand", "without asking"),
)
async def request_allowance(query: WantedAllowance, call: BuiltinCall) -> Outcome:
    """Ask the operator to allow calls like these beforehand, so that they need no question each.

    It allows nothing: the operator reads it, changes it, and saves it or not.
    """
    services, now = call.services, call.services.clock.now()
    operation = operation_named(query.operation)
    if operation is None or operation.spec.provider.name not in services.set_up:
        return problem(
            f"There is no operation {query.operation!r} here; find it with search_operations.", kind="NotFound"
        )
    if why := call.session.why_out_of_reach(operation.spec):
        return problem(f"{query.operation} cannot be called: {why}; nothing was asked.", kind="OutOfReach")
    draft = Draft(
        principal=call.session.principal.name,
        conditions=tuple(query.conditions),
        count=query.count,
        money=query.money,
        until=query.until,
    )
    try:
        terms = draft.read(operation, now, services.allowance_fitness)
    except BadTerms as bad:
        faults = "\n".join(f"- {fault}" for fault in bad.faults)
        return problem(f"The operator was not asked, because this fits no call:\n{faults}", kind="BadTerms")
    request = await services.allowances.request(terms, query.reason, now)
    if request is None:
        return problem(
            "As many requests of yours as may be wait for the operator already; nothing was asked. Call as before: "
            "each call is asked about by itself.",
            kind="TooMany",
        )
    return Reply(
        content={
            "request": request.id,
            "asks_for": brief(request.terms),
            "state": "waits for the operator",
            "next": "It allows nothing yet: calls are asked about as before until the operator saves an allowance.",
        }
    )


TOOLS = (request_allowance,)
