"""When a plan runs and when its undo does: how the times are read, shown, and missed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from guard.plans.faults import BadPlan, Fault
from guard.plans.plan import Plan, PlanState
from guard.rules.time_zones import load_zone

LATE: Final = timedelta(hours=1)
"""How long after it is due a plan still begins. What nobody was there to run then does not run hours later, when
nobody expects it any more."""

MOST_AHEAD: Final = timedelta(days=31)
"""How far ahead a plan may be set, unless the operator says otherwise."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of a plan, aware; None where none was asked for."""

    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Timetable:
    """Reads the times of proposed plans, and words them in the operator's zone."""

    most_ahead: timedelta = MOST_AHEAD
    zone: str | None = None
    """IANA name of the operator's zone; None for UTC."""

    def read(self, at: str | None, until: str | None, now: datetime) -> Schedule:
        """Read when a plan is to run, and when its undo is.

        Raises:
            BadPlan: One of them is no time with an offset, lies in the past or too far ahead, or they are in the wrong
                order. Nothing is stored.
        """
        faults: list[Fault] = []
        schedule = Schedule(self._read("at", at, now, faults), self._read("until", until, now, faults))
        if schedule.until is not None and schedule.at is not None and schedule.until <= schedule.at:
            faults.append(Fault("", f"until ({until}) is not after at ({at}): the undo runs after the plan."))
        if faults:
            raise BadPlan(faults)
        return schedule

    def _read(self, name: str, given: str | None, now: datetime, faults: list[Fault]) -> datetime | None:
        if given is None:
            return None
        try:
            moment = datetime.fromisoformat(given.strip())
        except ValueError:
            example = (now + timedelta(days=1)).astimezone(self._zone).isoformat(timespec="minutes")
            faults.append(Fault("", f"{name}: {given[:50]!r} is no ISO 8601 time; write it like {example}."))
            return None
        if moment.tzinfo is None:
            meant = moment.replace(tzinfo=self._zone).isoformat()
            where = self.zone or "UTC"
            faults.append(Fault("", f"{name}: {given} has no offset; write {meant} if that is meant in {where}."))
            return None
        if moment <= now:
            faults.append(Fault("", f"{name}: {given} is in the past; now it is {moment_in_words(now, self.zone)}."))
        elif moment > now + self.most_ahead:
            days = self.most_ahead / timedelta(days=1)
            faults.append(Fault("", f"{name}: {given} is more than {days:g} days ahead, the most that is allowed."))
        return moment

    @property
    def _zone(self) -> tzinfo:
        return (load_zone(self.zone) if self.zone else None) or UTC


def moment_in_words(moment: datetime, zone: str | None) -> str:
    """Word a moment with its weekday, in the operator's zone and in UTC."""
    found = load_zone(zone) if zone else None
    in_utc = moment.astimezone(UTC)
    if found is None:
        return f"{in_utc:%A} {in_utc.day} {in_utc:%B %Y, %H:%M} UTC"
    local = moment.astimezone(found)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} in {zone} ({in_utc:%H:%M} UTC)"


def was_missed(plan: Plan, now: datetime) -> bool:
    """Return True for a plan that the server was to begin with, and nobody did in time."""
    return plan.state is PlanState.APPROVED and plan.due_at is not None and now >= plan.due_at + LATE


def missed_outcome(plan: Plan) -> str:
    """Say that nobody began with a plan in time."""
    due = moment_in_words(plan.due_at, plan.zone) if plan.due_at else ""
    return f"It was due on {due}, and no worker ran within {LATE / timedelta(minutes=1):g} minutes; nothing was sent."
