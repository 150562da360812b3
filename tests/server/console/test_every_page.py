"""Every page of the console in a real browser: nothing that keeps people out, and nothing that weighs much."""

import importlib.util
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from server.console.page_identity import PageIdentity
from server.console.pages import PageSetup, console_routes
from server.console.urls import ROOT
from tests.server.console.browsing import PASSCODE
from tests.server.console.chromium import CHROMIUM, DESK, PHONE, tab
from tests.server.console.full_record import PAGES_WITH_QUERIES, FullRecord, served_full_record

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")

HEAVIEST: Final = 100 * 1024
"""Bytes of a page with everything that it loads."""

RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""WCAG 2.2 AA, as axe-core calls its rules."""

NO_PAGES: Final = (".css", ".js", ".csv", ".json", ".jsonl", "/healthz")


async def paths_of(record: FullRecord) -> list[str]:
    """Return the address of every page, from the routes themselves: a page that is added is looked at, too."""
    identity = PageIdentity(record.store.seal, store_address="test", base=record.base)
    routes = console_routes(PageSetup(store=record.store, hosts=[], identity=identity))
    found = [route.path for route in routes if "GET" in (route.methods or ())]
    return [record.path(path) for path in dict.fromkeys([*found, *PAGES_WITH_QUERIES]) if not path.endswith(NO_PAGES)]


async def test_every_page_can_be_used_by_everybody_and_is_light(tmp_path: Path) -> None:
    async with (
        served_full_record(tmp_path) as record,
        tab(record.base, java_script_enabled=True) as page,
    ):
        await page.goto(ROOT)
        found = {"sign-in": await _violations(page)}
        await sign_in(page)
        for path in await paths_of(record):
            answer = await page.goto(path)
            assert answer is not None
            assert answer.status == (404 if path.endswith("act_none2") else 200), path
            found[path] = await _violations(page)
            weight: int = await page.evaluate(WEIGHT)
            assert weight <= HEAVIEST, f"{path} weighs {weight} bytes"
        await page.goto(f"{ROOT}/{record.final}")
        await page.get_by_role("button", name="Approve for good …", exact=True).click()
        found["the second question"] = await _violations(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


async def sign_in(page: Page) -> None:
    """Sign in on the page that is open."""
    await page.get_by_label("Operator's passcode").fill(PASSCODE)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()


async def _violations(page: Page) -> list[str]:
    """Return what breaks a rule at the desk and on a phone; colours also in the dark."""
    found: list[str] = []
    for name, size in (("desk", DESK), ("phone", PHONE)):
        await page.set_viewport_size({"width": size["width"], "height": size["height"]})
        await page.emulate_media(color_scheme="light")
        found += [f"{name}: {one}" for one in await _run_axe(page, {"runOnly": RULES})]
        await page.emulate_media(color_scheme="dark")
        found += [f"{name}, dark: {one}" for one in await _run_axe(page, {"runOnly": ["color-contrast"]})]
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{name}: it scrolls sideways")
    return found


async def _run_axe(page: Page, options: dict[str, Any]) -> list[str]:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe_core())
    result: dict[str, Any] = await page.evaluate(
        "options => axe.run(options)", {**options, "resultTypes": ["violations"]}
    )
    return [
        f"{rule['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


def _axe_core() -> str:
    """Read axe-core from the package that ships it; importing the package would read it in the system's encoding."""
    package = importlib.util.find_spec("axe_playwright_python")
    assert package is not None
    assert package.submodule_search_locations is not None
    return (Path(package.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


WEIGHT: Final = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, entry) => sum + entry.decodedBodySize, 0)"""
"""Bytes of a page and of what it loaded."""
