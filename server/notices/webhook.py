"""A channel that takes notices as JSON over HTTP, signed as Standard Webhooks says (version 1, HMAC-SHA256).

The signature covers id, time and body, so a receiver that has the key knows that Ringfence wrote this, and when.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx2

from guard.money import Money
from guard.notices.notice import Notice
from server.notices.not_taken import NotTaken

PATIENCE_SECONDS: Final = 10.0
"""How long a receiver may take."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Implements `server.notices.channel.Transport`."""

    url: str
    key: bytes

    async def send(self, notice: Notice, notice_id: str) -> None:
        """Post a notice. A redirect is no answer: what is signed goes where the settings say, and nowhere else.

        Raises:
            NotTaken: The receiver could not be reached, or did not answer with 2xx.
        """
        body = json.dumps({"id": notice_id, **payload(notice)}, ensure_ascii=False).encode("utf-8")
        headers = {"Content-Type": "application/json", "User-Agent": "Ringfence"}
        headers |= signed_headers(self.key, notice_id, notice.at, body)
        try:
            async with (
                httpx2.AsyncClient(timeout=PATIENCE_SECONDS, follow_redirects=False) as http,
                http.stream("POST", self.url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except httpx2.TimeoutException:
            raise NotTaken("did not answer in time") from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise NotTaken("could not be reached") from None
        if not 200 <= status < 300:
            raise NotTaken(f"answered {status}")


def signed_headers(key: bytes, notice_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver checks who wrote a body, and when."""
    timestamp = str(int(at.timestamp()))
    signature = hmac.digest(key, b".".join([notice_id.encode(), timestamp.encode(), body]), hashlib.sha256)
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode('ascii')}",
    }


def payload(notice: Notice) -> dict[str, Any]:
    """Return a notice as data. Times are ISO 8601 in UTC, amounts decimal numbers as text."""
    return {
        "event": notice.event,
        "at": notice.at.isoformat(timespec="seconds"),
        "title": notice.title,
        "lines": list(notice.lines),
        "ids": list(notice.ids),
        "count": len(notice.ids),
        "amounts": [_amount(money) for money in notice.amounts],
        "is_price_unknown": notice.is_price_unknown,
        "requesters": list(notice.requesters),
        "expires_at": notice.expires_at.isoformat(timespec="seconds") if notice.expires_at else None,
        "link": notice.link,
        "facts": notice.facts,
    }


def _amount(money: Money) -> dict[str, str]:
    return {"amount": f"{money.amount:f}", "currency": money.currency}
