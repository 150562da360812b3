"""Parses a tool's arguments into a call that this session may make and this account's server can take."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from clients.errors import TelephonyError
from clients.operation import Operation, OperationType
from clients.redaction import redact
from clients.spec import Spec
from guard.plans.parsing import AccountCall, BadCall
from guard.plans.references import stand_in
from server.services import Services
from tools.arguments import BadArguments, Paging, parse
from tools.registry import operation_named, operations_of, provider_named
from tools.schema import ACCOUNT
from tools.selection import usable_accounts
from tools.suggestions import nearest_tools, reads_of


@dataclass(frozen=True, slots=True)
class NotCallable(Exception):
    """A call that cannot be made. The message says what is allowed, and that nothing was sent."""

    message: str
    kind: str
    """The kind of error, for the result."""

    rules: tuple[str, ...] = ()
    """The arguments that do not fit, each with its rule."""

    def __str__(self) -> str:
        return self.message


class Reach(Protocol):
    """Who asks, as far as it decides what may be called."""

    def may_use(self, account: str) -> bool:
        """Return True if an account may be used."""
        ...

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Return why an operation may not be called through any tool; None where it may."""
        ...


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A validated call as a tool makes it: the account that it is made on, and the rows to show."""

    operation: Operation[Any]
    account: str
    """The account's name."""

    paging: Paging


def parse_call(
    operation: OperationType,
    arguments: Mapping[str, Any],
    session: Reach,
    services: Services,
    *,
    account: str | None = None,
    added_by_clients: Collection[str] = (),
) -> ToolCall:
    """Return the validated call, its account, and the rows to show.

    `account` is the account's name, where the arguments do not have it.

    Raises:
        NotCallable: The provider is not set up, the session may not call this or use this account, or an argument does
            not fit.
    """
    provider = operation.spec.provider
    if provider.name not in services.set_up:
        raise NotCallable(
            f"{provider.title} is not set up; nothing was sent. Ask the operator for its credentials.", "NotConfigured"
        )
    require_reach(operation, session)
    chosen, others = choose_account(
        operation.spec.tool_name, provider.name, arguments, session, services, account=account
    )
    try:
        settings = services.settings.account(chosen)
        call, paging = parse(operation, others, settings, added_by_clients=added_by_clients)
    except BadArguments as bad:
        raise NotCallable(str(bad), "BadArguments", bad.rules) from bad
    return ToolCall(call, chosen, paging)


def choose_account(
    tool: str,
    provider: str,
    arguments: Mapping[str, Any],
    session: Reach,
    services: Services,
    *,
    account: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the name of the account that a call is made on, and its other arguments.

    Raises:
        NotCallable: The session may use none of the provider's accounts or not the named one, or none is named and the
            operator chose no default.
    """
    title = provider_named(provider).title
    usable = usable_accounts(provider, session, services)
    if not usable:
        raise NotCallable(
            f"{tool} was not called: this token may use no account of {title}; nothing was sent.",
            "OutOfReach",
        )
    given = [account] if account is not None else []
    others = dict(arguments)
    if len(services.accounts_of(provider)) > 1 and others.get(ACCOUNT) is not None:
        given.append(str(others.pop(ACCOUNT)))
    named = dict.fromkeys(given)
    names = ", ".join(usable)
    if len(named) > 1:
        raise NotCallable(
            f"{tool} names two accounts; nothing was sent. Name one of: {names}.",
            "BadArguments",
            (f"{ACCOUNT}: one of {names} is expected, and two are named.",),
        )
    if not named:
        if (chosen := services.default_account(provider, usable)) is not None:
            return chosen, others
        raise NotCallable(
            f"{title} has several accounts here, and this call of {tool} names none; nothing was sent."
            f" Call again with `{ACCOUNT}`: one of {names}.",
            "AccountNotNamed",
            (f"{ACCOUNT}: one of {names} is expected.",),
        )
    [name] = named
    if name not in usable:
        raise NotCallable(
            f"{tool} was not called: there is no account {name[:60]!r} of {title} for this session; nothing was sent."
            f" `{ACCOUNT}` is one of: {names}.",
            "BadArguments",
            (f"{ACCOUNT}: one of {names} is expected, and {name[:60]!r} is none of them.",),
        )
    return name, others


def require_reach(operation: OperationType, session: Reach) -> None:
    """Refuse an operation that this session may not call through any tool.

    Raises:
        NotCallable: It may not.
    """
    why = session.why_out_of_reach(operation.spec)
    if why is not None:
        raise NotCallable(f"{operation.spec.tool_name} was not called: {why}; nothing was sent.", "OutOfReach")


@dataclass(frozen=True, slots=True)
class SessionCalls:
    """Implements `guard.plans.parsing.CallParser` for the session of a request."""

    session: Reach
    services: Services

    def find(self, tool: str) -> OperationType:
        """Return the operation of a tool name.

        Raises:
            BadCall: There is none.
        """
        operation = operation_named(tool)
        if operation is None:
            raise BadCall(self._explain_unknown(tool))
        return operation

    def parse(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        references: Collection[str] = frozenset(),
        *,
        account: str | None = None,
    ) -> AccountCall:
        """Return the validated call of a step and its account; arguments named in `references` have no value yet.

        Raises:
            BadCall: There is no such operation, the session may not make the call, or an argument does not fit.
        """
        operation = self.find(tool)
        if references:
            operation = stand_in(operation, frozenset(references))
        try:
            made = parse_call(operation, arguments, self.session, self.services, account=account)
            if not references:
                # What cannot be sent is refused before anybody has to approve it.
                self.services.clients[made.account].build_request(made.operation)
        except NotCallable as bad:
            raise BadCall("; ".join(bad.rules) or str(bad), bad.kind) from bad
        except TelephonyError as error:
            raise BadCall(f"{redact(str(error))} {error.advice}", type(error).__name__) from error
        return AccountCall(made.operation, made.account)

    def _explain_unknown(self, tool: str) -> str:
        known = (one for provider in self.services.set_up for one in operations_of(provider).values())
        reachable = reads_of(one for one in known if not self.session.why_out_of_reach(one.spec))
        close = nearest_tools(tool, reachable)
        hint = f"did you mean {close[0]}?" if close else "search_operations finds the operations of the providers."
        return f"There is no operation {tool[:60]!r}; {hint}"
