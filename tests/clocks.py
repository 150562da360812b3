"""Clocks that tests set, in place of this machine's."""

from datetime import UTC, datetime, timedelta


class StoppedClock:
    """Stands at one moment until a test sets another."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class ShiftedClock:
    """Runs with this machine's clock, ahead of it by `ahead`, which a test may change."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead
