"""Logging: to stderr, redacted, as text or as one line of JSON per record."""

import json
import logging
from datetime import UTC, datetime
from typing import Final, Literal

from clients.redaction import RedactingFilter

LogLevel = Literal["debug", "info", "warning", "error"]

OURS: Final = ("clients", "guard", "prompts", "server", "tools")
"""Loggers that the setting is for. Libraries stay at WARNING: below that they log whole requests, headers and rows."""


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "at": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in getattr(record, "fields", {}).items() if value is not None},
        }
        return json.dumps(line | ({"trace": record.exc_text} if record.exc_text else {}), ensure_ascii=False)


class TextLines(logging.Formatter):
    """Formats a record as a line for people; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        line = f"{_time_of(record)} {record.levelname} {record.name}: {record.getMessage()}"
        return f"{line}\n{record.exc_text}" if record.exc_text else line


def configure_logging(log_format: str = "text", level: LogLevel = "warning") -> None:
    """Send logs to stderr, redacted; stdout is the protocol."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    handler.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
