"""The SIP access list and the authentication settings (operations 12 to 16)."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from sandbox.frame.inputs import Body
from sandbox.frame.wire import Answer
from sandbox.voicetel.addresses import network_is_routable, parse_network
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import comma_list
from sandbox.voicetel.state import Account, api_key_for
from sandbox.voicetel.wire import Refusal, success

BAD_MASK = "Invalid mask: must be /8, /16, /24, or /32"
NOT_ROUTABLE = "CIDR range must be routable"
INSERT_FAILED = "DB Insert failed"
DELETE_FAILED = "DB delete failed"

AUTH_TYPES = ("Digest only", "IP allowlist only", "Digest OR IP allowlist", "Digest AND IP allowlist")
"""By number, as in 2.2.10; later SDKs swap 1 and 2."""


class CidrEntry(Body):
    """One block."""

    cidr: str


@operation("POST", "acl")
def add_acl(call: Call, *, acl: Annotated[list[CidrEntry], Field(min_length=1)]) -> Answer:
    """Add blocks; those that fail are named in a 409, while the others are added all the same."""
    return _change([entry.cidr for entry in acl], "added", lambda cidr: _insert(call.account, cidr))


@operation("DELETE", "acl")
def remove_acl(call: Call, *, cidrs: str) -> Answer:
    """Remove blocks; those that fail are named in a 409, while the others are removed all the same."""
    blocks = comma_list(cidrs, 1000, "CIDR blocks")
    return _change(blocks, "removed", lambda cidr: _delete(call.account, cidr))


@operation("GET", "acl")
def list_acl(call: Call) -> Answer:
    """List all blocks; 404 if there are none."""
    if not call.account.acl:
        raise Refusal(404, "No ACL entries found.")
    return success(acl=_entries(call.account.acl))


@operation("PUT", "auth")
def update_auth(
    call: Call, *, password: str | None = None, authType: Annotated[int, Field(ge=0, le=3)] | None = None
) -> Answer:
    """Set the mode and the password; what fails is named in a 409 while the rest is applied.

    A new password replaces the account's API key (documented: fetch it again after any password change).
    """
    account = call.account
    if password is None and authType is None:
        raise Refusal(400, "Nothing to update: give password or authType.")
    updated: list[dict[str, object]] = []
    errors: list[dict[str, object]] = []
    if authType is not None:
        account.auth_type = authType
        updated.append({"field": "authType", "value": authType})
    if password is not None:
        if _is_acceptable(password):
            account.password = password
            account.api_key = api_key_for(account.username, password)
            updated.append({"field": "password"})
        else:
            rule = "6-10 alphanumeric characters with at least one letter and one number"
            errors.append({"field": "password", "message": f"The password must be {rule}."})
    if errors:
        raise Refusal(409, "Some settings were not updated.", beside={"updated": updated, "errors": errors})
    return success(updated=updated)


@operation("GET", "auth")
def show_auth(call: Call) -> Answer:
    """Show the mode, in words too, and the access list."""
    account = call.account
    return success(
        authType=account.auth_type, authTypeDescription=AUTH_TYPES[account.auth_type], acl=_entries(account.acl)
    )


def _change(cidrs: list[str], done: str, change: Callable[[str], str | None]) -> Answer:
    outcome: dict[str, list[dict[str, object]]] = {"added": [], "removed": [], "failed": []}
    for cidr in cidrs:
        reason = change(cidr)
        if reason is None:
            outcome[done].append({"cidr": cidr})
        else:
            outcome["failed"].append({"cidr": cidr, "reason": reason})
    if outcome["failed"]:
        raise Refusal(409, "Some ACL entries failed.", beside={"data": outcome})
    return success({done: outcome[done]})


def _insert(account: Account, cidr: str) -> str | None:
    """Return the reason why a block cannot be added; None once it is."""
    mask = cidr.partition("/")[2]
    if mask not in {"8", "16", "24", "32"}:
        return BAD_MASK
    network = parse_network(cidr)
    if network is None or not network_is_routable(network):
        return NOT_ROUTABLE
    if cidr in account.acl:
        # inferred: which mistake a block that is already listed counts as
        return INSERT_FAILED
    account.acl.append(cidr)
    return None


def _delete(account: Account, cidr: str) -> str | None:
    if cidr not in account.acl:
        return DELETE_FAILED
    account.acl.remove(cidr)
    return None


def _entries(cidrs: list[str]) -> list[dict[str, object]]:
    return [{"cidr": cidr} for cidr in cidrs]


def _is_acceptable(password: str) -> bool:
    return re.fullmatch(r"(?=.*[A-Za-z])(?=.*[0-9])[A-Za-z0-9]{6,10}", password) is not None
