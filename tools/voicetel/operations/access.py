"""VoiceTel access: which IP addresses may call without a password, and how SIP devices prove who they are.

Paths and fields are documented. VoiceTel's own sources dispute the meaning of two authentication modes (its API page
2.2.10 against its newer SDK), so modes are named in words, and a warning says to read them back. Which blocks are
"routable" is not spelled out: private, shared, local, multicast and reserved ones are taken as not (inferred).
"""

import re
import secrets
from datetime import datetime
from ipaddress import IPv4Network
from string import ascii_letters, digits
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema, model_validator

from clients.effects import Effect
from clients.errors import quoted
from clients.evidence import Evidence, all_present, same_value
from clients.fields import KeptFromModel, Secret
from clients.operation import Answer, Operation, Undo, Verification, wire_fields
from tools.hosts import require_ipv4_network
from tools.voicetel.client import voicetel

MASKS: Final = (8, 16, 24, 32)

# fmt: off
_NOT_ROUTABLE: Final = tuple(IPv4Network(block) for block in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "224.0.0.0/4", "240.0.0.0/4",
))
# fmt: on
"""Blocks that no public host has. Those for documentation are not among them: VoiceTel's own samples use them."""


def is_routable(network: IPv4Network) -> bool:
    """Return True if no address of the block is private, shared, local, multicast or reserved."""
    return not any(network.overlaps(block) for block in _NOT_ROUTABLE)


def _public_block(value: str) -> str:
    network = require_ipv4_network(value)
    if network.prefixlen not in MASKS:
        raise ValueError(f"{value!r}: the mask must be /8, /16, /24 or /32.")
    if not is_routable(network):
        raise ValueError(f"{value!r}: only public addresses; none that are private, shared, local or reserved.")
    return value


PublicBlock = Annotated[
    str,
    AfterValidator(_public_block),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+/(8|16|24|32)$"}),
]


def _block(value: str) -> str:
    return str(require_ipv4_network(value))


ListedBlock = Annotated[
    str, AfterValidator(_block), WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+/[0-9]{1,2}$"})
]
"""A block as the list shows it, which may be one that could not be added today."""


class AclEntry(Answer):
    """A block of addresses that may call."""

    cidr: str | None = None


class Acl(Answer):
    """The IP access list."""

    acl: list[AclEntry] = []

    @property
    def blocks(self) -> set[str]:
        """The blocks on the list."""
        return {entry.cidr for entry in self.acl if entry.cidr}

    @property
    def shown(self) -> set[str | None]:
        """The same, with None where an entry does not show its block."""
        return {entry.cidr for entry in self.acl}


@voicetel.operation(
    "GET",
    "/v2.2/acl",
    effect=Effect.READ,
    toolset="access",
    docs="#aclList",
    empty_on=404,
    rows="acl",
    synonyms=("allowlist", "whitelist", "firewall", "allowed addresses", "cidr"),
)
class ListAclEntries(Operation[Acl]):
    """List the IP blocks that may make SIP calls on the account."""


class AddedBlocks(Answer):
    """Blocks that were added."""

    added: list[AclEntry] = []


@voicetel.operation(
    "POST",
    "/v2.2/acl",
    effect=Effect.PRIVILEGED,
    subject="Let {blocks:IP block} make calls on the account",
    toolset="access",
    docs="#aclCreate",
    synonyms=("allow", "allowlist", "whitelist", "permit", "cidr", "firewall"),
)
class AddAclEntries(Operation[AddedBlocks]):
    """Let IP blocks make SIP calls on the account; whoever is in them can spend its money."""

    blocks: list[PublicBlock] = Field(min_length=1)
    """Public IPv4 blocks; only /8, /16, /24 or /32, such as 203.0.113.10/32."""

    def warnings(self) -> tuple[str, ...]:
        networks = [IPv4Network(block) for block in self.blocks]
        return tuple(
            f"{network} lets {network.num_addresses:,} addresses call on this account."
            for network in networks
            if network.prefixlen < 24
        )

    def before(self) -> ListAclEntries:
        return ListAclEntries()

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Acl):
            return Undo(verdict="none", lost="Which blocks were on the list before was not read.")
        new = [block for block in self.blocks if block not in before.blocks]
        if not new:
            return Undo(verdict="none", lost="All blocks were on the list before.")
        return Undo(verdict="full", operation=RemoveAclEntries(blocks=new))

    def verification(self, sent_at: datetime) -> Verification[Acl]:
        return Verification(read=ListAclEntries(), check=lambda listed: all_present(self.blocks, listed.shown))

    def to_wire(self) -> dict[str, Any]:
        return {"acl": [{"cidr": block} for block in self.blocks]}


class RemovedBlocks(Answer):
    """Blocks that were removed."""

    removed: list[AclEntry] = []


@voicetel.operation(
    "DELETE",
    "/v2.2/acl",
    effect=Effect.PRIVILEGED | Effect.DESTRUCTIVE,
    subject="Take {blocks:IP block} off the access list",
    toolset="access",
    docs="#aclDelete",
    synonyms=("block", "deny", "allowlist", "whitelist", "cidr", "firewall"),
)
class RemoveAclEntries(Operation[RemovedBlocks]):
    """Take IP blocks off the access list; devices in them may no longer call."""

    blocks: list[ListedBlock] = Field(min_length=1)
    """Blocks, exactly as in voicetel_list_acl_entries."""

    def before(self) -> ListAclEntries:
        return ListAclEntries()

    def changes(self, before: Any) -> tuple[str, ...]:
        listed = before.blocks if isinstance(before, Acl) else set(self.blocks)
        return tuple(f"{block} is not on the list." for block in self.blocks if block not in listed)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Acl):
            return Undo(verdict="none", lost="Which blocks were on the list before was not read.")
        try:
            again = AddAclEntries(blocks=[block for block in self.blocks if block in before.blocks])
        except ValidationError:
            return Undo(verdict="none", lost="Not every block was on the list in a form that can be added again.")
        return Undo(verdict="full", operation=again)

    def verification(self, sent_at: datetime) -> Verification[Acl]:
        return Verification(
            read=ListAclEntries(),
            check=lambda listed: all_present(self.blocks, listed.shown).opposite,
            must_be_new=True,
        )

    def to_wire(self) -> dict[str, Any]:
        return {"cidrs": ",".join(self.blocks)}


Mode = Literal["digest", "ip", "digest_or_ip", "digest_and_ip"]

AUTH_TYPES: Final[dict[Mode, int]] = {"digest": 0, "ip": 1, "digest_or_ip": 2, "digest_and_ip": 3}
"""As the API page 2.2.10 numbers them; the SDK since 2.2.14 has 1 and 2 the other way round."""

DISPUTED: Final = frozenset({"ip", "digest_or_ip"})

_DESCRIBED: Final[dict[frozenset[str], Mode]] = {
    frozenset({"digest"}): "digest",
    frozenset({"ip"}): "ip",
    frozenset({"digest", "or", "ip"}): "digest_or_ip",
    frozenset({"lax"}): "digest_or_ip",
    frozenset({"lax", "digest", "or", "ip"}): "digest_or_ip",
    frozenset({"digest", "and", "ip"}): "digest_and_ip",
    frozenset({"strict"}): "digest_and_ip",
    frozenset({"strict", "digest", "and", "ip"}): "digest_and_ip",
}
"""Words of the API page and of the newer SDK. Whatever else a description says makes it unclear."""

_FILLING: Final = frozenset({"only", "allowlist", "list", "auth", "authentication", "address"})


def mode_described_by(words: str | None) -> Mode | None:
    """Return the mode that VoiceTel describes with these words; None if they are unclear."""
    words_used = frozenset(re.findall(r"\w+", (words or "").casefold()))
    return _DESCRIBED.get(words_used - _FILLING)


def new_password() -> str:
    """Ten letters and digits, at least one of each: the strongest that VoiceTel takes."""
    drawn = [secrets.choice(ascii_letters), secrets.choice(digits)]
    drawn += [secrets.choice(ascii_letters + digits) for _ in range(8)]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


class Authentication(Answer):
    """How SIP devices prove who they are. The description counts: what the number means is disputed."""

    auth_type: int | None = None
    auth_type_description: str | None = None
    acl: list[AclEntry] = []

    @property
    def numbered(self) -> Mode | None:
        """The mode that the API page gives this number."""
        return next((mode for mode, number in AUTH_TYPES.items() if number == self.auth_type), None)


@voicetel.operation(
    "GET",
    "/v2.2/auth",
    effect=Effect.READ,
    toolset="access",
    docs="#authGet",
    synonyms=("sip login", "digest", "mode", "security"),
)
class GetAuthentication(Operation[Authentication]):
    """Show how SIP devices authenticate, in VoiceTel's words, and the IP access list."""


class UpdatedField(Answer):
    """A setting that was changed. Its value is kept out: for a password, none is documented."""

    field: str | None = None


class UpdatedAuthentication(Answer):
    """What was changed."""

    updated: list[UpdatedField] = []


@voicetel.operation(
    "PUT",
    "/v2.2/auth",
    effect=Effect.PRIVILEGED | Effect.DESTRUCTIVE,
    subject="Change how SIP devices log in[: {mode}][password?, with a new password]",
    toolset="access",
    docs="#authPut",
    synonyms=("sip login", "digest", "change password", "rotate", "security"),
)
class UpdateAuthentication(Operation[UpdatedAuthentication]):
    """Change how SIP devices authenticate, or the account's password; either can cut off calls."""

    mode: Mode | None = None
    """How devices authenticate: password, IP access list, either, or both."""

    password: Annotated[Secret | None, KeptFromModel(generate=new_password)] = None
    """Set a new account password, kept for the operator; ends the API key in use."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        """Give mode, generate_password, or both."""
        if self.mode is None and self.password is None:
            raise ValueError("give mode, generate_password=true, or both.")
        return self

    def warnings(self) -> tuple[str, ...]:
        warnings: list[str] = []
        if self.mode in DISPUTED:
            warnings.append(
                f"VoiceTel's own sources dispute what {self.mode!r} does: its API page and its newer SDK have 'ip' and "
                "'digest_or_ip' the other way round. Read auth_type_description with voicetel_get_authentication after."
            )
        if self.mode in {"ip", "digest_and_ip"}:
            warnings.append("Devices whose address is not on the access list can then no longer call.")
        if self.password is not None:
            warnings.append(
                "The new password ends the API key in use: every later call to VoiceTel fails until the operator "
                "has put the new password and key into the settings. SIP devices need the new password too."
            )
        return tuple(warnings)

    def before(self) -> GetAuthentication:
        return GetAuthentication()

    def undo(self, before: Any, answer: Any) -> Undo:
        lost = "The old password and its API key do not come back." if self.password is not None else ""
        old = before.numbered if isinstance(before, Authentication) else None
        if self.mode is None or old is None:
            return Undo(verdict="none", lost=lost or "The mode before the change was not read.")
        words = before.auth_type_description or "nothing"
        if mode_described_by(words) != old and (old in DISPUTED or mode_described_by(words) is not None):
            notes = (
                f"VoiceTel described the mode before as {quoted(words)}, and it is disputed which mode sets that again."
            )
            return Undo(verdict="none", lost=f"{notes} {lost}".strip())
        return Undo(verdict="partial" if lost else "full", operation=UpdateAuthentication(mode=old), lost=lost)

    def verification(self, sent_at: datetime) -> Verification[Authentication] | None:
        # A password cannot be read, and a new one locks the reader out.
        if self.mode is None or self.password is not None:
            return None
        return Verification(read=GetAuthentication(), check=self._is_set)

    def _is_set(self, now: Authentication) -> Evidence:
        """Where the number agrees and the description does not, VoiceTel took the number for another mode."""
        number, words = now.numbered, mode_described_by(now.auth_type_description)
        if words is None:
            return Evidence.UNKNOWN if {number, self.mode} <= DISPUTED else same_value(number, self.mode)
        if words == self.mode:
            return Evidence.yes_if(number in {None, self.mode})
        return Evidence.no_if(number != self.mode)

    def to_wire(self) -> dict[str, Any]:
        wire = wire_fields(self, exclude=frozenset({"mode"}))
        return wire if self.mode is None else {"authType": AUTH_TYPES[self.mode], **wire}
