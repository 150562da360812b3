"""Logs: to stderr, past the redactor, as text or as a line of JSON a record."""

import json
import logging
from datetime import UTC, datetime

from clients.redaction import RedactingFilter


class JsonLines(logging.Formatter):
    """A line of JSON a record, for machines that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps(line | ({"trace": record.exc_text} if record.exc_text else {}), ensure_ascii=False)


def configure_logging(log_format: str = "text") -> None:
    """Send logs to stderr, past the redactor; stdout is the protocol."""
    handler = logging.StreamHandler()
    if log_format == "json":
        handler.setFormatter(JsonLines())
    handler.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
