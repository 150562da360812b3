"""Convirza's answers: the v3 envelope, the OAuth service's bare objects, and the errors of both."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.responses import Response

OAUTH_PREFIX = "/oauth/"


@dataclass(frozen=True)
class Answer:
    """What an operation answers with; the provider puts the envelope of the API host around `data`."""

    data: Mapping[str, object] = field(default_factory=dict[str, object])
    status: int = 200
    bare: bool = False
    """The OAuth service shows no envelope."""
    audio: bytes | None = None
    """A recording instead of JSON."""

    def to_response(self, now: datetime) -> Response:
        """The answer as it goes over the wire; `now` is the sandbox time of the envelope."""
        if self.audio is not None:
            return Response(self.audio, self.status, media_type="audio/wav")
        if self.bare:
            return _json(self.data, self.status)
        envelope = {"code": self.status, "message": "Success", "data": self.data, **_trace(now)}
        return _json(envelope, self.status)


class Refusal(Exception):
    """Raised by an operation to answer with an error."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}

    def to_response(self, now: datetime, path: str = "") -> Response:
        """The error in the shape of the host that `path` belongs to.

        inferred: the Error Handling page is not public. The API host keeps its envelope without `data`; the OAuth
        service, which shows no envelope, carries the `requestId` that the Troubleshooting page promises.
        """
        if path.startswith(OAUTH_PREFIX):
            body: dict[str, object] = {
                "statusCode": self.status,
                "message": self.message,
                "requestId": str(uuid.uuid4()),
            }
        else:
            body = {"code": self.status, "message": self.message, **_trace(now)}
        return _json(body, self.status, self.headers)


def listed(plural: str, items: list[dict[str, object]], total: int) -> Answer:
    """A page of a list: the items under their plural name, and how many there are in all."""
    return Answer({plural: items, "total": total})


def iso_ms(moment: datetime) -> str:
    """An instant as the documents write it: `2026-03-27T10:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(now: datetime) -> dict[str, object]:
    return {"request_id": str(uuid.uuid4()), "timestamp": iso_ms(now)}


def _json(body: Mapping[str, object], status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body).encode(), status, dict(headers or {}), media_type="application/json")
