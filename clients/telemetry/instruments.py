"""Declares what is measured. The OpenTelemetry API counts nothing unless the server was told where to send it."""

from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry import metrics
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.metrics import _Gauge as Gauge  # the API has no other name for it

from clients.telemetry.spans import (
    ACCOUNT,
    CALLBACK,
    CAP,
    CHANNEL,
    CURRENCY,
    ERROR,
    EVENT,
    OPERATION,
    OUTCOME,
    PREFIX,
    PROVIDER,
    REFUSAL,
    SCOPE,
    STATE,
    TOOL,
)

Kind = Literal["counter", "gauge", "histogram"]

STATUS: Final = "http.response.status_code"

SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Bounds of the buckets of what takes no longer than a request may."""

MINUTES: Final = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 4 * 3600.0, 24 * 3600.0)
"""Bounds of the buckets of what people take their time for, in seconds."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One row of the documentation: what is measured, in which unit, and by which attributes it is told apart."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    attributes: tuple[str, ...]


DECLARED: Final[dict[str, Declared]] = {}
"""Everything that is measured, by name."""

_meter: Final = metrics.get_meter(SCOPE)


def counter(name: str, unit: str, meaning: str, *attributes: str) -> Counter:
    """Declare a sum that only grows."""
    return _meter.create_counter(_declare(name, "counter", unit, meaning, attributes), unit, meaning)


def gauge(name: str, unit: str, meaning: str, *attributes: str) -> Gauge:
    """Declare a value as it stands at the moment."""
    return _meter.create_gauge(_declare(name, "gauge", unit, meaning, attributes), unit, meaning)


def histogram(name: str, unit: str, meaning: str, *attributes: str, bounds: tuple[float, ...] = SECONDS) -> Histogram:
    """Declare values whose distribution matters."""
    full = _declare(name, "histogram", unit, meaning, attributes)
    return _meter.create_histogram(full, unit, meaning, explicit_bucket_boundaries_advisory=bounds)


def _declare(name: str, kind: Kind, unit: str, meaning: str, attributes: tuple[str, ...]) -> str:
    full = PREFIX + name
    DECLARED[full] = Declared(full, kind, unit, meaning, attributes)
    return full


TOOL_CALLS: Final = counter("tool.calls", "{call}", "Calls of tools, by what came of them.", TOOL, OUTCOME, ERROR)
AUDIT_ROWS: Final = counter("audit.rows", "{row}", "Rows added to the audit log, by their event.", EVENT)
ACTIONS: Final = counter(
    "actions", "{action}",
    "Guarded calls, by each state that they reached: proposed, approved, sending, done, and the others.",
    PROVIDER, ACCOUNT, OPERATION, STATE,
)  # fmt: skip
PLANS: Final = counter("plans", "{plan}", "Plans, by each state that they reached.", STATE)
REFUSALS: Final = counter(
    "refusals", "{call}", "Calls that the guard refused, by the class of the refusal.", OPERATION, REFUSAL
)
APPROVAL_SECONDS: Final = histogram(
    "approval.duration", "s",
    "Time from a proposal to a yes that was neither policy's nor an allowance's; of a plan, it has no attributes.",
    PROVIDER, ACCOUNT, OPERATION,
    bounds=MINUTES,
)  # fmt: skip
WAITING: Final = gauge("actions.waiting", "{action}", "Guarded calls that wait for a yes.")
PLANS_WAITING: Final = gauge("plans.waiting", "{plan}", "Plans that wait for a yes.")
OPEN_OUTCOMES: Final = gauge("actions.unknown", "{action}", "Guarded calls whose outcome nobody knows yet.")
FROZEN: Final = gauge("frozen", "1", "1 while the operator stops every guarded call, otherwise 0.")
SPENT: Final = gauge(
    "money.spent", "{currency}", "Spent on this day (UTC), with what is set aside.", PROVIDER, ACCOUNT, CURRENCY
)
SET_ASIDE: Final = gauge(
    "money.set_aside", "{currency}", "Set aside for calls whose outcome is open.", PROVIDER, ACCOUNT, CURRENCY
)
ROOM: Final = gauge(
    "cap.room", "{currency}", "What a cap still has room for; those per action count nothing.", CAP, CURRENCY
)
NOTICES_WAITING: Final = gauge("notices.waiting", "{notice}", "Notices that wait to be delivered.", CHANNEL)
NOTICES: Final = counter(
    "notices", "{attempt}", "Attempts to deliver a notice, by what came of them.", CHANNEL, OUTCOME
)
CALLBACKS: Final = counter(
    "callbacks", "{callback}", "Posts of providers to the webhooks, by what came of them.",
    ACCOUNT, CALLBACK, OUTCOME,
)  # fmt: skip
REQUEST_SECONDS: Final = histogram(
    "provider.request.duration",
    "s",
    "Time until a provider answered a call, all its attempts and the waits between them included.",
    PROVIDER, ACCOUNT, OPERATION, STATUS, ERROR,
)  # fmt: skip
RETRIES: Final = counter(
    "provider.retries", "{request}", "Requests that were sent again.", PROVIDER, ACCOUNT, OPERATION
)
THROTTLED: Final = counter(
    "provider.throttled", "{response}", "Answers of providers that say: too many requests (429).",
    PROVIDER, ACCOUNT, OPERATION,
)  # fmt: skip
LOGINS: Final = counter(
    "provider.logins", "{request}", "Requests that begin, renew or end a login at a provider.", PROVIDER, OUTCOME
)
