"""The response to one request, and how long to wait before the request may be repeated."""

import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2

from clients.redaction import redact

BACKOFF_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 8.0
"""A provider that asks for a longer wait is reported instead."""

_DECODER: Final = json.JSONDecoder(parse_float=Decimal)

FAILURE_SIZE_LIMIT = 256 * 1024
WORDS_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Response:
    """A response that was read to its end."""

    status: int
    headers: httpx2.Headers
    text: str

    is_cut_off: bool = False
    """True where the response is longer than what was read of it."""

    @property
    def retry_after(self) -> float | None:
        """Seconds the provider asks to wait; None where it does not ask."""
        return retry_after(self.headers)

    def wait_before_repeating(self, attempt: int) -> float | None:
        """Seconds to wait if this status may clear by itself soon, otherwise None."""
        if self.status not in {429, 502, 503, 504}:
            return None
        asked = self.retry_after
        if asked is None:
            return None if self.status == 429 else backoff(attempt)
        return max(asked, backoff(attempt)) if asked <= LONGEST_WAIT_SECONDS else None


def retry_after(headers: httpx2.Headers) -> float | None:
    """Return the seconds that a response asks to wait, whether it says so in seconds or as a date.

    A date is compared with the provider's own clock where the answer shows it (RFC 9110, 10.2.3).
    """
    asked = headers.get("retry-after", "")
    try:
        seconds = float(asked)
    except ValueError:
        until = _date(asked)
        if until is None:
            return None
        seconds = (until - (_date(headers.get("date", "")) or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _date(text: str) -> datetime | None:
    """Return an HTTP date; None for anything else."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def backoff(attempt: int) -> float:
    """Seconds until the next attempt: doubled each time, with jitter so that callers do not retry together."""
    return BACKOFF_SECONDS * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


async def read_within(response: httpx2.Response, size: int) -> Response:
    """Read the first `size` bytes of a response; of one that is no success, the beginning is enough."""
    size = size if response.is_success else min(size, FAILURE_SIZE_LIMIT)
    chunks: list[bytes] = []
    total = 0
    async for chunk in response.aiter_bytes():
        total += len(chunk)
        chunks.append(chunk)
        if total > size:
            break
    text = b"".join(chunks)[:size].decode(_encoding_of(response), errors="replace")
    return Response(response.status_code, response.headers, text, is_cut_off=total > size)


def _encoding_of(response: httpx2.Response) -> str:
    """Return how the text of a response is encoded; the header is only parsed where it names that."""
    named = "charset" in response.headers.get("content-type", "").lower()
    return (response.encoding if named else None) or "utf-8"


def excerpt(text: str) -> str:
    """Return the beginning of a text without secrets; empty for a page of markup."""
    beginning = text.lstrip()[:WORDS_LIMIT]
    return "" if beginning.startswith("<") else redact(beginning)


def parse_json(text: str) -> Any:
    """Parse JSON, with numbers as Decimal.

    Raises:
        ValueError: It is not JSON, or nested too deep to be read.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError as deep:
        raise ValueError("nested too deep") from deep


def whole_number(value: object) -> int | None:
    """Return a whole number that may be written as text or with decimals, as `"400"` or 400.0; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return int(number) if number.is_finite() and number == number.to_integral_value() else None


def parse_json_or_none(text: str) -> Any:
    """Parse JSON; None if the text is something else."""
    try:
        return parse_json(text)
    except ValueError:
        return None
