"""Routee's answers: bare JSON, the page envelope, and its three error shapes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from sandbox.frame.wire import Answer, Refusal, Wire, encode


def ok(value: object) -> Answer:
    """Answer 200 with a JSON value; no 201, 202 or 204 is documented anywhere."""
    return Answer(200, encode(value))


def empty() -> Answer:
    """Answer 200 without a body, as deletes whose response fields are not documented do (inferred)."""
    return Answer(200)


def refuse(
    code: str,
    message: str,
    *,
    status: int | None = None,
    properties: Mapping[str, str] | None = None,
    errors: Sequence[Wire] = (),
) -> Refusal:
    """Return an error of the API: nine digits, the first three are the HTTP status unless `status` says otherwise.

    `properties` names bad fields (inferred from an old SDK), `errors` lists the invalid recipients of a bulk send.
    """
    body: Wire = {"code": code, "developerMessage": message}
    if properties:
        body["properties"] = dict(properties)
    if errors:
        body["errors"] = list(errors)
    return Refusal(Answer(int(code[:3]) if status is None else status, encode(body)))


def refuse_input(message: str, properties: Mapping[str, str] | None = None) -> Refusal:
    """Return 400000000, the validation error."""
    return refuse("400000000", f"Validation Error. {message}", properties=properties)


def refuse_at_gateway(status: int, message: str, path: str, now: datetime) -> Refusal:
    """Return an error of the layer in front of the API: another shape, no code (seen for 401; others inferred)."""
    error = HTTPStatus(status).phrase
    milliseconds = int(now.timestamp() * 1000)
    body = {"timestamp": milliseconds, "status": status, "error": error, "message": message, "path": path}
    return Refusal(Answer(status, encode(body)))


def refuse_token(error: str, description: str) -> Refusal:
    """Return 400 of the token endpoint, in the shape of the OAuth standard."""
    return Refusal(Answer(400, encode({"error": error, "error_description": description})))


def timestamp(moment: datetime) -> str:
    """Return an instant in ISO 8601, UTC, with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def drop_empty(members: Mapping[str, object]) -> Wire:
    """Leave out the members that are None or empty text, lists and objects."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def page_of(items: Sequence[Wire], number: int, size: int, sort: str = "") -> Answer:
    """Answer one page of a list in the documented envelope.

    Raises:
        Refusal: 400000000 if `sort` names no field of the items (inferred).
    """
    if sort and items:
        if not any(sort in item for item in items):
            raise refuse_input(f"Cannot sort by {sort}.", {"sort": "unknown field"})
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
