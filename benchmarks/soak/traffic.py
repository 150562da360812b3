"""The traffic of a soak: clients of several tokens, and the operator on the approval page."""

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from benchmarks.soak.ledgers import NO_ANSWER, Told

READS: Final = (
    "voicetel_list_numbers",
    "routee_get_balance",
    "convirza_list_tags",
    "convirza_list_groups",
    "enswitch_list_numbers",
    "list_actions",
)
TURNS: Final = 8
"""How often a client makes a call again that waits for the operator."""


@dataclass(slots=True)
class Heard:
    """What the clients were told, how long it took, and what went wrong on the way."""

    told: list[Told] = field(default_factory=list[Told])
    plans: list[str] = field(default_factory=list[str])
    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Calls by kind and outcome."""
    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    decided: Counter[str] = field(default_factory=Counter[str])
    """What the operator did."""

    def note(self, kind: str, outcome: str, began: float) -> None:
        """Note one answer."""
        self.counts[kind, outcome] += 1
        self.seconds.setdefault(kind, []).append(time.monotonic() - began)


class Traffic:
    """Makes calls of every kind until the time is up."""

    def __init__(self, url: str, heard: Heard, chance: Random) -> None:
        self._url = url
        self._heard = heard
        self._chance = chance
        self._numbers = count(1)
        self.ends = anyio.Event()

    async def call_as(self, token: str) -> None:
        """Make one call after the other as one client, which connects anew whenever its connection ends."""
        while not self.ends.is_set():
            try:
                headers = {"Authorization": f"Bearer {token}"}
                async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
                    transport = streamable_http_client(f"{self._url}/mcp", http_client=http)
                    async with Client(transport) as client:
                        while not self.ends.is_set():
                            await self._make_one(client)
            except* (MCPError, httpx2.HTTPError, OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                self._heard.counts["connect", "lost"] += 1
                await anyio.sleep(0.3)

    async def _make_one(self, client: Client) -> None:
        draw = self._chance.random()
        if draw < 0.5:
            tool = self._chance.choice(READS)
            await self._tell(client, f"read {tool}", tool, {})
        elif draw < 0.95:
            await self._guarded(client)
        else:
            await self._plan(client)
        await anyio.sleep(self._chance.uniform(0.02, 0.2))

    async def _guarded(self, client: Client) -> None:
        mark = f"soak-{next(self._numbers):06d}-end"
        to = f"+1212555{self._chance.randrange(1000, 9999)}"
        sms = {"sender": "Bluewater", "to": to, "text": mark}
        kind, tool, arguments = self._chance.choice(
            (
                (
                    "allowed text",
                    "voicetel_send_message",
                    {"from_number": "+12015550142", "to_number": to, "text": mark},
                ),
                ("asked text", "routee_send_sms", sms),
                ("text with webhook", "routee_send_sms", sms | {"callback_url": "inbox"}),
                ("text by allowance", "routee_send_sms", sms | {"sender": "Harbor"}),
                ("allowed write", "convirza_create_tag", {"name": mark}),
                ("asked write", "enswitch_create_queue", {"name": mark}),
            )
        )
        outcome, action = await self._tell(client, kind, tool, arguments)
        for _ in range(TURNS):
            if outcome not in {"proposed", "approved"} or self.ends.is_set():
                break
            await anyio.sleep(1)
            outcome, action = await self._tell(client, kind, tool, arguments)
        self._heard.told.append(Told(mark, kind, outcome, action))

    async def _plan(self, client: Client) -> None:
        rows = [{"to": f"+1212555{1000 + place}", "name": f"soak-{next(self._numbers):06d}-end"} for place in range(4)]
        arguments = {"from_number": "+12015550142", "to_number": "{{to}}", "text": "{{name}}"}
        step = {"operation": "voicetel_send_message", "arguments": arguments, "for_each": rows}
        plan = {"title": f"Tell {rows[0]['name']}", "steps": [step], "on_failure": "continue"}
        _, identifier = await self._tell(client, "plan", "propose_plan", plan)
        if identifier:
            self._heard.plans.append(identifier)

    async def _tell(self, client: Client, kind: str, tool: str, arguments: Mapping[str, Any]) -> tuple[str, str | None]:
        """Make a call; return the state or error that the client was told, and the action or plan."""
        began = time.monotonic()
        try:
            with anyio.fail_after(40):
                result = await client.call_tool(tool, dict(arguments))
        except (MCPError, TimeoutError) as lost:
            self._heard.note(kind, f"{NO_ANSWER} ({type(lost).__name__})", began)
            return NO_ANSWER, None
        said: dict[str, Any] = result.structured_content or {}
        outcome = str(said.get("state") or said.get("error") or ("error" if result.is_error else "answered"))
        self._heard.note(kind, outcome, began)
        return outcome, said.get("action") or said.get("plan")


class Operator:
    """Answers what waits on the approval page, as a browser would: most yes, some no, some never."""

    def __init__(self, url: str, passcode: str, heard: Heard, chance: Random) -> None:
        self._url = url
        self._passcode = passcode
        self._heard = heard
        self._chance = chance
        self._ignored: set[str] = set()

    async def answer(self) -> None:
        """Answer until cancelled, and sign in again whenever the page asks for it."""
        async with httpx2.AsyncClient(base_url=self._url, timeout=20) as http:
            while True:
                try:
                    await self._answer_waiting(http)
                except httpx2.HTTPError:
                    self._heard.decided["page not reached"] += 1
                await anyio.sleep(0.5)

    async def _answer_waiting(self, http: httpx2.AsyncClient) -> None:
        page = (await http.get("/approvals")).text
        if 'name="passcode"' in page:
            await self._send(http, "/sign-in", {"passcode": self._passcode})
            return
        waiting: Sequence[str] = sorted(set(re.findall(r"/approvals/((?:act|plan)_[a-z0-9]+)", page)))
        for one in waiting:
            if one in self._ignored:
                continue
            shown = (await http.get(f"/approvals/{one}")).text
            token = re.search(r'name="token" value="([0-9a-f]+)"', shown)
            draw = self._chance.random()
            if draw < 0.1 or token is None:
                self._ignored.add(one)
                self._heard.decided["never answered"] += 1
            elif draw < 0.25:
                await self._send(http, f"/{one}/decline", {"token": token[1]})
                self._heard.decided["declined"] += 1
            else:
                await self._approve(http, one, token[1])

    async def _approve(self, http: httpx2.AsyncClient, one: str, token: str) -> None:
        fields = {"token": token} | ({"run": "server"} if one.startswith("plan") else {})
        answer = await self._send(http, f"/{one}/approve", fields)
        sure = re.search(r'name="sure" value="([^"]+)"', answer.text)
        if sure:
            answer = await self._send(http, f"/{one}/approve", fields | {"sure": sure[1]})
        self._heard.decided["approved" if answer.status_code == 303 else f"answered {answer.status_code}"] += 1

    async def _send(self, http: httpx2.AsyncClient, path: str, fields: Mapping[str, str]) -> httpx2.Response:
        return await http.post(f"/approvals{path}", data=dict(fields), headers={"Origin": self._url})
