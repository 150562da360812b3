"""VoiceTel's envelopes: `{"status":"success","data":…}`, `{"status":"error","error":{…}}` and their exceptions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from starlette.responses import Response


@dataclass(frozen=True)
class Answer:
    """A finished answer; kept whole so that an idempotent replay returns exactly the same."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def to_response(self) -> Response:
        """The answer as Starlette sends it; JSON unless it is empty."""
        media_type = "application/json" if self.body else None
        return Response(self.body, self.status, dict(self.headers), media_type=media_type)


class Refusal(Exception):
    """Raised by an operation to answer with an error.

    `error` adds members beside code and message (recovery 400 adds `requirement`), `beside` adds members beside
    `error` (ACL 409 adds `data`, auth 409 adds `updated` and `errors`).
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error: Mapping[str, object] | None = None,
        beside: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error = error or {}
        self.beside = beside or {}
        self.headers = headers or {}

    def to_answer(self) -> Answer:
        """The error envelope."""
        envelope = {
            "status": "error",
            "error": {"code": self.status, "message": self.message, **self.error},
            **self.beside,
        }
        return Answer(self.status, encode(envelope), self.headers)


def success(data: Mapping[str, object], status: int = 200) -> Answer:
    """The success envelope around `data`."""
    return Answer(status, encode({"status": "success", "data": data}))


def created(data: Mapping[str, object]) -> Answer:
    """The success envelope with 201."""
    return success(data, 201)


def no_content() -> Answer:
    """204 without a body, as most deletes answer."""
    return Answer(204, b"")


def encode(value: object) -> bytes:
    """JSON; money is a JSON number here, as the account and order schemas have it."""
    return json.dumps(value, default=_number).encode()


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
