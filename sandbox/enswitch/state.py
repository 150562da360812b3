"""What the simulated Enswitch remembers: database tables, sessions, settings, and what clients did wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.enswitch.fields import VERSIONS, Row, Value, Version
from sandbox.frame.provider import ProviderState
from sandbox.provider import Surroundings


@dataclass(frozen=True)
class Table:
    """A database table: its key, and the column and table through which a row belongs to a customer."""

    key: str = "id"
    owner: str = "customer"
    """Empty: the row is the system's own."""
    parent: str = "customers"
    """The table that `owner` points into."""


SYSTEM = Table(owner="")
PLAN_OWNED = Table(owner="plan", parent="plans")
TABLES: dict[str, Table] = {
    "customers": Table(owner="id"),
    "plans": Table(),
    "plan_routes": PLAN_OWNED,
    "plan_classes": PLAN_OWNED,
    "plan_features": PLAN_OWNED,
    "plan_ingroups": PLAN_OWNED,
    "plan_outgroups": PLAN_OWNED,
    "plan_denials": PLAN_OWNED,
    "routes": SYSTEM,
    "outcosts": PLAN_OWNED,
    "incosts": PLAN_OWNED,
    "peers": SYSTEM,
    "peer_costs": SYSTEM,
    "outgroups": SYSTEM,
    "ingroups": SYSTEM,
    "outgroup_times": SYSTEM,
    "ingroup_times": SYSTEM,
    "timegroups": Table(),
    "time_periods": Table(owner="timegroup", parent="timegroups"),
    "callergroups": SYSTEM,
    "calleridgroups": Table(),
    "numbers": Table(key="number"),
    "number_times": Table(owner="number", parent="numbers"),
    "active_calls": Table(key="uniqueid"),
    "cdrs": Table(key="uniqueid"),
    "traces": SYSTEM,
    "machines": SYSTEM,
    "transactions": Table(),
    "invoices": Table(),
    "charges": Table(),
    "taxes": Table(),
    "tax_liable": Table(owner="tax", parent="taxes"),
    "card_groups": Table(),
    "card_batches": Table(owner="cardgroup", parent="card_groups"),
    "cards": Table(key="card", owner="cardgroup", parent="card_groups"),
    "vouchers": Table(key="serial"),
    "unlimited_access": Table(),
    "people": Table(),
    "roles": SYSTEM,
    "role_access": SYSTEM,
    "access": Table(),
    "phones": Table(key="name"),
    "phone_hardware": Table(owner="phone", parent="phones"),
    "queues": Table(),
    "queue_destinations": Table(owner="queue", parent="queues"),
    "queue_callbacks": Table(owner="queue", parent="queues"),
    "huntgroups": Table(),
    "ivrs": Table(),
    "conferences": Table(),
    "speeddials": Table(),
    "addresses": Table(),
    "codes": Table(key="code"),
    "code_callers": Table(),
    "mailboxes": Table(key="mailbox"),
    "messages": Table(owner="mailbox", parent="mailboxes"),
    "text_messages": Table(),
    "faxes": Table(),
    "bulk_campaigns": Table(),
}


@dataclass
class Settings:
    """What differs between installations."""

    version: Version = VERSIONS[-1]
    token_lifetime: int = 3600
    """Seconds that a token from user/login lives; 0: for ever."""
    ignore_undocumented_validation: bool = True
    """Whether `validation=1` on a function without a dry run is passed over, so that the function acts."""
    integer_codes: bool = False
    mirror_status: bool = False
    refuse_topups: bool = False
    """Whether the payment gateway declines customers/topup/request."""


@dataclass(frozen=True)
class Session:
    """A token that was handed out; `expires` is a Unix time, None for never."""

    person: int
    expires: int | None


@dataclass(frozen=True)
class Sighting:
    """A request that a careful client would not have sent, without the values of its parameters."""

    at: datetime
    function: str
    method: str
    parameters: tuple[str, ...]


class State(ProviderState):
    """One installation."""

    provider = "enswitch"

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.settings = Settings()
        self.tables: dict[str, list[Row]] = {name: [] for name in TABLES}
        self.sessions: dict[str, Session] = {}
        self.leaks: list[Sighting] = []
        self.ignored_validations: list[Sighting] = []

    def now(self) -> int:
        """Return the sandbox time in Unix seconds."""
        return self.clock.epoch()

    def next_id(self) -> int:
        """Return a new identifier; those that the seed names are below 5000."""
        return self.next("id", 5001)

    def find(self, table: str, key: Value) -> Row | None:
        """Return the row with this key; None if there is none."""
        column = TABLES[table].key
        return next((row for row in self.tables[table] if row[column] == key), None)

    def row(self, table: str, key: Value) -> Row:
        """Return the row with this key, which must exist."""
        found = self.find(table, key)
        if found is None:
            raise LookupError(f"{table} has no row {key}")
        return found

    def where(self, table: str, **columns: Value) -> Iterator[Row]:
        """Return the rows whose columns have these values."""
        return (row for row in self.tables[table] if all(row.get(column) == value for column, value in columns.items()))

    def first(self, table: str, **columns: Value) -> Row | None:
        """Return the first such row; None if there is none."""
        return next(self.where(table, **columns), None)

    def insert(self, table: str, **columns: Value) -> Row:
        """Add a row; it gets an `id` unless the table has another key."""
        row = Row(columns)
        if TABLES[table].key == "id" and "id" not in row:
            row = Row({"id": self.next_id(), **row})
        self.tables[table].append(row)
        return row

    def fill(self, table: str, columns: str, *rows: tuple[Value, ...], **same: Value) -> None:
        """Add rows whose columns are named once; `same` are columns with one value for all of them."""
        for row in rows:
            self.insert(table, **dict(zip(columns.split(), row, strict=True)), **same)

    def remove(self, table: str, row: Row) -> None:
        """Take a row out."""
        self.tables[table] = [kept for kept in self.tables[table] if kept is not row]

    def below(self, customer: int) -> set[int]:
        """Return a customer and everyone under it in the tree."""
        found = {customer}
        while True:
            more = {row.whole("id") for row in self.tables["customers"] if row.whole("parent") in found} - found
            if not more:
                return found
            found |= more
