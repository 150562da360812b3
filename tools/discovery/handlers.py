"""The four tools that reach every operation: search, describe, call a read, and call anything else."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from clients.operation import OperationType
from guard.allowances.fitness import why_never
from guard.allowances.wording import brief, usage_line
from guard.errors import JournalUnavailable
from guard.injection.reasons import LONGEST_OF_ASSISTANT
from guard.rules.policy import Decision
from tools.builtin import (
    BuiltinCall,
    BuiltinEffect,
    BuiltinTool,
    Outcome,
    Reply,
    Session,
    ToolServices,
    builtin_tool,
    problem,
)
from tools.discovery.describe import (
    CALL_READ,
    CALL_WRITE,
    ONE_ACCOUNT,
    AccountChoice,
    approval_of,
    caller,
    caller_of_tool,
    describe,
    describe_tool,
)
from tools.discovery.entries import Entry
from tools.discovery.index import index_of
from tools.discovery.ranking import Index
from tools.registry import operation_named, operations_of, provider_of_tool
from tools.selection import usable_accounts
from tools.suggestions import nearest_tools, reads_of

TOOLSET = "discovery"
NEAREST = 3
"""How many operations are shown where nothing fits, plain reads first."""

UNSURE = "No operation clearly does this. Describe one before calling it, or search for one verb and its object."

Kind = Literal["read", "change", "paid"]


class OperationSearch(BaseModel):
    """What to search for."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=2, max_length=300, description="One job: verb, object, provider if known.")
    provider: str | None = Field(default=None, description="Only this provider's.")
    kind: Kind | None = Field(default=None, description="Only free reads, changes, or what costs money.")
    limit: int = Field(default=5, ge=1, le=20, description="How many, best first.")

    @field_validator("provider")
    @classmethod
    def _as_providers_are_named(cls, provider: str | None) -> str | None:
        return provider.strip().lower() if provider else provider


class OperationName(BaseModel):
    """Which operation to describe."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(max_length=80, description="Name, from search_operations.")


class OperationCall(BaseModel):
    """Which operation to call, with what."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(max_length=80, description="Name, from search_operations.")
    arguments: dict[str, Any] = Field(default={}, description="As describe_operation shows them.")


class GuardedCall(OperationCall):
    """Which operation to call, with what, and why."""

    reason: str = Field(default="", max_length=LONGEST_OF_ASSISTANT, description="Why, for whoever approves it.")


@builtin_tool("search_operations", toolset=TOOLSET, effect=BuiltinEffect.LOCAL_READ, arguments=OperationSearch)
async def search_operations(search: OperationSearch, call: BuiltinCall) -> Reply:
    """Find operations, of which most are not listed as tools. One job a search: a verb, its object, and the provider.

    `set number forward` finds more than the user's own sentence.
    """
    set_up = _usable_providers(call)
    if search.provider is not None and search.provider not in set_up:
        return problem(
            f"{search.provider} is not set up here. Set up: {', '.join(set_up) or 'none'}.", kind="NotConfigured"
        )
    found = _index(tuple(set_up), tuple(call.services.builtin_tools)).find(search.query, search.provider)
    shown = (row for entry in found.entries if (row := _row(entry, search, call)) is not None)
    if found.answer is not None:
        nearest = list(islice(shown, min(search.limit, NEAREST)))
        return Reply(content={"nothing_fits": found.answer, "operations": nearest})
    rows = list(islice(shown, search.limit))
    if not rows:
        return problem("Nothing fits. Use other words, or leave out provider and kind.", kind="NotFound")
    if not found.is_sure:
        return Reply(content={"unsure": UNSURE, "operations": rows})
    return Reply(content={"operations": rows})


@builtin_tool("describe_operation", toolset=TOOLSET, effect=BuiltinEffect.LOCAL_READ, arguments=OperationName)
async def describe_operation(query: OperationName, call: BuiltinCall) -> Reply:
    """Show an operation's arguments, effect, price rule, who approves, and an example."""
    match _find(query.operation, call):
        case Reply() as missing:
            return missing
        case BuiltinTool() as tool:
            accounts = account_choice(provider_of_tool(tool.name), call.session, call.services)
            way = _way_to(tool.name, caller_of_tool(tool), call) or ""
            return Reply(content=describe_tool(tool, accounts, call_with=way))
        case operation:
            out_of_reach = call.session.why_out_of_reach(operation.spec)
            call_with = _way_to(operation.spec.tool_name, caller(operation), call)
            accounts = account_choice(operation.spec.provider.name, call.session, call.services)
            facts = describe(operation, call.services.policy, accounts, call_with=call_with, out_of_reach=out_of_reach)
            if out_of_reach is None:
                facts["allowances"] = await _allowances(operation, call)
            return Reply(content={name: value for name, value in facts.items() if value is not None})


@builtin_tool(CALL_READ, toolset=TOOLSET, effect=BuiltinEffect.PROVIDER_READ, arguments=OperationCall)
async def call_read_operation(query: OperationCall, call: BuiltinCall) -> Outcome:
    """Call an operation that only reads and costs nothing."""
    match _find(query.operation, call):
        case Reply() as missing:
            return missing
        case BuiltinTool() as tool if tool.only_reads:
            return await call.operations.call_builtin(tool, query.arguments, call.session)
        case BuiltinTool() as tool:
            return _not_a_read(tool.name, tool.effect.value, f"Use {CALL_WRITE}.")
        case operation if operation.spec.effect.is_plain_read:
            return await call.operations.call(operation, query.arguments, call.session)
        case operation:
            why = call.session.why_out_of_reach(operation.spec)
            instead = f"Use {CALL_WRITE}." if why is None else f"It cannot be called: {why}."
            return _not_a_read(query.operation, " and ".join(operation.spec.effect.labels), instead)


@builtin_tool(CALL_WRITE, toolset=TOOLSET, effect=BuiltinEffect.MUTATING, arguments=GuardedCall)
async def call_write_operation(query: GuardedCall, call: BuiltinCall) -> Outcome:
    """Call any other operation; what costs, removes, reroutes, reaches people or touches credentials needs approval."""
    match _find(query.operation, call):
        case Reply() as missing:
            return missing
        case BuiltinTool() as tool:
            return await call.operations.call_builtin(tool, query.arguments, call.session)
        case operation:
            return await call.operations.call(operation, query.arguments, call.session, reason=query.reason)


async def _allowances(operation: OperationType, call: BuiltinCall) -> list[str] | None:
    """Say which calls of an operation the operator allowed this principal beforehand; None where there are none."""
    decision = call.services.policy.decide(operation.spec)
    if decision not in {Decision.ASK, Decision.PAGE} or why_never(operation) is not None:
        return None
    record, now = call.services.allowances, call.services.clock.now()
    with suppress(JournalUnavailable):
        found = await record.in_force(operation.spec.tool_name, call.session.principal.name, now)
        usage = await record.usage(found, now)
        lines = [f"{one.id}: {brief(one.terms)}; used: {usage_line(one, usage.get(one.id))}" for one in found]
        return [f"no approval needed within {line}" for line in lines] or None
    return None


TOOLS = (search_operations, describe_operation, call_read_operation, call_write_operation)


@cache
def _index(providers: Sequence[str], tools: Sequence[BuiltinTool]) -> Index:
    """Build the index of these providers and tools, once: neither changes while a server runs."""
    findable = [tool for tool in tools if tool.toolset != TOOLSET]
    return index_of((one for name in providers for one in operations_of(name).values()), findable)


def _find(name: str, call: BuiltinCall) -> OperationType | BuiltinTool | Reply:
    """Return the operation or built-in tool of a name, or the error where there is none."""
    set_up = _usable_providers(call)
    operation = operation_named(name)
    if operation is not None and operation.spec.provider.name in set_up:
        return operation
    if operation is not None:
        return problem(f"{operation.spec.provider.title} is not set up here; nothing was sent.", kind="NotConfigured")
    builtin = {tool.name: tool for tool in call.services.builtin_tools if tool.toolset != TOOLSET}
    if (tool := builtin.get(name)) is not None:
        why = call.session.why_tool_out_of_reach(name, only_reads=tool.only_reads)
        return problem(f"{name} cannot be called: {why}; nothing was done.", kind="OutOfReach") if why else tool
    known = (one for provider in set_up for one in operations_of(provider).values())
    reachable = reads_of(one for one in known if not call.session.why_out_of_reach(one.spec))
    reachable |= {
        tool.name: tool.only_reads
        for tool in builtin.values()
        if not call.session.why_tool_out_of_reach(tool.name, only_reads=tool.only_reads)
    }
    close = nearest_tools(name, reachable)
    hint = f"Did you mean {' or '.join(close)}?" if close else "Find it with search_operations."
    return problem(f"There is no operation {name!r}; nothing was sent. {hint}", kind="NotFound")


def _usable_providers(call: BuiltinCall) -> list[str]:
    """Return the names of the providers of which this session may use an account."""
    return [name for name in call.services.set_up if usable_accounts(name, call.session, call.services)]


def account_choice(provider: str | None, session: Session, services: ToolServices) -> AccountChoice:
    """Return the accounts on which a session may make calls of a provider; none for a tool over all providers."""
    if provider is None:
        return ONE_ACCOUNT
    names = usable_accounts(provider, session, services)
    return AccountChoice(names, services.default_account(provider, names))


def _not_a_read(name: str, effect: str, instead: str) -> Reply:
    return problem(f"{name} is no plain read ({effect}), so it was not called. {instead}", kind="NotARead")


def _way_to(name: str, by: str, call: BuiltinCall) -> str | None:
    """Return the tool with which this session calls an operation or tool; None where it has no way to it."""
    if call.session.sees(by):
        return by
    return "the tool itself" if call.session.sees(name) else None


def _row(entry: Entry, search: OperationSearch, call: BuiltinCall) -> Mapping[str, Any] | None:
    """Return what is shown of an entry; None where it does not fit the search or this session cannot call it."""
    operation = operation_named(entry.name) if entry.provider else None
    if operation is None:
        return _tool_row(entry, search, call)
    if search.provider not in (None, entry.provider) or not _is_of_kind(operation, search.kind):
        return None
    call_with = _way_to(entry.name, caller(operation), call)
    if call_with is None or call.session.why_out_of_reach(operation.spec):
        return None
    return {
        "name": entry.name,
        "does": " ".join((operation.__doc__ or "").split()),
        "effect": operation.spec.effect.labels,
        "approval": approval_of(
            operation.spec,
            call.services.policy,
            account_choice(operation.spec.provider.name, call.session, call.services),
        ),
        "call_with": call_with,
    }


def _tool_row(entry: Entry, search: OperationSearch, call: BuiltinCall) -> Mapping[str, Any] | None:
    tool = next((one for one in call.services.builtin_tools if one.name == entry.name), None)
    if (
        tool is None
        or search.provider is not None
        or search.kind not in (None, "read" if tool.only_reads else "change")
    ):
        return None
    call_with = "the tool itself" if call.session.sees(tool.name) else _way_to(tool.name, caller_of_tool(tool), call)
    if call_with is None or call.session.why_tool_out_of_reach(tool.name, only_reads=tool.only_reads):
        return None
    return {"name": entry.name, "does": entry.texts["description"], "call_with": call_with}


def _is_of_kind(operation: OperationType, kind: Kind | None) -> bool:
    effect = operation.spec.effect
    match kind:
        case None:
            return True
        case "read":
            return effect.is_plain_read
        case "paid":
            return "paid" in effect.labels
        case "change":
            return not effect.is_plain_read
