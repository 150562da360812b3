"""What a server sends to a collector and writes into its log, from a process as users start it."""

import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from clients.telemetry.instruments import DECLARED
from sandbox.voicetel.seed import API_KEY
from server.settings.errors import BadSettings
from server.settings.load import read_settings
from tests.fork_server import forking_python
from tests.sandbox_control import sandboxes
from tests.telemetry.collector import collecting, facts_of

TEXT: Final = "Your table for two is ready, Ms Papadopoulou"
SENDER: Final = "+12015550142"
RECIPIENT: Final = "+12125550199"
TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
"""A trace of a client, which says that it is not to be recorded."""

COLLECTOR_KEY: Final = "key-of-the-collector-0123456789"
PRIVATE: Final = (TEXT, "Papadopoulou", SENDER[2:], RECIPIENT[2:], API_KEY, COLLECTOR_KEY)
"""What is in no span, no measurement and no line of the log."""

ALLOWED: Final = {"RINGFENCE_POLICY": '{"paid": "allow", "outward": "allow"}'}


def _child(folder: Path, provider: str, **more: str) -> StdioServerParameters:
    own = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")},
        "RINGFENCE_STATE_FOLDER": str(folder),
        "RINGFENCE_VOICETEL__API_KEY": API_KEY,
        "RINGFENCE_VOICETEL__BASE_URL": provider,
        "RINGFENCE_APPROVALS__PAGE": "off",
        "RINGFENCE_TOOLSETS": "all",
        **ALLOWED,
        **more,
    }
    return StdioServerParameters(command=sys.executable, args=[*forking_python(), "-m", "ringfence", "serve"], env=own)


async def _send_one(child: StdioServerParameters, log: Path) -> str:
    """Send a message through a server, look for another tool, and return the action's id."""
    with log.open("w", encoding="utf-8") as lines:
        async with Client(stdio_client(child, errlog=lines)) as client:
            wanted = {"from_number": SENDER, "to_number": RECIPIENT, "text": TEXT}
            sent = await client.call_tool("voicetel_send_message", wanted)
            assert not sent.is_error, sent
            owned: Any = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00", "tracestate": "said=Papadopoulou"}
            await client.call_tool("voicetel_list_numbers", {}, meta=owned)
            with pytest.raises(Exception, match="tool"):
                await client.call_tool(f"call_{RECIPIENT}_and_say {TEXT}", {})
            ids: set[str] = set(re.findall("act_[a-z0-9]{8}", str(sent.content)))
            return ids.pop()


async def test_a_guarded_call_reaches_the_collector_as_one_trace_without_what_people_wrote(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with collecting() as received:
        async with sandboxes() as sandbox:
            child = _child(
                tmp_path / "state",
                sandbox.voicetel,
                RINGFENCE_TELEMETRY__ENDPOINT=received.url,
                RINGFENCE_TELEMETRY__SERVICE_NAME="telephony",
                RINGFENCE_TELEMETRY__HEADERS__X_API_KEY=COLLECTOR_KEY,
            )
            action_id = await _send_one(child, log)
    call = received.span("tools/call voicetel_send_message")
    assert received.services == {"telephony"}
    assert received.keys == {COLLECTOR_KEY}
    sent = received.span("voicetel_send_message")
    assert facts_of(sent)["ringfence.action.id"] == action_id
    request = next(one for one in received.spans if one.parent_span_id == sent.span_id)
    assert received.parents_of(request) == [sent.name, "guard: execute", call.name]
    assert facts_of(request)["http.response.status_code"] == "201"
    assert "url.full" not in facts_of(request)
    inside = {one.name for one in received.spans if call.name in received.parents_of(one)}
    assert {"guard: propose", "guard: execute", "guard: settle", "store read", "store write"} <= inside
    assert {"ringfence.tool.calls", "ringfence.actions", "ringfence.provider.request.duration"} <= received.metrics
    assert {one for one in received.metrics if one.startswith("ringfence.")} <= set(DECLARED)
    assert received.span("tools/call voicetel_list_numbers").trace_id.hex() == TRACE
    assert "tools/call [not shown]" in {one.name for one in received.spans}
    for private in PRIVATE:
        assert not any(private.encode() in raw for raw in received.raw), private


async def test_the_log_has_one_line_for_each_request_and_neither_numbers_nor_texts_nor_keys(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with sandboxes() as sandbox:
        child = _child(tmp_path / "state", sandbox.voicetel, RINGFENCE_LOG_LEVEL="debug")
        action_id = await _send_one(child, log)
    written = log.read_text(encoding="utf-8")
    [line] = [one for one in written.splitlines() if action_id in one]
    assert "voicetel_send_message on voicetel: HTTP 201, 1 attempt, " in line
    for private in PRIVATE:
        assert private not in written


async def test_a_server_that_is_told_nothing_logs_no_request(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with sandboxes() as sandbox:
        await _send_one(_child(tmp_path / "state", sandbox.voicetel), log)
    assert "HTTP 201" not in log.read_text(encoding="utf-8")


def test_the_document_describes_everything_that_is_measured() -> None:
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")
    described = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `ringfence.")}
    assert described == {f"`{name}`" for name in DECLARED}
    assert all(f"| `{one.name}` | {one.kind} | {one.unit} | {one.meaning} |" in page for one in DECLARED.values())


def test_a_key_of_the_collector_in_the_settings_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(f'[telemetry.headers]\nx-api-key = "{COLLECTOR_KEY}"\n', encoding="utf-8")
    with pytest.raises(BadSettings, match="RINGFENCE_TELEMETRY__HEADERS__NAME=VALUE") as refused:
        read_settings(file)
    assert COLLECTOR_KEY not in str(refused.value)
