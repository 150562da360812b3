"""Parses a tool's arguments into a call that this session may make and this account's server can take."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from clients.errors import TelephonyError
from clients.operation import Operation, OperationType
from clients.redaction import redact
from clients.spec import Spec
from guard.plans.parsing import BadCall
from guard.plans.references import stand_in
from server.services import Services
from tools.arguments import BadArguments, Paging, parse
from tools.registry import operation_named, operations_of
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

    def why_out_of_reach(self, spec: Spec) -> str | None:
        """Return why an operation may not be called through any tool; None where it may."""
        ...


def parse_call(
    operation: OperationType,
    arguments: Mapping[str, Any],
    session: Reach,
    services: Services,
    *,
    added_by_clients: Collection[str] = (),
) -> tuple[Operation[Any], Paging]:
    """Return the validated call and the rows to show.

    Raises:
        NotCallable: The provider is not set up, the session may not call this, or an argument does not fit.
    """
    provider = operation.spec.provider
    if provider.name not in services.clients:
        raise NotCallable(
            f"{provider.title} is not set up; nothing was sent. Ask the operator for its credentials.", "NotConfigured"
        )
    require_reach(operation, session)
    try:
        account = services.settings.account(provider.name)
        return parse(operation, arguments, account, added_by_clients=added_by_clients)
    except BadArguments as bad:
        raise NotCallable(str(bad), "BadArguments", bad.rules) from bad


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
        self, tool: str, arguments: Mapping[str, Any], references: Collection[str] = frozenset()
    ) -> Operation[Any]:
        """Return the validated call of a step, in which arguments named in `references` have no value yet.

        Raises:
            BadCall: There is no such operation, the session may not make the call, or an argument does not fit.
        """
        operation = self.find(tool)
        if references:
            operation = stand_in(operation, frozenset(references))
        try:
            call, _ = parse_call(operation, arguments, self.session, self.services)
            if not references:
                # What cannot be sent is refused before anybody has to approve it.
                self.services.clients[operation.spec.provider.name].build_request(call)
        except NotCallable as bad:
            raise BadCall("; ".join(bad.rules) or str(bad), bad.kind) from bad
        except TelephonyError as error:
            raise BadCall(f"{redact(str(error))} {error.advice}", type(error).__name__) from error
        return call

    def _explain_unknown(self, tool: str) -> str:
        known = (one for provider in self.services.set_up for one in operations_of(provider).values())
        reachable = reads_of(one for one in known if not self.session.why_out_of_reach(one.spec))
        close = nearest_tools(tool, reachable)
        hint = f"did you mean {close[0]}?" if close else "search_operations finds the operations of the providers."
        return f"There is no operation {tool[:60]!r}; {hint}"
