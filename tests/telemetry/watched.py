"""A server in a process of its own that is watched: what it sent to a collector, and what it wrote into its log."""

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from sandbox.voicetel.seed import API_KEY
from tests.connecting import Person, content_of
from tests.plans.jobs import customers, propose, run, texts
from tests.sandbox_control import sandboxes
from tests.telemetry.collector import Received, collecting

TEXT: Final = "Your table for two is ready, Ms Papadopoulou"
SENDER: Final = "+12015550142"
RECIPIENT: Final = "+12125550199"
BOUGHT: Final = "+12125550100"
MADE_UP: Final = "planted-tool-of-one-word"
TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
"""A trace of a client, which says that it is not to be recorded."""

COLLECTOR_KEY: Final = "key-of-the-collector-0123456789"
PRIVATE: Final = (
    API_KEY, COLLECTOR_KEY, TEXT, "Papadopoulou", SENDER[2:], RECIPIENT[2:], BOUGHT[2:], "planted", "Harbor2026",
    "clinic is closed", "Customer 1", "Friday",
)  # fmt: skip
"""What is in no span, no measurement and no line of the log."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of a server."""

    received: Received
    log: list[dict[str, Any]]
    written: str
    """The whole log, as it is."""

    order: str
    """Id of the action that ordered a number."""

    plan: str
    declined: str

    def lines(self, about: str) -> list[str]:
        """Return the messages of the log that name an action or a plan."""
        return [str(line["message"]) for line in self.log if about in line["message"]]


def child(folder: Path, provider: str, *arguments: str, **more: str) -> StdioServerParameters:
    """Return how a server is started, with a record in a folder."""
    own = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")},
        "XDG_CONFIG_HOME": str(folder / "config"),
        "RINGFENCE_STATE_FOLDER": str(folder),
        "RINGFENCE_VOICETEL__API_KEY": API_KEY,
        "RINGFENCE_VOICETEL__USERNAME": "2015550100",
        "RINGFENCE_VOICETEL__PASSWORD": "Harbor2026",
        "RINGFENCE_VOICETEL__BASE_URL": provider,
        "RINGFENCE_APPROVALS__PAGE": "off",
        "RINGFENCE_TOOLSETS": "all",
        **more,
    }
    return StdioServerParameters(command=sys.executable, args=["-m", "ringfence", "serve", *arguments], env=own)


async def watch(folder: Path) -> Watched:
    """Take a server through reads, guarded calls, a plan, refusals, a busy provider, and a client that lies."""
    person, log = Person(), folder / "log"
    with collecting() as received:
        async with sandboxes() as sandbox:
            server = child(
                folder / "state",
                sandbox.voicetel,
                RINGFENCE_LOG_LEVEL="debug",
                RINGFENCE_LOG_FORMAT="json",
                RINGFENCE_BUDGET='[{"per": "day", "limit": "25"}]',
                RINGFENCE_TELEMETRY__ENDPOINT=received.url,
                RINGFENCE_TELEMETRY__SERVICE_NAME="telephony",
                RINGFENCE_TELEMETRY__HEADERS__X_API_KEY=COLLECTOR_KEY,
            )
            with log.open("w", encoding="utf-8") as lines:
                async with Client(stdio_client(server, errlog=lines), elicitation_callback=person) as client:
                    await sandbox.break_with("status", status=429, retry_after=0)
                    assert not (await client.call_tool("voicetel_list_numbers", {})).is_error
                    await sandbox.mend()
                    owned: Any = {
                        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-00",
                        "tracestate": "said=planted-state",
                        "baggage": "who=planted-baggage",
                    }
                    ordered = await client.call_tool("voicetel_order_numbers", {"numbers": [BOUGHT]}, meta=owned)
                    assert not ordered.is_error, ordered
                    plan = await propose(client, texts(customers(2)))
                    await run(client, plan["plan"])
                    too_dear = {"numbers": [f"+1212555{place:04d}" for place in range(200, 240)]}
                    assert (await client.call_tool("voicetel_order_numbers", too_dear)).is_error
                    order = {"operation": "voicetel_order_numbers", "arguments": too_dear}
                    await client.call_tool("propose_plan", {"title": "planted title", "steps": [order]})
                    await client.call_tool("voicetel_send_message", {"planted-argument": "planted text"})
                    person.answer = "decline"
                    wanted = {"from_number": SENDER, "to_number": RECIPIENT, "text": TEXT}
                    declined = await client.call_tool("voicetel_send_message", wanted)
                    for name in (MADE_UP, f"call_{RECIPIENT}_and_say {TEXT}"):
                        with pytest.raises(Exception, match="tool"):
                            await client.call_tool(name, {"planted-argument": TEXT})
    written = log.read_text(encoding="utf-8")
    return Watched(
        received,
        [json.loads(line) for line in written.splitlines()],
        written,
        str(content_of(ordered)["action"]),
        str(plan["plan"]),
        re.findall("act_[a-z0-9]{8}", str(declined.content))[0],
    )
