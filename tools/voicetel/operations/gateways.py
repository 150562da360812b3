"""VoiceTel gateways: the SIP hosts that calls are sent to.

Documented. Inferred: that a field left out of an update stays as it is, and that an empty prefix removes it.
"""

import re
from datetime import datetime
from ipaddress import IPv4Network
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError

from clients.changes import restore_fields
from clients.effects import Effect
from clients.evidence import Evidence
from clients.operation import (
    Answer,
    ChangesSomething,
    Done,
    Members,
    Operation,
    Precondition,
    Undo,
    Verification,
    verify_removal,
)
from tools.voicetel.client import voicetel
from tools.voicetel.operations.access import is_routable
from tools.voicetel.operations.phone_numbers import SYSTEM_ROUTES, Numbers

DEFAULT_PORT: Final = ":5060"

_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_IP = re.compile(r"[0-9.]+")


def _public_host(value: str) -> str:
    """Check the form only: whether a name resolves to a public address is for VoiceTel to find out."""
    host, colon, port = value.partition(":")
    is_port = re.fullmatch(r"[0-9]{1,5}", port) is not None and 1 <= int(port) <= 65535
    is_host = _is_public_address(host) if _IP.fullmatch(host) else _HOST.fullmatch(host) is not None
    if not is_host or (colon and not is_port):
        raise ValueError(
            f"{value!r} is no public host; give a public IPv4 address or a full host name, with a :port if needed, "
            "such as 203.0.113.10:5060."
        )
    return value


def _host_or_route(value: str) -> str:
    return value if value in SYSTEM_ROUTES else _public_host(value)


def _is_public_address(host: str) -> bool:
    try:
        return is_routable(IPv4Network(host))
    except ValueError:
        return False


PublicHost = Annotated[str, AfterValidator(_public_host)]
HostOrRoute = Annotated[str, AfterValidator(_host_or_route)]
Prefix = Annotated[str, Field(pattern=r"^[0-9]*$")]
CallLimit = Annotated[int, Field(ge=1, le=1000)]


class Gateway(Answer):
    """A host that calls are sent to, or a system route."""

    id: int | None = None
    address: str | None = Field(default=None, alias="gateway")
    prefix: str | None = None
    """Digits put before the number of an outbound call."""

    limit: int | None = None
    """Cap of concurrent calls; system routes have none."""

    system: bool | None = None
    """True for a route that every account has and nobody can change."""


class Gateways(Answer):
    """System routes and the account's own gateways."""

    gateways: list[Gateway] = []


@voicetel.operation(
    "GET",
    "/v2.2/gateways",
    effect=Effect.READ,
    toolset="gateways",
    docs="#gatewaysList",
    rows="gateways",
    synonyms=("trunks", "pbx", "sip hosts", "routes", "servers"),
)
class ListGateways(Operation[Gateways]):
    """List the SIP gateways that calls can be sent to, system routes first."""


@voicetel.operation(
    "GET",
    "/v2.2/gateways/{gateway_id}",
    effect=Effect.READ,
    toolset="gateways",
    docs="#gatewaysGet",
    synonyms=("trunk", "pbx", "show"),
)
class GetGateway(Operation[Gateway]):
    """Show one gateway: address, prefix and call limit."""

    gateway_id: int = Field(ge=1)
    """`id` from voicetel_list_gateways."""


@voicetel.operation(
    "GET",
    "/v2.2/gateways/{gateway_id}/numbers",
    effect=Effect.READ,
    toolset="gateways",
    docs="#gatewaysNumbers",
    rows="numbers",
    synonyms=("which numbers", "used by", "routed to", "trunk"),
)
class ListGatewayNumbers(Operation[Numbers]):
    """List the numbers whose calls go to one gateway; none may be left when it is deleted."""

    gateway_id: int = Field(ge=1)
    """`id` from voicetel_list_gateways."""


@voicetel.operation(
    "POST",
    "/v2.2/gateways",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Add the gateway {address}",
    toolset="gateways",
    docs="#gatewaysCreate",
    synonyms=("add", "trunk", "pbx", "connect", "new"),
)
class CreateGateway(Operation[Gateway]):
    """Add a SIP gateway, a host that may then receive the account's calls."""

    address: PublicHost = Field(serialization_alias="gateway")
    """Public IPv4 address or host name, with :port if needed."""

    prefix: Prefix | None = None
    """Digits to put before the number of outbound calls."""

    limit: CallLimit | None = None
    """Cap of concurrent calls; VoiceTel takes 23 if left out."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="voicetel_delete_gateway removes it, with the `id` from the answer.")

    def before(self) -> ListGateways:
        return ListGateways()

    def verification(self, sent_at: datetime) -> Verification[Gateways]:
        return Verification(read=ListGateways(), check=self._is_listed, must_be_new=True)

    def _is_listed(self, found: Gateways) -> Evidence:
        """One of this address with other settings may be an older one, and a name may be listed as its address."""
        same_host = [gateway for gateway in found.gateways if _same_host(gateway.address, self.address)]
        if any(_matches(gateway, self.prefix, self.limit) for gateway in same_host):
            return Evidence.YES
        if any(gateway.address is None for gateway in found.gateways):
            return Evidence.UNKNOWN
        return Evidence.no_if(not same_host and not (_is_name(self.address) and _lists_addresses(found)))


@voicetel.operation(
    "PUT",
    "/v2.2/gateways/{gateway_id}",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Change gateway {gateway_id}[, now {before.address}][, to {address}]",
    toolset="gateways",
    docs="#gatewaysPut",
    synonyms=("change", "trunk", "pbx", "move", "capacity"),
)
class UpdateGateway(ChangesSomething, Operation[Gateway]):
    """Change a gateway; with a new address, all calls routed to it go there."""

    gateway_id: int = Field(ge=1)
    """`id` from voicetel_list_gateways; system routes cannot be changed."""

    address: HostOrRoute | None = Field(default=None, serialization_alias="gateway")
    """Public IPv4 address or host name, with :port if needed, or the name of a system route."""

    prefix: Prefix | None = None
    """Digits to put before the number of outbound calls."""

    limit: CallLimit | None = None
    """Cap of concurrent calls."""

    def before(self) -> GetGateway:
        return GetGateway(gateway_id=self.gateway_id)

    def members(self) -> tuple[Members[Numbers], ...]:
        # A new address moves the calls of every number that is routed to the gateway.
        if self.address is None:
            return ()
        read = ListGatewayNumbers(gateway_id=self.gateway_id)
        return (Members(read=read, numbers=lambda found: [row.number for row in found.numbers]),)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Gateway):
            return Undo(verdict="none", lost="The gateway before the change was not read.")
        old = {name: getattr(before, name) for name in self.model_dump(exclude={"gateway_id"}, exclude_none=True)}
        if "prefix" in old:
            old["prefix"] = before.prefix or ""  # shown or not, a gateway without one has none
        return restore_fields(UpdateGateway, old, gateway_id=self.gateway_id)

    def verification(self, sent_at: datetime) -> Verification[Gateway]:
        return Verification(read=GetGateway(gateway_id=self.gateway_id), check=self._is_in_place)

    def _is_in_place(self, now: Gateway) -> Evidence:
        if self.limit is not None and now.limit is None:
            return Evidence.UNKNOWN
        if not _matches(now, self.prefix, self.limit):
            return Evidence.NO
        if self.address is None or _same_host(now.address, self.address):
            return Evidence.YES
        is_resolved = _is_name(self.address) and not _is_name(now.address or "")
        return Evidence.no_if(now.address is not None and not is_resolved)


@voicetel.operation(
    "DELETE",
    "/v2.2/gateways/{gateway_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete gateway {gateway_id}[, {before.address}]",
    toolset="gateways",
    docs="#gatewaysDelete",
    synonyms=("remove", "trunk", "pbx", "disconnect"),
)
class DeleteGateway(Operation[Done]):
    """Delete a gateway; VoiceTel refuses while numbers are routed to it."""

    gateway_id: int = Field(ge=1)
    """`id` from voicetel_list_gateways; system routes cannot be deleted."""

    def before(self) -> GetGateway:
        return GetGateway(gateway_id=self.gateway_id)

    def preconditions(self) -> tuple[Precondition[Numbers], ...]:
        return (Precondition(ListGatewayNumbers(gateway_id=self.gateway_id), _why_needed),)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Gateway):
            return Undo(verdict="none", lost="The gateway was not read before it was deleted.")
        try:
            again = CreateGateway.model_validate(before.model_dump(include={"address", "prefix", "limit"}))
        except ValidationError:
            return Undo(verdict="none", lost="VoiceTel showed the gateway in a form that it does not take.")
        return Undo(verdict="partial", operation=again, lost="The gateway gets a new id.")

    def verification(self, sent_at: datetime) -> Verification[Gateway]:
        return verify_removal(GetGateway(gateway_id=self.gateway_id))


def _why_needed(found: Numbers) -> str:
    """Say why a gateway cannot be deleted: VoiceTel refuses it (409) while numbers are routed to it."""
    routed = f"{count} number{'' if count == 1 else 's'}" if (count := len(found.numbers)) else ""
    return routed and f"the calls of {routed} go to the gateway; route them elsewhere first"


def _same_host(shown: str | None, wanted: str) -> bool:
    return (shown or "").lower().removesuffix(DEFAULT_PORT) == wanted.lower().removesuffix(DEFAULT_PORT)


def _is_name(address: str) -> bool:
    return address not in SYSTEM_ROUTES and _IP.fullmatch(address.partition(":")[0]) is None


def _lists_addresses(found: Gateways) -> bool:
    return any(gateway.address and not gateway.system and not _is_name(gateway.address) for gateway in found.gateways)


def _matches(gateway: Gateway, prefix: str | None, limit: int | None) -> bool:
    return (prefix is None or (gateway.prefix or "") == prefix) and (limit is None or gateway.limit == limit)
