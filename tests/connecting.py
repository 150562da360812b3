"""A server in memory and clients that talk to it, for tests that go through the public door."""

from pathlib import Path
from typing import Any, Literal

import httpx2
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.server.lowlevel import Server
from mcp.types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult
from pydantic import SecretStr

from server.mcp.server import build_server
from server.mcp.tabular import read_tables
from server.services import Services
from server.settings.model import Settings, settings_class
from tools.voicetel.settings import VoiceTelSettings

KEY = "0123456789abcdef0123456789abcdef"
"""The sandbox's API key."""

Era = Literal["auto", "legacy"]
"""`auto` speaks 2026-07-28, `legacy` 2025-11-25."""


class Person:
    """Whoever sits at the client: remembers the questions and gives one answer to all."""

    def __init__(self, action: Literal["accept", "decline", "cancel"] = "accept", *, approve: bool = True) -> None:
        self.questions: list[str] = []
        self.answer: Literal["accept", "decline", "cancel"] = action
        self._approve = approve

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        if self.answer == "accept":
            asked: list[str] = []
            if isinstance(params, ElicitRequestFormParams):
                asked = params.requested_schema["required"]
            return ElicitResult(action="accept", content=dict.fromkeys(asked, self._approve))
        return ElicitResult(action=self.answer)


def settings_for(folder: Path, voicetel_url: str = "https://voicetel.test", **more: Any) -> Settings:
    """Build the settings of one VoiceTel account, with the store in a folder."""
    account = VoiceTelSettings(
        api_key=SecretStr(KEY), base_url=voicetel_url, username="2015550100", password=SecretStr("Harbor2026")
    )
    return settings_class().model_validate({"voicetel": account, "state_folder": folder, "toolsets": ["all"], **more})


def server_for(settings: Settings, *, http: httpx2.AsyncClient | None = None) -> tuple[Services, Server[None]]:
    """Build the services and the server over them."""
    services = Services(settings, given_http=http)
    return services, build_server(services)


def connect(server: Server[None], *, era: Era = "auto", person: Person | None = None) -> Client:
    """Build a client in memory; without a person it declares that it cannot ask."""
    return Client(server, mode=era, elicitation_callback=person)


def content_of(result: CallToolResult) -> dict[str, Any]:
    """Return the structured content of a result, with every table in it as a list of objects."""
    return read_tables(result.structured_content or {})
