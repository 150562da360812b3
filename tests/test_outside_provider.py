"""A provider of another package is found, listed, guarded, priced and checked without a change to Ringfence.

The package in `outside_provider/` is built and installed, beside a wheel of ours, into an environment of its own that
borrows everything else from this one.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import uvicorn
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.serving import LoopbackServer
from tests.connecting import Person, content_of
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
KEY = "pager-key-7f3a"
PAGE = {"pager_id": "p-1", "text": "Call the office."}


class PagerService:
    """The pager service: two pagers, pages at 4 cents each, and what it was asked."""

    def __init__(self) -> None:
        self.pagers = ["p-1", "p-2"]
        self.pages: list[dict[str, Any]] = []

    def app(self) -> Starlette:
        """Build the service as an application."""
        return Starlette(
            routes=[
                Route("/v1/pagers", self._list),
                Route("/v1/rates", self._rates),
                Route("/v1/pages", self._send, methods=["POST"]),
                Route("/v1/pagers/{id}", self._release, methods=["DELETE"]),
            ]
        )

    async def _list(self, request: Request) -> Response:
        if request.headers.get("x-pager-key") != KEY:
            return JSONResponse({"error": "wrong key"}, status_code=401)
        return JSONResponse({"pagers": [{"id": one} for one in self.pagers]})

    async def _rates(self, _request: Request) -> Response:
        return JSONResponse({"page": 0.04})

    async def _send(self, request: Request) -> Response:
        self.pages.append(await request.json())
        return JSONResponse({"id": f"page-{len(self.pages)}"}, status_code=201)

    async def _release(self, request: Request) -> Response:
        self.pagers.remove(request.path_params["id"])
        return Response(status_code=204)


@asynccontextmanager
async def serve(service: PagerService) -> AsyncGenerator[str]:
    """Serve the service on loopback as long as the block runs; yield its address."""
    port = free_port()
    server = LoopbackServer(uvicorn.Config(service.app(), port=port, log_config=None, access_log=False))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve)
        await server.listening.wait()
        yield f"http://127.0.0.1:{port}"
        server.stopping.set()


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the outside provider in an environment of its own; returns the `ringfence` command there."""
    folder = tmp_path_factory.mktemp("outside")
    for project in (ROOT, ROOT / "tests" / "outside_provider"):
        _run("uv", "build", "--wheel", "--out-dir", str(folder / "dist"), str(project))
    _run("uv", "venv", str(folder / "venv"))
    packages = next((folder / "venv").rglob("site-packages"))
    # Everything but the two wheels comes from the environment that runs the tests: nothing is fetched.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    wheels = [str(wheel) for wheel in (folder / "dist").glob("*.whl")]
    python = folder / "venv" / "bin" / "python"
    _run("uv", "pip", "install", "--offline", "--no-deps", "--python", str(python), *wheels)
    return python.with_name("ringfence")


def test_its_tools_are_listed_with_their_effects(command: Path, tmp_path: Path) -> None:
    listed = _ringfence(command, tmp_path, "tools", "--toolsets", "pager")
    assert listed.returncode == 0, listed.stderr
    assert {line.split()[0]: line.split()[2] for line in listed.stdout.splitlines() if line.startswith("pager_")} == {
        "pager_list_pagers": "read",
        "pager_get_rates": "read",
        "pager_release_pager": "destructive",
        "pager_send_page": "paid",
    }


def test_a_misspelled_setting_of_it_is_refused_and_the_nearest_named(command: Path, tmp_path: Path) -> None:
    checked = _ringfence(command, tmp_path, "policy", "check", RINGFENCE_PAGER__API_KAY="x")
    assert checked.returncode == 2
    assert "did you mean RINGFENCE_PAGER__API_KEY?" in checked.stderr


async def test_it_is_priced_and_asked_about_and_sent_once(command: Path, tmp_path: Path) -> None:
    service = PagerService()
    async with serve(service) as url, _connect(command, tmp_path, url, approve=True) as (client, questions):
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert "pager_send_page" in names  # of the default selection
        read = await client.call_tool("call_read_operation", {"operation": "pager_list_pagers"})
        listed: dict[str, Any] = content_of(read)
        assert [row["id"] for row in listed["pagers"]] == ["p-1", "p-2"]
        sent = await client.call_tool("pager_send_page", PAGE)
        assert not sent.is_error, sent.content
    assert "$0.04" in questions[0] or "0.04 USD" in questions[0]
    assert service.pages == [{"pagerId": "p-1", "text": PAGE["text"]}]


async def test_without_a_yes_nothing_of_it_is_sent(command: Path, tmp_path: Path) -> None:
    service = PagerService()
    async with serve(service) as url, _connect(command, tmp_path, url, approve=False) as (client, _):
        refused = await client.call_tool("pager_send_page", PAGE)
        assert (refused.structured_content or {})["error"] == "Declined"
        final = await client.call_tool(
            "call_write_operation", {"operation": "pager_release_pager", "arguments": {"pager_id": "p-1"}}
        )
        assert "NOT SENT" in getattr(final.content[0], "text", "")  # irreversible: only the operator approves it
    assert service.pages == []
    assert service.pagers == ["p-1", "p-2"]


async def test_doctor_checks_its_login(command: Path, tmp_path: Path) -> None:
    async with serve(PagerService()) as url:
        account = {"RINGFENCE_PAGER__BASE_URL": url}
        for key, state in ((KEY, "ok"), ("another", "fail")):
            check = partial(_ringfence, command, tmp_path, "doctor", RINGFENCE_PAGER__API_KEY=key, **account)
            report = await anyio.to_thread.run_sync(check)
            line = next(line for line in report.stdout.splitlines() if "Pager Service" in line)
            assert line.startswith(state), report.stdout


def test_a_provider_that_cannot_be_used_is_named_with_its_package(tmp_path: Path) -> None:
    for name, content in {
        "METADATA": "Metadata-Version: 2.1\nName: acme-telephony\nVersion: 1.0\n",
        "entry_points.txt": "[ringfence.providers]\nacme = acme_telephony:PROVIDER\n",
    }.items():
        file = tmp_path / "acme_telephony-1.0.dist-info" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    started = subprocess.run(
        [sys.executable, "-m", "ringfence", "doctor"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert started.returncode == 2
    assert started.stderr == (
        "The provider acme (acme_telephony:PROVIDER), registered by acme-telephony, cannot be loaded: "
        "No module named 'acme_telephony'. Nothing was started. Update that package or uninstall it.\n"
    )


@asynccontextmanager
async def _connect(command: Path, folder: Path, url: str, *, approve: bool) -> AsyncGenerator[tuple[Client, list[str]]]:
    person = Person(approve=approve)
    child = StdioServerParameters(
        command=str(command),
        args=["serve"],
        env=_environment(folder) | {"RINGFENCE_PAGER__API_KEY": KEY, "RINGFENCE_PAGER__BASE_URL": url},
    )
    async with Client(child, elicitation_callback=person) as client:
        yield client, person.questions


def _ringfence(command: Path, folder: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command
        [str(command), *words],
        env=_environment(folder) | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _environment(folder: Path) -> dict[str, str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
    return outside | {"RINGFENCE_STATE_FOLDER": str(folder / "state"), "RINGFENCE_APPROVALS__PAGE": "off"}


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own commands
