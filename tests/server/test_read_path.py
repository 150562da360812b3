"""A read call does what it has to do for itself, and nothing that an earlier call or the start has done."""

import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import httpx2
import pytest

from tests.connecting import Era, connect, content_of, server_for, settings_for

ROOT: Final = Path(__file__).resolve().parents[2]
OURS: Final = ("clients/", "guard/", "server/", "tools/")

SEARCH: Final = "voicetel_search_inventory"
WANTED: Final = {"tn_mask": "201", "quantity": 2}

DONE_BEFORE: Final = ("server/store/", "server/settings/", "server/mcp/listing/cache", "guard/rules/")
"""Where only the start and the first call have something to do."""

LOOKED_UP: Final = {"server/settings/model.account"}


@contextmanager
def _counting_calls() -> Generator[Counter[str]]:
    """Count the calls of our own functions, by file and name."""
    found: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            file = Path(frame.f_code.co_filename).relative_to(ROOT).with_suffix("").as_posix()
            if file.startswith(OURS):
                found[f"{file}.{frame.f_code.co_name}"] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)


def _answer(_: httpx2.Request) -> httpx2.Response:
    rows = [{"number": f"201555{n:04}", "rateCenter": "JERSEY CITY"} for n in range(2)]
    return httpx2.Response(200, json={"status": "success", "data": {"numbers": rows, "total": 2}})


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_read_looks_into_no_list_no_store_no_policy_and_no_settings(tmp_path: Path, era: Era) -> None:
    provider = httpx2.AsyncClient(transport=httpx2.MockTransport(_answer))
    services, server = server_for(settings_for(tmp_path), http=provider)
    async with provider, connect(server, era=era) as client:
        first = await client.call_tool(SEARCH, WANTED)
        with _counting_calls() as calls:
            again = await client.call_tool(SEARCH, WANTED)
        assert content_of(again) == content_of(first)
        assert [row["number"] for row in content_of(again)["numbers"]] == ["+12015550000", "+12015550001"]
        assert not services.door.is_open  # so there was no transaction either
    assert {name for name in calls if name.startswith(DONE_BEFORE)} <= LOOKED_UP
    assert calls["tools/registry.operations_in"] == 0
    assert calls["clients/wire/request.build_request"] == 1
    assert calls["clients/operation.to_wire"] == 1
    assert calls["clients/wire/response.parse_json"] == 1
