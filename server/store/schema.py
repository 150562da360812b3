"""The tables of the store, as the migrations create them; a test compares the two."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

HEAD = "0017"
"""The newest migration."""

metadata = MetaData()


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored as ISO 8601 text in UTC, which sorts by time and is the same in every database."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Convert an aware time to text in UTC; None stays None."""
        return value.astimezone(UTC).isoformat(timespec="microseconds") if value else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Convert stored text to an aware time; None stays None."""
        return datetime.fromisoformat(value) if value else None


class StorableText(TypeDecorator[str]):
    """Text from outside, without characters that a database rejects, such as half an emoji or a NUL.

    Losing a character is better than being unable to store an outcome.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace the characters that a database rejects; None stays None."""
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """Replace what UTF-8 or PostgreSQL cannot store by a replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


actions = Table(
    "actions",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("account", String(200), nullable=False),
    Column("operation", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("principal", String(200), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("quote", JSON, nullable=False),
    Column("before", JSON),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("decided_by", String(200)),
    Column("decided_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("outcome", StorableText),
    Column("answer", StorableText),
    Column("owner", String(200)),
    Column("account_name", String(32), nullable=False, server_default=""),
    Column("due_at", UtcTime),
    Column("approvers", JSON, nullable=False, server_default="[]"),
    Column("approvers_needed", Integer, nullable=False, server_default="1"),
    Column("reason", StorableText, nullable=False, server_default=""),
    Column("decline_reason", StorableText),
    Column("demanded", String(8)),
)
OPEN_STATES = "state IN ('proposed', 'approved', 'sending', 'unknown')"
Index(
    "one_open_action_a_digest",
    actions.c.digest,
    unique=True,
    sqlite_where=text(OPEN_STATES),
    postgresql_where=text(OPEN_STATES),
)
Index("actions_by_digest", actions.c.digest, actions.c.finished_at)
Index("actions_by_due_time", actions.c.due_at)
Index("actions_by_principal_and_state", actions.c.principal, actions.c.state, actions.c.created_at)
# The history goes on from one action to the next in the order of these, so each ends with what makes it unique.
Index("actions_by_time", actions.c.created_at, actions.c.id)
Index("actions_by_state", actions.c.state, actions.c.created_at, actions.c.id)
Index("actions_by_principal", actions.c.principal, actions.c.created_at, actions.c.id)
Index("actions_by_provider", actions.c.provider, actions.c.created_at, actions.c.id)
Index("actions_by_account", actions.c.account_name, actions.c.created_at, actions.c.id)
Index("actions_by_operator", actions.c.decided_by, actions.c.created_at, actions.c.id)

action_texts = Table(
    "action_texts",
    metadata,
    Column("created_at", UtcTime, primary_key=True),
    Column("action_id", String(16), primary_key=True),
    Column("body", StorableText, nullable=False),
    sqlite_with_rowid=False,
)
"""What a search looks through, in the order of time (`server/store/searchable.py`)."""

holds = Table(
    "holds",
    metadata,
    Column("action_id", String(16), primary_key=True),
    Column("provider", String(32), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("billionths", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("account", String(32), nullable=False, server_default=""),
)
"""Money held, settled (spent) or released, in whole billionths so that sums are exact.

`account` is the name of the account, here and in the tables below; that of a record before there were several is the
name of the provider.
"""

Index("holds_by_time", holds.c.at)
Index("holds_by_amount", holds.c.currency, holds.c.billionths, holds.c.at, holds.c.state, holds.c.action_id)
Index("holds_open", holds.c.at, sqlite_where=text("state = 'held'"), postgresql_where=text("state = 'held'"))

plans = Table(
    "plans",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("title", StorableText, nullable=False),
    Column("reason", StorableText, nullable=False),
    Column("principal", String(200), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("on_failure", String(8), nullable=False),
    Column("calls", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("people", Integer),
    Column("seconds", Integer, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("runs_until", UtcTime, nullable=False),
    Column("decided_by", String(200)),
    Column("decided_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("outcome", StorableText),
    Column("at", UtcTime),
    Column("until", UtcTime),
    Column("zone", String(64)),
    Column("undo_id", String(16)),
    Column("undoes", String(16)),
    Column("due_at", UtcTime),
    Column("approvers", JSON, nullable=False, server_default="[]"),
    Column("approvers_needed", Integer, nullable=False, server_default="1"),
    Column("decline_reason", StorableText),
)
OPEN_PLANS = "state IN ('proposed', 'approved', 'running', 'stopped')"
Index(
    "one_open_plan_of_the_same_calls",
    plans.c.calls,
    unique=True,
    sqlite_where=text(OPEN_PLANS),
    postgresql_where=text(OPEN_PLANS),
)
Index("plans_by_time", plans.c.created_at, plans.c.id)
Index("plans_by_state", plans.c.state, plans.c.created_at)
Index("plans_by_due_time", plans.c.due_at)
Index("plans_by_undone", plans.c.undoes)
Index("plans_by_principal", plans.c.principal, plans.c.created_at)

plan_steps = Table(
    "plan_steps",
    metadata,
    Column("plan_id", String(16), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("label", String(40)),
    Column("provider", String(32), nullable=False),
    Column("account", String(200), nullable=False),
    Column("operation", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("given", JSON, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("quote", JSON, nullable=False),
    Column("before", JSON),
    Column("action_id", String(16)),
    Column("refusal", StorableText),
    Column("is_struck", Boolean, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("reserved_at", UtcTime),
    Column("account_name", String(32), nullable=False, server_default=""),
    Column("allowance_id", String(16)),
    Column("undoes", Integer),
    Column("demanded", String(8)),
)
"""The calls of plans. `reserved` is what is set aside for a step that was not sent yet, in whole billionths."""

Index("plan_steps_by_digest", plan_steps.c.digest)
Index("plan_steps_by_action", plan_steps.c.action_id)
Index(
    "plan_steps_reserved",
    plan_steps.c.reserved_at,
    sqlite_where=text("reserved > 0"),
    postgresql_where=text("reserved > 0"),
)


def _terms() -> list[Column[Any]]:
    """Make the columns of what an allowance allows, or is asked to."""
    return [
        Column("operation", String(64), nullable=False),
        Column("principal", String(200), nullable=False),
        Column("account", String(200)),
        Column("conditions", JSON, nullable=False),
        Column("count_most", Integer, nullable=False),
        Column("count_window", String(8), nullable=False),
        Column("money_most", BigInteger),
        Column("currency", String(3)),
        Column("money_window", String(8)),
        Column("until", UtcTime, nullable=False),
    ]


allowances = Table(
    "allowances",
    metadata,
    Column("id", String(16), primary_key=True),
    *_terms(),
    Column("note", StorableText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("revoked_at", UtcTime),
    Column("revoked_by", String(200)),
)
"""What the operator allowed beforehand; `conditions` are as they are written, `money_most` is in whole billionths."""

Index("allowances_by_operation", allowances.c.operation, allowances.c.principal, allowances.c.created_at)
Index("allowances_by_time", allowances.c.created_at)

allowance_uses = Table(
    "allowance_uses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("allowance_id", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("count", Integer, nullable=False),
    Column("billionths", BigInteger, nullable=False),
    Column("currency", String(3)),
    Column("action_id", String(16)),
    Column("plan_id", String(16)),
    Column("position", Integer),
    Column("state", String(8), nullable=False),
)
"""What was let through: for an action, or for a step of a plan that has none yet."""

Index("allowance_uses_by_time", allowance_uses.c.allowance_id, allowance_uses.c.at)
Index("allowance_uses_by_action", allowance_uses.c.action_id)
Index("allowance_uses_by_plan", allowance_uses.c.plan_id)

allowance_requests = Table(
    "allowance_requests",
    metadata,
    Column("id", String(16), primary_key=True),
    *_terms(),
    Column("reason", StorableText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
)
"""Requests of assistants, in their words. None of them allows anything."""

Index("allowance_requests_by_time", allowance_requests.c.closed_at, allowance_requests.c.created_at)
Index(
    "allowance_requests_by_principal",
    allowance_requests.c.principal,
    allowance_requests.c.closed_at,
    allowance_requests.c.created_at,
)

operators = Table(
    "operators",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("disabled_at", UtcTime),
    Column("disabled_by", String(200)),
    Column("subject", String(400)),
)
"""People who may sign in. The local operator has a row only once its role or state was changed."""

Index("operators_by_subject", operators.c.subject, unique=True)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String(400), primary_key=True),
    Column("operator", String(64), nullable=False),
    Column("public_key", Text, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("rp_id", String(255), nullable=False),
    Column("label", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("removed_at", UtcTime),
)
"""Public keys of authenticators (COSE, in URL-safe base64, as the id)."""

Index("passkeys_by_operator", passkeys.c.operator)

enrolments = Table(
    "enrolments",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("operator", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
)
"""Links by which operators enrol a passkey, each once; only the SHA-256 of their secret is here."""

Index("enrolments_by_operator", enrolments.c.operator)

operator_sessions = Table(
    "operator_sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("operator", String(64), nullable=False),
    Column("via", String(16), nullable=False),
    Column("browser", StorableText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
)
"""Sessions on the page. The cookie carries the id with a signature under the store's key."""

Index("operator_sessions_by_operator", operator_sessions.c.operator, operator_sessions.c.expires_at)
Index("operator_sessions_by_time", operator_sessions.c.expires_at)

approvals = Table(
    "approvals",
    metadata,
    Column("about", String(16), primary_key=True),
    Column("operator", String(64), primary_key=True),
    Column("by", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("statement", JSON, nullable=False),
    Column("assertion", JSON),
)
"""Each operator's yes to an action or plan: what it says, and what a passkey signed for it."""

Index("approvals_by_operator", approvals.c.operator, approvals.c.at)

spending = Table(
    "spending",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("provider", String(32), primary_key=True),
    Column("account", String(32), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("billionths", BigInteger, nullable=False),
)
"""Sums of what is held and settled by day (in UTC), so that a month's sum does not read every hold."""

spending_by_operation = Table(
    "spending_by_operation",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("provider", String(32), primary_key=True),
    Column("account", String(32), primary_key=True),
    Column("operation", String(64), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("billionths", BigInteger, nullable=False),
    Column("calls", Integer, nullable=False),
)
"""The same of what calls hold and settled, by operation, for reports; caps are checked against `spending` alone."""

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("event", String(32), nullable=False),
    Column("action_id", String(16)),
    Column("principal", String(200)),
    Column("detail", Text, nullable=False),
    Column("mac", String(64), nullable=False),
)
"""Every decision and every call, each row with an HMAC over the one before."""

receipts = Table(
    "receipts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(20), nullable=False),
    Column("about_id", String(16)),
    Column("at", UtcTime, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signs_next", String(43), nullable=False),
    Column("line", Text, nullable=False),
)
"""Signed receipts, each as the line that is exported; `signs_next` is the key of the one after it."""

Index("receipts_by_id", receipts.c.id)
Index("receipts_by_subject", receipts.c.about_id, receipts.c.number)
Index("receipts_by_time", receipts.c.at)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", String(43), primary_key=True),
    Column("x", String(43), nullable=False),
    Column("sealed", LargeBinary),
    Column("since", UtcTime, nullable=False),
    Column("until", UtcTime),
)
"""Keys that sign receipts: `x` is public; the private one is sealed, and gone once the key was replaced."""

optouts = Table(
    "optouts",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("source", String(200), nullable=False),
)

optout_requests = Table(
    "optout_requests",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("sender", String(64), nullable=False),
    Column("wish", String(8), nullable=False),
    Column("words", StorableText),
    Column("source", String(200), nullable=False),
    Column("closed_at", UtcTime),
)
"""Texts that say something about further messages, once each, with those that the operator has yet to read."""

Index("optout_requests_by_sender", optout_requests.c.sender, optout_requests.c.closed_at)

stranger_words = Table(
    "stranger_words",
    metadata,
    Column("principal", String(200), primary_key=True),
    Column("word", String(64), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
)
"""Fingerprints of text from outside that a principal has read: numbers, addresses, links, long phrases."""

Index("stranger_words_by_time", stranger_words.c.at)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("received_at", UtcTime, nullable=False),
    Column("provider", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("campaign", String(128)),
    Column("state", String(32), nullable=False),
    Column("part", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("other_side", String(64)),
    Column("ours", String(64)),
    Column("words", StorableText),
    Column("price", String(40)),
    Column("reason", StorableText),
    Column("counts", Text),
    Column("happened_at", UtcTime),
    Column("details", StorableText),
    Column("raw", StorableText),
    Column("account", String(32), nullable=False, server_default=""),
)
"""Callbacks of providers, once each."""

Index("events_by_subject", events.c.subject)
Index("events_by_campaign", events.c.campaign)
Index("events_by_other_side", events.c.other_side)
Index("events_by_time", events.c.received_at)

tracked = Table(
    "tracked",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("account", String(32), primary_key=True),
    Column("subject", String(128), primary_key=True),
    Column("action_id", String(16), nullable=False),
    Column("seen", Integer),
    Column("whole", Integer),
    Column("spent", String(40)),
    Column("settled_at", UtcTime),
)
"""The action of each message or campaign, and the totals of its delivery reports."""

Index("tracked_by_action", tracked.c.action_id)

archived = Table(
    "archived",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("principal", String(200), nullable=False),
    Column("archive", Integer, nullable=False),
)
"""Actions and plans that were moved into archives, by the number of the archive from 1."""

sealed_secrets = Table(
    "sealed_secrets",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("action_id", String(16), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", UtcTime, nullable=False),
)

limit_uses = Table(
    "limit_uses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, index=True),
    Column("at", Float, nullable=False),
)

cached_answers = Table(
    "cached_answers",
    metadata,
    Column("account", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("is_stale", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Named values that every process shares, such as the hash of the passcode and the freeze switch."""

notices = Table(
    "notices",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("channel", String(32), nullable=False),
    Column("event", String(16), nullable=False),
    Column("about", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("due_at", UtcTime),
    Column("attempts", Integer, nullable=False),
    Column("reason", StorableText),
    Column("closed_at", UtcTime),
    Column("outcome", String(16)),
)
"""What operators are to be told, a row for each channel. `due_at` is None once a row is closed.

A row names what it is about, and its words are made when it is sent: they then say how things stand.
"""

Index("notices_by_due_time", notices.c.channel, notices.c.due_at)
Index("notices_by_event", notices.c.event, notices.c.at)
Index("notices_by_time", notices.c.at)


@cache  # compiling them takes longer than running them, and a process may make many stores, as tests do
def creating_statements(dialect: str) -> tuple[str, ...]:
    """Return the statements that create all tables and indexes in a database of this dialect, such as `sqlite`."""
    written_for = make_url(f"{dialect}://").get_dialect()()
    tables = [CreateTable(table, if_not_exists=True) for table in metadata.sorted_tables]
    indexes = sorted((index for table in metadata.sorted_tables for index in table.indexes), key=_name)
    made: list[ExecutableDDLElement] = [*tables, *(CreateIndex(index, if_not_exists=True) for index in indexes)]
    return tuple(str(each.compile(dialect=written_for)) for each in made)


def _name(index: Index) -> str:
    return str(index.name)
