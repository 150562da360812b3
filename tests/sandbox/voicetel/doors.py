"""Ways into a fresh sandbox: a client over ASGI, with the clock standing still."""

from datetime import UTC, datetime

import httpx2

from sandbox.app import create_sandbox

START = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
CONTROL = "http://sandbox/_control"
KEY = "0123456789abcdef0123456789abcdef"
ADMIN_KEY = "fedcba9876543210fedcba9876543210"
OTHER_KEY = "00112233445566778899aabbccddeeff"


def bearer(key: str) -> dict[str, str]:
    """Return the authorization header for a key."""
    return {"authorization": f"Bearer {key}"}


def customer(key: str = KEY) -> httpx2.AsyncClient:
    """Build a client of a fresh sandbox, whose paths are relative to it; no headers if the key is empty."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(create_sandbox(start=START)),
        base_url="http://sandbox/voicetel/v2.2/",
        headers=bearer(key) if key else None,
    )


async def advance(client: httpx2.AsyncClient, seconds: float) -> None:
    """Move the sandbox clock."""
    answer = await client.post(f"{CONTROL}/clock", json={"seconds": seconds})
    assert answer.status_code == 200


async def charges(client: httpx2.AsyncClient) -> list[tuple[str, int, str]]:
    """Return what was charged so far: what, quantity, amount."""
    answer = await client.get(f"{CONTROL}/ledger", params={"provider": "voicetel"})
    return [(row["what"], row["quantity"], row["amount"]) for row in answer.json()]


async def set_cash(client: httpx2.AsyncClient, cash: str, username: str = "2015550100") -> None:
    """Set an account's balance."""
    answer = await client.put(f"{CONTROL}/voicetel/cash/{username}", json={"cash": cash})
    assert answer.status_code == 200


async def cash(client: httpx2.AsyncClient) -> float:
    """Return the account's balance, as its own profile shows it."""
    answer = await client.get("account")
    assert answer.status_code == 200
    return float(answer.json()["data"]["cash"])
