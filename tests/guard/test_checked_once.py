"""A call that policy allows is checked once where nothing delays it, and again where the provider was slow."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from server.mcp.server import build_server
from server.services import Services
from tests.clocks import ShiftedClock
from tests.connecting import connect, settings_for
from tests.sandbox_control import sandboxes

ALLOW: Final[dict[str, Any]] = {"policy": {"paid": "allow", "outward": "allow"}}
RECIPIENT: Final = "+12125550199"
MESSAGE: Final = {"from_number": "+12015550142", "to_number": RECIPIENT, "text": "Your table is ready."}


@pytest.mark.parametrize(("seconds", "is_sent"), [(0, True), (2, False)])
async def test_a_stop_that_comes_while_the_provider_is_slow_counts(seconds: int, is_sent: bool, tmp_path: Path) -> None:
    """The number is read after the opt-outs were looked at, and before the call is sent."""
    clock = ShiftedClock()
    services: list[Services] = []

    async def stop_meanwhile(answer: httpx2.Response) -> None:
        if seconds and "/numbers/" in answer.request.url.path:
            clock.ahead += timedelta(seconds=seconds)
            await services[0].store.optouts.add([RECIPIENT], source="a test")

    async with sandboxes() as sandbox, httpx2.AsyncClient(event_hooks={"response": [stop_meanwhile]}) as http:
        own = Services(settings_for(tmp_path, sandbox.voicetel, **ALLOW), given_http=http, clock=clock)
        services.append(own)
        async with connect(build_server(own)) as client:
            told = await client.call_tool("voicetel_send_message", MESSAGE)
        assert told.is_error is not is_sent, told
        assert len(await sandbox.writes()) == (1 if is_sent else 0)
        await own.close()
