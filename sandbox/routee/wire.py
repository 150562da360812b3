"""Routee's answers: bare JSON, the page envelope, and its three error shapes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus

from starlette.responses import Response

Wire = dict[str, object]
"""A JSON object."""


@dataclass(frozen=True)
class Answer:
    """A finished answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"

    def to_response(self) -> Response:
        """The answer as Starlette sends it; without a media type if it is empty."""
        media_type = self.media_type if self.body else None
        return Response(self.body, self.status, dict(self.headers), media_type=media_type)


def ok(value: object) -> Answer:
    """200 with a JSON value; no 201, 202 or 204 is documented anywhere."""
    return Answer(200, encode(value))


def nothing() -> Answer:
    """200 without a body: what deletes answer whose response fields are not documented (inferred)."""
    return Answer(200, b"")


class Refusal(Exception):
    """Raised to answer with an error; `body` is the JSON object to send."""

    def __init__(self, status: int, body: Wire, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}

    def to_answer(self) -> Answer:
        """The error as an answer."""
        return Answer(self.status, encode(self.body), self.headers)


def refused(
    code: str,
    message: str,
    *,
    status: int | None = None,
    properties: Mapping[str, str] | None = None,
    errors: Sequence[Wire] = (),
) -> Refusal:
    """An error of the API: nine digits, of which the first three are the HTTP status unless `status` says otherwise.

    `properties` names bad fields (inferred from an old SDK), `errors` lists the invalid recipients of a bulk send.
    """
    body: Wire = {"code": code, "developerMessage": message}
    if properties:
        body["properties"] = dict(properties)
    if errors:
        body["errors"] = list(errors)
    return Refusal(int(code[:3]) if status is None else status, body)


def invalid(message: str, properties: Mapping[str, str] | None = None) -> Refusal:
    """400000000, the validation error."""
    return refused("400000000", f"Validation Error. {message}", properties=properties)


def refused_by_gateway(status: int, message: str, path: str, now: datetime) -> Refusal:
    """An error of the layer in front of the API: another shape, without a code (seen for 401; others inferred)."""
    return Refusal(
        status,
        {
            "timestamp": int(now.timestamp() * 1000),
            "status": status,
            "error": HTTPStatus(status).phrase,
            "message": message,
            "path": path,
        },
    )


def refused_by_oauth(error: str, description: str) -> Refusal:
    """400 of the token endpoint, in the shape of the OAuth standard."""
    return Refusal(400, {"error": error, "error_description": description})


def timestamp(moment: datetime) -> str:
    """An instant in ISO 8601, UTC, with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def page_of(items: Sequence[Wire], number: int, size: int, sort: str = "") -> Answer:
    """One page of a list in the documented envelope.

    Raises:
        Refusal: 400000000 if `sort` names no field of the items (inferred).
    """
    if sort and items:
        if not any(sort in item for item in items):
            raise invalid(f"Cannot sort by {sort}.", {"sort": "unknown field"})
        items = sorted(items, key=lambda item: str(item.get(sort, "")))
    content = items[number * size : (number + 1) * size]
    pages = -(-len(items) // size)
    return ok(
        {
            "content": content,
            "totalPages": pages,
            "totalElements": len(items),
            "numberOfElements": len(content),
            "number": number,
            "size": size,
            "first": number == 0,
            "last": number >= pages - 1,
        }
    )


def encode(value: object) -> bytes:
    """JSON; a Decimal is a JSON number, so a price that the documents show as text has to be made text before."""
    return json.dumps(value, default=_number, ensure_ascii=False).encode()


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
