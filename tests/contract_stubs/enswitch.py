"""Enswitch: the login; whatever else is read is not there."""

from typing import Any

import httpx2

SETTINGS: dict[str, Any] = {
    "username": "bluewater.admin",
    "password": "Harbor-2026-enswitch",
    "base_url": "https://enswitch.test",
}

TOKEN = {"auth_token": "eyJhbGciOiJkaXIifQ.contract.token", "auth_token_expiry": 3600}


def answer(request: httpx2.Request) -> httpx2.Response:
    """Answer any other request. The code in the body counts: HTTP's is always 200."""
    if request.url.path == "/api/json/user/login/":
        return envelope("200", "OK", TOKEN)
    return envelope("404", "Does not exist, or you do not have permission to view it.")


def envelope(code: str, message: str, data: Any = None) -> httpx2.Response:
    """Build an answer from a code and its data."""
    body: dict[str, Any] = {"responses": [{"code": code, "key": "", "message": message}]}
    return httpx2.Response(200, json=body if data is None else {**body, "data": data})
