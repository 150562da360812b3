"""The sandbox's own time, so that hourly limits and day-long replays are tested without waiting."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Time as every simulated provider sees it.

    Without `start` it follows the wall clock plus whatever it was advanced by; with `start` it stands still and
    moves only when it is advanced, which makes every answer repeatable.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("the sandbox clock needs a timezone-aware start")
        self._start = start
        self._advanced = timedelta()

    def now(self) -> datetime:
        """Return the current sandbox time, timezone-aware UTC."""
        return (self._start or datetime.now(UTC)) + self._advanced

    def epoch(self) -> int:
        """Return the current sandbox time in whole Unix seconds."""
        return int(self.now().timestamp())

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ValueError: `seconds` is negative; providers rely on time never running backwards.
        """
        if seconds < 0:
            raise ValueError("the sandbox clock only moves forward")
        self._advanced += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Go back to the start."""
        self._advanced = timedelta()


def iso(moment: datetime) -> str:
    """Format an instant as `2026-05-18T12:00:00Z`, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
