"""Signed links to call recordings: seven days from the fetch, then 410 (documented); their form is inferred."""

import hashlib
import hmac
from datetime import timedelta

from pydantic import Field

from sandbox.convirza.endpoint import Call, Endpoint, parse_query
from sandbox.convirza.fields import Query
from sandbox.convirza.records import CallRecord
from sandbox.convirza.wire import Answer, Refusal

LINK_LIFE = timedelta(days=7)
EXPIRED = "Recording URL has expired. Please re-fetch the call to get a fresh link."
SILENCE = (
    b"RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00@\x1f\x00\x00\x01\x00\x08\x00data\0\0\0\0"
)


class LinkQuery(Query):
    """The signature of a link."""

    expires: int = Field(ge=0)
    signature: str = Field(pattern=r"^[0-9a-f]{64}$")


def recording_details(call: Call, record: CallRecord) -> dict[str, object]:
    """A fresh link to the recording of a call, and the Unix time at which it dies."""
    expires = call.state.clock.epoch() + int(LINK_LIFE.total_seconds())
    signature = _sign(call, record.id, expires)
    url = f"{call.incoming.base_url}recordings/{record.id}?expires={expires}&signature={signature}"
    return {"recording_url": url, "expires_at": expires, "duration": record.seconds}


def play_recording(call: Call) -> Answer:
    """The audio behind a link; needs no token, since the link is the permission."""
    query = parse_query(call, LinkQuery)
    if not hmac.compare_digest(query.signature, _sign(call, call.id, query.expires)):
        raise Refusal(403, "Invalid signature.")
    if call.state.clock.epoch() >= query.expires:
        raise Refusal(410, EXPIRED)
    return Answer(audio=SILENCE)


def _sign(call: Call, call_id: int, expires: int) -> str:
    return hmac.new(call.state.signing_key, f"{call_id}:{expires}".encode(), hashlib.sha256).hexdigest()


ENDPOINTS = (Endpoint("Recording link", "GET", "/recordings/{id}", "inferred", "public", play_recording),)
