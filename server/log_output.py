"""Logging: to stderr, redacted, as text or as one line of JSON per record."""

import json
import logging
from datetime import UTC, datetime

from clients.redaction import RedactingFilter


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps(line | ({"trace": record.exc_text} if record.exc_text else {}), ensure_ascii=False)


def configure_logging(log_format: str = "text") -> None:
    """Send logs to stderr, redacted; stdout is the protocol."""
    handler = logging.StreamHandler()
    if log_format == "json":
        handler.setFormatter(JsonLines())
    handler.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
