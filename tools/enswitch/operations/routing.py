"""Enswitch system routing: routes to peers, and the groups that prices and callers hang on.

Rests on guide 4.4. Left out: allow_plan_peers and copy_costs_peer of a route, included, name_invoices and tags of an
outbound group.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from clients.effects import Effect
from clients.evidence import Evidence
from clients.operation import Answer, ChangesSomething, Operation, Verification
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import AnyPrefix, Csv, Flag, Id, Limit, Text, Whole, Words
from tools.enswitch.groups import Accepted, Created, DryRun, ForCustomer, Listing
from tools.enswitch.versions import Version


@enswitch.function(
    "routes/update",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Change {settings} of system route {id}",
    toolset="routing",
    unverifiable="no documented call shows the system's routes",
    admin_only=True,
    synonyms=("carrier", "lcr", "gateway", "peer", "trunk"),
)
class UpdateRoute(DryRun, ChangesSomething, Operation[Accepted]):
    """Change a system route, for every customer; what is left out stays, and no documented call shows it."""

    id: Id
    """Route."""

    called_min: Whole | None = None
    """Fewest digits called."""

    called_max: Whole | None = None
    """Most digits called."""

    called_prefix: AnyPrefix | None = None
    """Called prefix to match."""

    caller_prefix: AnyPrefix | None = None
    """Caller ID prefix to match."""

    description: Text | None = None
    """Description."""

    media: Literal["voice_fax", "voice", "fax", "message"] | None = None
    """Media type."""

    outgroup: Id | None = None
    """Outbound group."""

    peer1: Limit | None = None
    """First peer; -1 least cost."""

    peer2: Limit | None = None
    """Second; -1 least cost."""

    peer3: Limit | None = None
    """Third; -1 least cost."""


class Imported(Answer):
    """How many rows were imported."""

    count: int | None = None


@enswitch.function(
    "routes/import",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES | Effect.PRIVILEGED,
    subject="Import system routes from CSV[delete_all? and delete every route there is], for good",
    toolset="routing",
    confirmed_by=("count",),
    unverifiable="no documented call shows the system's routes",
    admin_only=True,
    irreversible=True,
    synonyms=("upload", "bulk", "lcr", "replace all"),
)
class ImportRoutes(Operation[Imported]):
    """Import system routes from CSV; with delete_all every existing route goes first."""

    csv: Csv
    """The file's text, with a header line."""

    delete_all: Annotated[Flag, Field(serialization_alias="delete")] = False
    """Delete all routes first."""

    overwrite: Flag = False
    """Replace routes that exist."""

    def warnings(self) -> tuple[str, ...]:
        return ("EVERY system route is deleted before the import.",) if self.delete_all else ()


@enswitch.function(
    "outgroups/create",
    effect=Effect.PRIVILEGED,
    subject="Create the outbound group {name:text}",
    toolset="routing",
    confirmed_by=("id",),
    unverifiable="no documented call lists outbound groups",
    admin_only=True,
    synonyms=("outbound group", "destination group", "zone"),
)
class CreateOutgroup(DryRun, Operation[Created]):
    """Create an outbound group, which prices of destinations hang on."""

    name: Words
    """Name."""

    callergroup: Whole | None = None
    """Caller group; 0 for any."""

    description: Text | None = None
    """Description."""


@enswitch.function(
    "callergroups/create",
    effect=Effect.PRIVILEGED,
    subject="Create the caller group {name:text}",
    toolset="routing",
    confirmed_by=("id",),
    unverifiable="no documented call lists caller groups",
    admin_only=True,
    synonyms=("origin", "caller based rates"),
)
class CreateCallergroup(Operation[Created]):
    """Create a caller group, which prices by origin hang on; from Enswitch 4.2 on."""

    added_in: ClassVar[Version] = (4, 2)

    name: Words
    """Name."""

    description: Words
    """Description."""


@enswitch.function(
    "calleridgroups/create",
    effect=Effect.PRIVILEGED,
    subject="Create the group of caller IDs {name:text}",
    toolset="routing",
    confirmed_by=("id",),
    synonyms=("caller id list", "whitelist", "blacklist"),
)
class CreateCalleridgroup(ForCustomer, Operation[Created]):
    """Create a group of caller IDs; from Enswitch 4.3 on."""

    added_in: ClassVar[Version] = (4, 3)

    name: Words
    """Name."""

    description: Words
    """Description."""

    shared: Flag | None = None
    """Share it with customers below."""

    def verification(self, sent_at: datetime) -> "Verification[CalleridGroups]":
        return Verification(read=ListCalleridgroups(customer=self.customer), check=self._is_among)

    def _is_among(self, found: "CalleridGroups") -> Evidence:
        # An older group may have the same name and description.
        same = any(group.name == self.name and group.description == self.description for group in found.groups)
        return Evidence.no_if(not same)


class CalleridGroup(Answer):
    """A group of caller IDs."""

    id: int | None = None
    name: str | None = None
    description: str | None = None
    customer: int | None = None
    shared: bool | None = None


class CalleridGroups(Listing):
    """Groups of caller IDs."""

    groups: list[CalleridGroup] = []


@enswitch.function(
    "calleridgroups/list",
    effect=Effect.READ,
    toolset="routing",
    basis=COLUMNS_INFERRED,
    synonyms=("caller id list", "whitelist", "blacklist"),
)
class ListCalleridgroups(ForCustomer, Operation[CalleridGroups]):
    """List groups of caller IDs; from Enswitch 4.3 on."""

    added_in: ClassVar[Version] = (4, 3)

    available: Flag | None = None
    """Those that may be used, shared ones too."""
