"""Convirza's answers: the v3 envelope, the OAuth service's bare objects, and the errors of both."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.frame import wire
from sandbox.frame.wire import Wire, encode

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

    def finish(self, now: datetime) -> wire.Answer:
        """Return the answer as it is sent; `now` is the sandbox time of the envelope."""
        if self.audio is not None:
            return wire.Answer(self.status, self.audio, media_type="audio/wav")
        if self.bare:
            return wire.Answer(self.status, encode(self.data))
        envelope = {"code": self.status, "message": "Success", "data": self.data, **_trace(now)}
        return wire.Answer(self.status, encode(envelope))


class Refusal(Exception):
    """Raised by an operation to answer with an error."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}

    def finish(self, now: datetime, path: str = "") -> wire.Answer:
        """Return the error in the shape of the host that `path` belongs to.

        inferred: the Error Handling page is not public. The API host keeps its envelope without `data`; the OAuth
        service, which shows no envelope, carries the `requestId` that the Troubleshooting page promises.
        """
        if path.startswith(OAUTH_PREFIX):
            body: Wire = {"statusCode": self.status, "message": self.message, "requestId": str(uuid.uuid4())}
        else:
            body = {"code": self.status, "message": self.message, **_trace(now)}
        return wire.Answer(self.status, encode(body), self.headers)


def iso_ms(moment: datetime) -> str:
    """Return an instant as the documents write it: `2026-03-27T10:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(now: datetime) -> Wire:
    return {"request_id": str(uuid.uuid4()), "timestamp": iso_ms(now)}
