"""`mcp-remote`, through which clients that only start programs reach a remote server: the whole way to a tool."""

import os
import sys
from pathlib import Path
from typing import Any, Final

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from server.services import Services
from server.settings.model import HttpSettings
from server.settings.sections.oauth import OAuthSettings
from tests.connecting import content_of, settings_for
from tests.oidc_provider.running import HERE, IS_INSTALLED, NODE, running_authorization_server
from tests.over_http import serve_over_http
from tests.ports import free_port
from tests.sandbox_control import sandboxes

PROGRAM: Final = HERE / "node_modules" / "mcp-remote" / "dist" / "proxy.js"
ROOT: Final = HERE.parents[1]

pytestmark = [
    pytest.mark.skipif(not (IS_INSTALLED and PROGRAM.is_file()), reason="mcp-remote or the provider is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="the browser is named as Linux has it"),
]


def browser_in(folder: Path) -> Path:
    """Write a browser that signs anna in and consents wherever it is sent."""
    browser = folder / "browser"
    visit = f'cd "{ROOT}" && exec "{sys.executable}" -m tests.oidc_provider.browser anna "$1" >>"{folder}/seen" 2>&1'
    browser.write_text(f"#!/bin/sh\n{visit}\n", encoding="utf-8")
    browser.chmod(0o755)
    return browser


async def test_mcp_remote_signs_its_user_in_and_asks_for_more_when_a_call_takes_it(tmp_path: Path) -> None:
    port, told = free_port(), tmp_path / "remote.txt"
    resource = f"http://127.0.0.1:{port}/mcp"
    with running_authorization_server(resource, widens=True) as issuer:
        http = HttpSettings(oauth=OAuthSettings(issuer=issuer, resource=resource, step_up=True))
        async with sandboxes() as sandbox:
            services = Services(settings_for(tmp_path, sandbox.voicetel, http=http))
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "BROWSER": str(browser_in(tmp_path)),
                "MCP_REMOTE_CONFIG_DIR": str(tmp_path / "remote"),
            }
            arguments = [str(PROGRAM), resource, str(free_port()), "--transport", "http-only"]
            child = StdioServerParameters(command=str(NODE), args=arguments, env=environment)
            with told.open("w", encoding="utf-8") as errors, anyio.fail_after(120):  # whatever it waits for
                async with (
                    serve_over_http(services.settings, services, port=port),
                    Client(stdio_client(child, errlog=errors), mode="legacy") as client,
                ):
                    listed: dict[str, Any] = content_of(await client.call_tool("voicetel_list_numbers", {}))
                    assert listed["numbers"]
                    wanted = {"number": "+12015550142", "destination": "+12125550142"}
                    waiting = content_of(await client.call_tool("voicetel_set_forward", wanted))
                    action = await services.journal.find(waiting["action"])
            await services.close()
    assert action is not None
    assert action.principal == f"oauth:{issuer} anna"
