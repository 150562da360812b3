"""A page in the system's Chromium."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Locator, Page, async_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ARTEFACTS: Final = Path(__file__).resolve().parents[2] / "artefacts"
MOST_TABS: Final = 40

DESK: Final = {"width": 1200, "height": 900}
PHONE: Final = {"width": 390, "height": 844}


@asynccontextmanager
async def tab(base: str, **options: Any) -> AsyncGenerator[Page]:
    """Open a tab of a fresh profile. Scripts are off, as the page must work without."""
    assert CHROMIUM is not None
    options = {"viewport": DESK, "java_script_enabled": False, **options}
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            context = await chromium.new_context(base_url=base, **options)
            yield await context.new_page()
        finally:
            await chromium.close()


async def tab_to(page: Page, target: Locator) -> None:
    """Reach an element with the Tab key alone."""
    for _ in range(MOST_TABS):
        if await target.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached with {MOST_TABS} presses of Tab")


async def picture(page: Page, name: str, *, scheme: Literal["light", "dark"] = "light", whole: bool = True) -> None:
    """Keep what the page looks like."""
    ARTEFACTS.mkdir(exist_ok=True)
    await page.emulate_media(color_scheme=scheme)
    await page.screenshot(path=ARTEFACTS / f"approval-{name}.png", full_page=whole)
