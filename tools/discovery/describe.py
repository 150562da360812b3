"""Describes an operation in full: schema, effect, who approves, price rule, basis, an example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clients.effects import Charge
from clients.operation import OperationType
from clients.spec import Spec
from guard.rules.policy import Decision, Policy
from tools.builtin import BuiltinTool
from tools.description import tool_description
from tools.discovery.examples import example_call, example_of
from tools.schema import argument_schema, input_schema, portable_value, with_account

APPROVAL: dict[Decision, str] = {
    Decision.ALLOW: "runs without approval",
    Decision.ASK: "needs approval",
    Decision.PAGE: "only the operator can approve it",
    Decision.DENY: "the operator forbids it",
}
CALL_READ = "call_read_operation"
CALL_WRITE = "call_write_operation"


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """The accounts on which a session may make a call."""

    names: Sequence[str] = ()
    default: str | None = None
    """The one that a call is made on if it names none."""

    def schema(self, of_tool: Mapping[str, Any]) -> dict[str, Any]:
        """Return a tool's schema, with the argument that names the account where there are several."""
        return with_account(of_tool, self.names, self.default) if len(self.names) > 1 else dict(of_tool)


ONE_ACCOUNT: Final = AccountChoice()


def describe(
    operation: OperationType,
    policy: Policy,
    accounts: AccountChoice = ONE_ACCOUNT,
    *,
    call_with: str | None = None,
    out_of_reach: str | None = None,
) -> dict[str, Any]:
    """Return everything about an operation that a model needs to call it.

    `call_with` is the tool that calls it in this session, and `out_of_reach` why the session may not call it.
    """
    spec = operation.spec
    return {
        "name": spec.tool_name,
        "title": spec.title,
        "does": tool_description(operation),
        "provider": spec.provider.name,
        "toolset": spec.toolset,
        "effect": spec.effect.labels,
        "approval": f"cannot be called: {out_of_reach}" if out_of_reach else approval_of(spec, policy, accounts),
        "price": price_rule(operation),
        "request": f"{spec.method} {spec.path}",
        "basis": dict(spec.basis.parts()),
        "docs": spec.docs,
        "call_with": None if out_of_reach else call_with,
        "input_schema": accounts.schema(input_schema(operation)),
        "example": portable_value(argument_schema(operation), example_of(operation)),
    }


def approval_of(spec: Spec, policy: Policy, accounts: AccountChoice) -> str:
    """Return who approves a call; by account, where that differs."""
    by_account = {name: APPROVAL[policy.at(name).decide(spec)] for name in accounts.names}
    found = set(by_account.values()) or {APPROVAL[policy.decide(spec)]}
    if len(found) == 1:
        return found.pop()
    return "; ".join(f"{name}: {approval}" for name, approval in by_account.items())


def caller(operation: OperationType) -> str:
    """Return the tool that calls an operation which is not listed itself."""
    return CALL_READ if operation.spec.effect.is_plain_read else CALL_WRITE


def describe_tool(tool: BuiltinTool, accounts: AccountChoice = ONE_ACCOUNT, *, call_with: str) -> dict[str, Any]:
    """Return everything about a built-in tool that a model needs to call it."""
    return {
        "name": tool.name,
        "title": tool.title,
        "does": tool.description,
        "toolset": tool.toolset,
        "effect": [tool.effect.value],
        "call_with": call_with,
        "input_schema": accounts.schema(tool.input_schema),
    }


def caller_of_tool(tool: BuiltinTool) -> str:
    """Return the tool that calls a built-in tool which is not listed itself."""
    return CALL_READ if tool.only_reads else CALL_WRITE


def price_rule(operation: OperationType) -> str:
    """Describe what a call costs, and where the price comes from."""
    if "paid" not in operation.spec.effect.labels:
        return "no charge is documented"
    charge: Charge | None = example_call(operation).charge()
    if charge is None:
        return "charged; the quote before each call has the amount, or says that it is unknown"
    if charge.unknown is not None:
        return f"charged by {charge.item}; unknown beforehand: {charge.unknown}"
    each = f"{charge.each} {charge.currency}" if charge.each is not None else f"the account's {charge.rate} rate"
    every = {"once": "", "month": " a month", "call": " for every later use"}[charge.per]
    return f"{each} by {charge.item}{every}; the quote before each call has the amount"
