"""Routee: a token, a balance in euros, an analysis of every message; whatever else is read is not there."""

from typing import Any

import httpx2

SETTINGS: dict[str, Any] = {
    "application_id": "5c93de1be4b0a8ffcf3f1b2e",
    "application_secret": "Qw7LmZt4Rk",
    "base_url": "https://routee.test",
    "auth_url": "https://login.routee.test",
}

TOKEN = {
    "access_token": "12dc9fe4-7df4-4786-8d7a-a46d307687f4",
    "token_type": "bearer",
    "expires_in": 3600,
    "scope": "contact 2step sms report account",
    "permissions": ["MT_ROLE_SMS"],
}
EURO = {"code": "EUR", "name": "Euro", "sign": "€"}
PARTS: dict[str, Any] = {"characters": 5, "parts": 1, "unicode": False, "unsupportedGSMCharacters": []}
AUDIENCE: dict[str, Any] = {"numberOfRecipients": 1, "recipientsPerCountry": {"US": 1}, "bodyAnalysis": PARTS}
PRICES: dict[str, Any] = {
    "currency": EURO,
    "sms": [{"mcc": "310", "country": "United States", "iso": "US", "networks": [{"mnc": "004", "price": 0.0083}]}],
    "voice": [{"country": "United States", "iso": "US", "landlinePrice": "0.01250000", "mobilePrice": "0.01250000"}],
    "lookup": {"perRequest": 0.006},
    "twoStep": {"sms": 0.055, "voice": 0.09},
    "numberValidator": {"withPortedInfo": 0.009, "withoutPortedInfo": 0.003},
    "viber": [{"iso": "US", "prices": {"transactionalOutbound": "0.0120", "promotionalOutbound": "0.0180"}}],
}

ANSWERS: dict[tuple[str, str], Any] = {
    ("POST", "/oauth/token"): TOKEN,
    ("GET", "/accounts/me/balance"): {"balance": 186.42, "currency": EURO},
    ("POST", "/sms/analyze"): {"bodyAnalysis": PARTS, "cost": 0.0083},
    ("POST", "/sms/analyze/campaign"): AUDIENCE,
    ("GET", "/system/prices"): PRICES,
}


def answer(request: httpx2.Request) -> httpx2.Response:
    """Answer any other request."""
    known = ANSWERS.get((request.method, request.url.path))
    if known is not None:
        return httpx2.Response(200, json=known)
    return httpx2.Response(404, json={"code": "404000000", "developerMessage": "Not found"})
