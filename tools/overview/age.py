"""Says how old an answer is that was kept because the provider limits how often it may be asked."""

from datetime import UTC, datetime, timedelta


def kept_since(at: datetime, *, now: datetime | None = None) -> str:
    """Return `As of 2026-11-30 14:05 UTC, 12 minutes ago`."""
    return f"As of {at:%Y-%m-%d %H:%M} UTC, {_ago((now or datetime.now(UTC)) - at)}"


def _ago(passed: timedelta) -> str:
    minutes = max(0, round(passed.total_seconds() / 60))
    if minutes < 2:
        return "a moment ago"
    if minutes < 120:
        return f"{minutes} minutes ago"
    hours = round(minutes / 60)
    return f"{hours} hours ago" if hours < 48 else f"{round(hours / 24)} days ago"
