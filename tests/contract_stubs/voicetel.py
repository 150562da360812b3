"""VoiceTel: the account with its rates; whatever else is read is not there."""

from typing import Any

import httpx2

SETTINGS: dict[str, Any] = {
    "api_key": "0123456789abcdef0123456789abcdef",
    "username": "2015550100",
    "password": "Harbor2026",
    "base_url": "https://voicetel.test",
}

ACCOUNT = {"cash": 250.0, "rates": {"did": 1.0, "sms": 0.01, "mms": 0.025, "cnam": 0.0075, "lrn": 0.008}}


def answer(request: httpx2.Request) -> httpx2.Response:
    """Answer any other request."""
    if request.url.path == "/v2.2/account":
        return httpx2.Response(200, json={"status": "success", "data": ACCOUNT})
    return httpx2.Response(404, json={"status": "error", "error": {"code": 404, "message": "Not found"}})
