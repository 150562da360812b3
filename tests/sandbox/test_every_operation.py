"""Whatever the server offers at a provider, the simulated provider answers."""

import re
from datetime import UTC, datetime

import httpx2
import pytest

from sandbox.app import create_sandbox
from tools.registry import all_operations

UNKNOWN = {404, 405}
"""How each provider answers a path or a method that it does not have, with or without credentials."""


def visitor() -> httpx2.AsyncClient:
    """Build a client without credentials."""
    transport = httpx2.ASGITransport(create_sandbox(start=datetime(2026, 5, 18, 12, tzinfo=UTC)))
    return httpx2.AsyncClient(transport=transport, base_url="http://sandbox")


@pytest.mark.parametrize("provider", ["voicetel", "routee", "convirza", "enswitch"])
async def test_every_operation_is_simulated(provider: str) -> None:
    specs = [offered.spec for offered in all_operations().values() if offered.spec.provider.name == provider]
    missing: list[str] = []
    async with visitor() as client:
        for spec in specs:
            path = re.sub(r"\{\w+\}", "1", spec.path)
            answer = await client.request(spec.method, f"/{provider}{path}")
            if answer.status_code in UNKNOWN:
                missing.append(f"{spec.method} {spec.path}")
    assert specs
    assert missing == []


@pytest.mark.parametrize("provider", ["voicetel", "routee", "convirza", "enswitch"])
async def test_an_operation_that_nobody_simulates_would_be_noticed(provider: str) -> None:
    async with visitor() as client:
        answer = await client.get(f"/{provider}/no/such/operation")
    assert answer.status_code in UNKNOWN
