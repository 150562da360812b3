"""Signed links to call recordings: seven days from the fetch, then 410 (documented); their form is inferred."""

import hashlib
import hmac
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.records import CallRecord
from sandbox.convirza.wire import Answer, Refusal
from sandbox.frame.wire import Wire

LINK_LIFE = timedelta(days=7)
LINK_PREFIX = "/recordings/"
EXPIRED = "Recording URL has expired. Please re-fetch the call to get a fresh link."
SILENCE = (
    b"RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00@\x1f\x00\x00\x01\x00\x08\x00data\0\0\0\0"
)


def recording_details(call: Call, record: CallRecord) -> Wire:
    """Return a fresh link to the recording of a call, and the Unix time at which it dies."""
    expires = call.state.clock.epoch() + int(LINK_LIFE.total_seconds())
    signature = _sign(call, record.id, expires)
    url = f"{call.request.base_url}recordings/{record.id}?expires={expires}&signature={signature}"
    return {"recording_url": url, "expires_at": expires, "duration": record.seconds}


@operation("Recording link", "GET", "/recordings/{id}", "public")
def play_recording(
    call: Call,
    *,
    expires: Annotated[int, Field(ge=0)],
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")],
) -> Answer:
    """Answer the audio behind a link; needs no token, since the link is the permission."""
    if not hmac.compare_digest(signature, _sign(call, call.id, expires)):
        raise Refusal(403, "Invalid signature.")
    if call.state.clock.epoch() >= expires:
        raise Refusal(410, EXPIRED)
    return Answer(audio=SILENCE)


def _sign(call: Call, call_id: int, expires: int) -> str:
    return hmac.new(call.state.signing_key, f"{call_id}:{expires}".encode(), hashlib.sha256).hexdigest()
