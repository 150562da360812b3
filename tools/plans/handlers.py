"""Tools about plans: propose several calls that a person approves once, and carry them out."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from guard.injection.reasons import LONGEST_OF_ASSISTANT
from guard.plans.expansion import StepTemplate
from guard.plans.plan import PLAN_ID, OnFailure
from guard.plans.proposal import PlanRequest
from tools.builtin import BuiltinCall, BuiltinEffect, Outcome, builtin_tool
from tools.schema import ACCOUNT

TOOLSET = "actions"


def _parse_rows(given: object) -> object:
    """Parse rows that are given as JSON text: models write lists as text without meaning to."""
    if not isinstance(given, str) or not given.lstrip().startswith("["):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


Rows = Annotated[
    str | list[dict[str, Any]],
    BeforeValidator(_parse_rows),
    WithJsonSchema({"type": "string"}),  # clients' converters drop alternatives; a list means the same as its JSON text
]


class PlanStep(BaseModel):
    """One call, or one for each row."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(description="Name of a provider's operation, such as those that search_operations finds.")
    arguments: dict[str, Any] = Field(
        default={},
        description=(
            'Its arguments. `{{column}}` takes the value of each row; `{"$from": "label.field"}` an id from the '
            "answer of an earlier step."
        ),
    )
    for_each: Rows | None = Field(
        default=None, description="One call for each row: CSV text with a header, or a JSON list of objects."
    )
    label: str | None = Field(default=None, description="Name of this step for `$from`.")
    account: SkipJsonSchema[str | None] = None
    """Shown in the schema only where a provider has several."""


class ProposedPlan(BaseModel):
    """A job of several calls."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=120, description="The job in a few words, for whoever approves it.")
    steps: list[PlanStep] = Field(min_length=1, max_length=500, description="In order; 500 calls at most in all.")
    on_failure: OnFailure = Field(default="stop", description="Whether the steps after a failed one are still sent.")
    at: str | None = Field(
        default=None, max_length=40, description="When it runs by itself: ISO 8601 with an offset. Left out: now."
    )
    until: str | None = Field(
        default=None, max_length=40, description="When it is undone by itself, approved in the same question."
    )
    reason: str = Field(default="", max_length=LONGEST_OF_ASSISTANT, description="Why, for whoever approves it.")


class PlanId(BaseModel):
    """Which plan."""

    model_config = ConfigDict(extra="forbid")

    plan_id: str = Field(pattern=f"^{PLAN_ID}$", description="Id of the plan, from propose_plan.")


@builtin_tool(
    "propose_plan",
    toolset=TOOLSET,
    effect=BuiltinEffect.MUTATING,
    arguments=ProposedPlan,
    synonyms=("bulk", "batch", "many", "several", "csv", "each", "job"),
)
async def propose_plan(query: ProposedPlan, call: BuiltinCall) -> Outcome:
    """Propose a job of several calls for one approval, such as a text to each of 40 customers.

    All steps are checked and priced together; nothing is sent before run_plan.
    """
    steps = [
        StepTemplate(
            operation=step.operation,
            arguments=step.arguments,
            for_each=step.for_each,
            label=step.label,
            account=step.account,
        )
        for step in query.steps
    ]
    request = PlanRequest(
        title=query.title,
        reason=query.reason,
        steps=steps,
        on_failure=query.on_failure,
        at=query.at,
        until=query.until,
    )
    return await call.operations.propose_plan(request, call.session)


@builtin_tool("run_plan", toolset=TOOLSET, effect=BuiltinEffect.MUTATING, arguments=PlanId)
async def run_plan(query: PlanId, call: BuiltinCall) -> Outcome:
    """Carry out an approved plan, each step once. Called again, it goes on where it stopped."""
    return await call.operations.run_plan(query.plan_id, call.session)


TOOLS = (propose_plan, run_plan)


def with_account_of_steps(schema: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the schema of propose_plan with the account that a step may name."""
    steps = schema["properties"]["steps"]
    described = f"Name of the account: {', '.join(names)}, or a column."
    properties = {**steps["items"]["properties"], ACCOUNT: {"type": "string", "description": described}}
    items = {**steps["items"], "properties": properties}
    return {**schema, "properties": {**schema["properties"], "steps": {**steps, "items": items}}}
