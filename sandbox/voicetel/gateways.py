"""SIP gateways (operations 23 to 28)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from sandbox.frame.inputs import Found
from sandbox.frame.wire import Answer
from sandbox.voicetel.addresses import is_hostname, is_ipv4, is_public_host, split_port
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import path_id
from sandbox.voicetel.phone_numbers import feature_flags
from sandbox.voicetel.state import FIRST_USER_GATEWAY, SYSTEM_ROUTES, Account, Gateway
from sandbox.voicetel.wire import Refusal, created, no_content, success

DEFAULT_LIMIT = 23

Prefix = Annotated[str, StringConstraints(pattern=r"^[0-9]*$")]
Limit = Annotated[int, Field(ge=1, le=1000)]


def _found(call: Call) -> Gateway:
    gateway = call.account.gateways.get(path_id(call.path["id"]))
    if gateway is None:
        raise Refusal(404, "Gateway not found.")
    return gateway


OwnGateway = Annotated[Gateway, Found(_found)]


@operation("POST", "gateways")
def add_gateway(call: Call, *, gateway: str, prefix: Prefix = "", limit: Limit = DEFAULT_LIMIT) -> Answer:
    """Add a user gateway."""
    _require_reachable(call.account, gateway, 0)
    identifier = call.state.next(f"gateway {call.account.username}", FIRST_USER_GATEWAY)
    call.account.gateways[identifier] = Gateway(identifier, gateway, prefix, limit)
    return created(**_to_wire(call.account.gateways[identifier]))


@operation("PUT", "gateways/{id}")
def change_gateway(
    call: Call,
    changed: OwnGateway,
    *,
    gateway: str | None = None,
    prefix: Prefix | None = None,
    limit: Limit | None = None,
) -> Answer:
    """Change what is given.

    inferred: a read-only system route is answered as not found, since 404 is documented here and 409 is not.
    """
    if changed.system:
        raise Refusal(404, "System routes cannot be changed.")
    if gateway is None and prefix is None and limit is None:
        raise Refusal(400, "Nothing to update.")
    if gateway is not None:
        if gateway not in SYSTEM_ROUTES.values():
            _require_reachable(call.account, gateway, changed.id)
        changed.address = gateway
    changed.prefix = changed.prefix if prefix is None else prefix
    changed.limit = changed.limit if limit is None else limit
    return success(_to_wire(changed))


@operation("DELETE", "gateways/{id}")
def remove_gateway(call: Call, gateway: OwnGateway) -> Answer:
    """Remove a user gateway that no number is routed to."""
    if gateway.system:
        raise Refusal(409, "System routes cannot be removed.")
    if any(number.route == gateway.id for number in call.account.numbers.values()):
        raise Refusal(409, "Numbers are routed to this gateway.")
    del call.account.gateways[gateway.id]
    return no_content()


@operation("GET", "gateways/{id}")
def show_gateway(call: Call, gateway: OwnGateway) -> Answer:
    """Show one gateway."""
    return success(_to_wire(gateway))


@operation("GET", "gateways")
def list_gateways(call: Call) -> Answer:
    """List system routes, then user gateways."""
    return success(gateways=[_to_wire(gateway) for gateway in call.account.gateways.values()])


@operation("GET", "gateways/{id}/numbers")
def list_gateway_numbers(call: Call, gateway: OwnGateway) -> Answer:
    """List the numbers routed to one gateway; inferred: an empty list if there are none."""
    numbers = [number for number in call.account.numbers.values() if number.route == gateway.id]
    return success(numbers=[feature_flags(number) for number in numbers])


def _require_reachable(account: Account, address: str, own_id: int) -> None:
    """Check that the address is a host with an optional port, public, and not in use by another gateway."""
    parts = split_port(address)
    if parts is None or not (is_ipv4(parts[0]) or is_hostname(parts[0]) or parts[0] == "localhost"):
        raise Refusal(400, "gateway must be an IP address or host name with an optional port.")
    if not is_public_host(parts[0]):
        raise Refusal(409, "The gateway must resolve to a routable public IPv4 address.")
    if any(other.address == address and other.id != own_id for other in account.gateways.values()):
        raise Refusal(409, "The gateway exists already.")


def _to_wire(gateway: Gateway) -> dict[str, object]:
    return {
        "id": gateway.id,
        "gateway": gateway.address,
        "prefix": gateway.prefix,
        "limit": gateway.limit,
        "system": gateway.system,
    }
