"""Makes the pictures of the documentation from the program itself: `uv run python -m tests.pictures`.

A guarded call and `ringfence init` as a terminal shows them, and the console in Chromium. Everything runs against the
simulated providers. Run it when a question, a page or the demo changed, and look at what it made.

It also takes every page of the console at the desk and on a phone, by day and by night, into a folder beside the
project's, or the one that is named: `uv run python -m tests.pictures --every-page FOLDER` takes these alone.
"""

import io
import os
import re
import sys
import tempfile
from argparse import ArgumentParser
from contextlib import chdir, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import anyio
from playwright.async_api import Page
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from benchmarks.console import fill_history
from guard.money import Money
from guard.rules.budget import Cap
from guard.rules.rules import Rules
from sandbox.serving import serve_sandbox
from server.console.pages import PageOptions
from server.console.passcode import set_passcode
from server.console.urls import ROOT as ROOT_OF_PAGES
from server.demo.session import SaidNo
from server.demo.voicetel import VoiceTelDemo, settings
from server.http.loopback import bind, serve_page
from server.settings.sandbox_settings import for_sandbox
from server.store.store import open_store
from tests.connecting import connect, server_for, settings_for
from tests.plans.jobs import customers, texts
from tests.server.console.chromium import DESK, PHONE, tab
from tests.server.console.full_record import FullRecord, served_full_record
from tests.server.console.test_every_page import paths_of, sign_in

DOCUMENTED: Final = {"waiting", "deliveries", "health", "rules"}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURES: Final = ROOT / "docs" / "pictures"
PASSCODE: Final = "harbor lights 26"
COLUMNS: Final = 100
RECORDED: Final = 3_000
"""Calls of the record that the history and the money are shown of."""

CAPS: Final = (
    Cap("day", Money(Decimal(5))),
    Cap("month", Money(Decimal(40))),
    Cap("month", Money(Decimal(5), "EUR"), "routee"),
)
FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""rich names a host for its font; every system has one of equal width."""


class FirstOrder(VoiceTelDemo):
    """The first question of the demo alone."""

    async def run(self) -> None:
        """Search and order."""
        async with self.session() as client:
            numbers = await self._search(client)
            with suppress(SaidNo):
                await self._order(client, numbers)


async def main(every_page: Path | None) -> None:
    """Make every picture; where a folder for pictures of every page is named, these alone."""
    pictures = every_page or Path(tempfile.gettempdir()) / "ringfence-pages"
    with tempfile.TemporaryDirectory() as folder:
        await _photograph_console(Path(folder), pictures)
        if every_page is not None:
            return
        async with serve_sandbox() as url:
            await _draw_guarded_call(Path(folder) / "call", url)
        await _draw_init(Path(folder) / "init")
        async with serve_sandbox() as url:
            await _photograph_pages(Path(folder) / "pages", url)
        await _photograph_reports(Path(folder) / "reports")


async def _draw_guarded_call(folder: Path, url: str) -> None:
    await anyio.Path(folder).mkdir()
    console = _console()
    await FirstOrder(folder, console, url, settings=settings(url), answers_itself=True).run()
    _save(console, "guarded-call", "A guarded call")


async def _draw_init(folder: Path) -> None:
    """Show what `ringfence init` prints where nobody sits at a terminal, with a home folder as people have one."""
    await anyio.Path(folder).mkdir()
    words = ["init", "--sandbox", "--passcode", "--client", "cursor", "--write"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("RINGFENCE_", "XDG_"))}
    done = await anyio.run_process(
        [sys.executable, str(ROOT / "ringfence.py"), *words],
        input=f"{PASSCODE}\n".encode(),
        env=ours | {"HOME": str(folder), "COLUMNS": str(COLUMNS)},
    )
    console = _console()
    printed = done.stdout.decode("utf-8").replace(str(folder), "~").replace(sys.executable, "ringfence")
    printed = printed.replace(f'"{ROOT / "ringfence.py"}", ', "")
    console.print(Text.assemble("$ ", (f"ringfence {' '.join(words)}", "bold")))
    for line in printed.replace(str(ROOT), "…").splitlines():
        console.print(Text(_shorten(line)))
    _save(console, "init", "ringfence init")


def _shorten(line: str) -> str:
    return line[:COLUMNS] if not line.startswith("─") else f"{'─' * 45} {line.strip('─ ')} {'─' * 45}"[:COLUMNS]


async def _photograph_pages(folder: Path, url: str) -> None:
    base = settings_for(folder, toolsets=["all"])
    store = open_store(base.store_address, base.state_folder)
    await set_passcode(store, PASSCODE, old=None)
    services, server = server_for(for_sandbox(base, url).model_copy(update={"state_folder": folder}))
    try:
        async with connect(server) as client:
            order = {"numbers": ["+14155550100", "+14155550101"]}
            calls: list[tuple[str, dict[str, Any]]] = [
                ("voicetel_order_numbers", order),
                ("voicetel_release_number", {"number": "+12015550142"}),
                ("propose_plan", texts(customers(12))),
            ]
            ids = [dict((await client.call_tool(name, given)).structured_content or {}) for name, given in calls]
        options = PageOptions()
        async with (
            serve_page(store, bind(0), store_address="pictures", options=options) as address,
            tab(address, viewport={"width": 900, "height": 1000}) as page,
        ):
            await _sign_in(page)
            await _photograph(page, "/approvals", "approvals-list")
            await _photograph(page, f"/approvals/{ids[0]['action']}", "approvals-order")
            await _photograph(page, f"/approvals/{ids[1]['action']}", "approvals-irreversible")
            await _photograph(page, f"/approvals/{ids[2]['plan']}", "approvals-plan", is_whole=False)
    finally:
        await services.close()
        await store.database.close()


async def _photograph_reports(folder: Path) -> None:
    """Show the history and the money over a record of some months."""
    base = settings_for(folder)
    store = open_store(base.store_address, base.state_folder)
    await set_passcode(store, PASSCODE, old=None)
    await fill_history(store, RECORDED)
    options = PageOptions(rules=Rules(caps=CAPS))
    try:
        async with (
            serve_page(store, bind(0), store_address="pictures", options=options) as address,
            tab(address, viewport={"width": 900, "height": 1000}) as page,
        ):
            await _sign_in(page)
            await _photograph(page, "/approvals/history", "history", is_whole=False)
            await _photograph(page, "/approvals/money", "money", is_whole=False)
    finally:
        await store.database.close()


async def _photograph_console(folder: Path, pictures: Path) -> None:
    """Take every page of the console, and those of the documentation among them."""
    await anyio.Path(pictures).mkdir(parents=True, exist_ok=True)
    with chdir(folder):  # the settings file is shown by its name
        async with served_full_record(folder) as record, tab(record.base) as page:
            await _photograph_every_page(record, page, pictures)
    sys.stdout.write(f"Every page is in {pictures}.\n")


async def _photograph_every_page(record: FullRecord, page: Page, pictures: Path) -> None:
    await page.goto(ROOT_OF_PAGES)
    await sign_in(page)
    for path in await paths_of(record):
        await page.goto(path)
        name = path.removeprefix(ROOT_OF_PAGES).strip("/")
        for placeholder, value in record.ids.items():
            name = name.replace(value, placeholder)
        name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "waiting"
        for device, size in (("desk", DESK), ("phone", PHONE)):
            await page.set_viewport_size({"width": size["width"], "height": size["height"]})
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                await page.screenshot(path=pictures / f"{name}-{device}-{scheme}.png", full_page=True)
        if name in DOCUMENTED:
            await page.emulate_media(color_scheme="light")
            await page.set_viewport_size({"width": 900, "height": 1000})
            await page.screenshot(path=PICTURES / f"console-{name}.png")


async def _sign_in(page: Page) -> None:
    await page.goto("/approvals")
    await page.get_by_label("Operator's passcode").fill(PASSCODE)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Sign out").wait_for()


async def _photograph(page: Page, path: str, name: str, *, is_whole: bool = True) -> None:
    await page.goto(path)
    await page.screenshot(path=PICTURES / f"{name}.png", full_page=is_whole)


def _console() -> Console:
    return Console(record=True, width=COLUMNS, file=io.StringIO())


def _save(console: Console, name: str, title: str) -> None:
    svg = console.export_svg(title=title, theme=DIMMED_MONOKAI, unique_id=name)
    (PICTURES / f"{name}.svg").write_text(FONTS.sub("", svg), encoding="utf-8")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--every-page", type=Path, help="Take every page of the console into this folder, and no more.")
    named: Path | None = parser.parse_args().every_page
    anyio.run(main, named.absolute() if named else None)
