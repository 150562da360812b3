"""Convirza: a login that works; whatever is read is not there."""

from typing import Any

import httpx2

SETTINGS: dict[str, Any] = {
    "email": "dana.reyes@bluewater.example",
    "password": "Molar-4417",
    "base_url": "https://convirza.test",
    "oauth_url": "https://oauth.convirza.test",
    "webhook_token": "bluewater-hooks-5d1c",
}

TOKENS = {
    "access_token": "a6f1c0d2e47b4b0f9a7e",
    "refresh_token": "r0b9e3c8d1a24f6f8e55",
    "frontend_token": "5f4dcc3b5aa765d61d8327deb882cf99",
    "token_type": "Bearer",
    "expires_in": "2026-04-03T10:30:00.000Z",
    "refresh_expires_in": "2026-09-23T10:30:00.000Z",
    "user": {"user_id": 84784, "email": "dana.reyes@bluewater.example", "role_id": 1, "org_unit_id": 60001},
}


def answer(request: httpx2.Request) -> httpx2.Response:
    """Answer any other request."""
    if request.url.path == "/oauth/token":
        return httpx2.Response(200, json=TOKENS)
    missing = {"code": 404, "message": "Not found", "request_id": "550e8400-e29b-41d4-a716-446655440000"}
    return httpx2.Response(404, json=missing)
