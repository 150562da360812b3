"""The page in a real browser: by keyboard alone, on a phone, named for a screen reader, without a script."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

from guard.action import Action, State
from guard.money import Money
from guard.rules.quote import Quote
from server.console.pages import PageOptions
from server.http.loopback import bind, serve_page
from server.store.reservations import take_hold
from server.store.store import Store
from tests.server.console.browsing import PASSCODE, START, SUBJECT, opened_record, proposed, state_of
from tests.server.console.chromium import CHROMIUM, PHONE, picture, tab, tab_to

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")

UPDATED_AFTER = 11_000
"""Milliseconds after which a page has read itself again."""

ONE_LINE = 24
"""Pixels."""

TALLEST_TOUCH = 44
"""Pixels that a finger needs."""


async def test_signing_in_looking_and_approving_by_keyboard(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base) as page:
        action = await _waiting(record)
        await _sign_in(page, by_keyboard=True)
        await tab_to(page, page.get_by_role("link", name=SUBJECT))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(SUBJECT)
        await tab_to(page, page.get_by_role("button", name="Approve", exact=True))
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Approved", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        assert await state_of(record, action) is State.APPROVED
        await picture(page, "approved")


async def test_declining_by_keyboard(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base) as page:
        action = await _waiting(record)
        await page.goto(f"/approvals/{action.id}")
        await _sign_in(page, by_keyboard=True, at=None)
        await expect(page).to_have_url(f"{base}/approvals/{action.id}")
        await tab_to(page, page.get_by_role("button", name="Decline"))
        await page.keyboard.press("Space")
        await expect(page.get_by_text("Declined", exact=True)).to_be_visible()
        assert await state_of(record, action) is State.DECLINED


async def test_stopping_everything_and_resuming_by_keyboard(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base) as page:
        action = await _waiting(record)
        await _sign_in(page, by_keyboard=True)
        await tab_to(page, page.get_by_role("button", name="Stop everything"))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Everything is stopped")
        assert await record.freeze.is_on()
        await page.goto(f"/approvals/{action.id}")
        await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        await picture(page, "stopped")
        await tab_to(page, page.get_by_role("button", name="Resume"))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Stop everything")).to_be_visible()
        assert not await record.freeze.is_on()


async def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base) as page:
        await _waiting(record)
        await _sign_in(page)
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        await expect(skip).to_be_focused()
        await expect(skip).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name=SUBJECT)).to_be_focused()


async def test_landmarks_headings_and_names_are_there_for_a_screen_reader(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base) as page:
        action = await _waiting(record)
        await page.goto("/approvals")
        await expect(page.get_by_label("Operator's passcode")).to_be_focused()
        await expect(page.get_by_role("main")).to_have_count(1)
        await _sign_in(page, at=None)
        await page.goto(f"/approvals/{action.id}")
        for role in ("banner", "main", "contentinfo"):
            await expect(page.get_by_role(role)).to_have_count(1)
        await expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
        await expect(page.get_by_role("heading", level=1)).to_have_count(1)
        for region in (
            "Check before you approve",
            "Price",
            "The exact request",
            "How it is now",
            "Who asks",
            "Your answer",
        ):
            await expect(page.get_by_role("region", name=region)).to_be_visible()
        for button in ("Approve", "Approve and run", "Decline", "Sign out", "Stop everything"):
            await expect(page.get_by_role("button", name=button, exact=True)).to_be_visible()
        await expect(page.get_by_role("region", name="Price")).to_contain_text("$248.00 after this call")
        await expect(page).to_have_title(f"{SUBJECT}, $2.00 a month - Ringfence")


async def test_a_wrong_passcode_is_told_beside_the_field(tmp_path: Path) -> None:
    async with _served(tmp_path) as (_, base), tab(base) as page:
        await page.goto("/approvals")
        await page.get_by_label("Operator's passcode").fill("wrong passcode")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That is not the passcode.")
        await expect(page.get_by_label("Operator's passcode")).to_have_accessible_description(
            "That is not the passcode."
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_scrolls_sideways_on_a_phone_and_fingers_find_the_buttons(
    scheme: Literal["light", "dark"], tmp_path: Path
) -> None:
    async with _served(tmp_path) as (record, base), tab(base, viewport=PHONE, has_touch=True) as page:
        action = await _waiting(record, **_LONG)
        await page.goto("/approvals")
        await _fits(page)
        await picture(page, f"sign-in-phone-{scheme}", scheme=scheme)
        await _sign_in(page, at=None)
        for name, path in (
            ("waiting", ""),
            ("history", "/history"),
            ("action", f"/{action.id}"),
            ("lost", "/act_none2"),
        ):
            await page.goto(f"/approvals{path}")
            await _fits(page)
            await picture(page, f"{name}-phone-{scheme}", scheme=scheme)
        await page.goto(f"/approvals/{action.id}")
        await expect(page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
        await expect(page.get_by_text("$2.00 a month", exact=True)).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("button", name="Approve", exact=True)).not_to_be_in_viewport()
        await picture(page, f"action-phone-first-screen-{scheme}", scheme=scheme, whole=False)
        await page.get_by_role("button", name="Approve", exact=True).tap()
        await expect(page.get_by_text("Approved", exact=True)).to_be_visible()


async def test_headings_do_not_break_within_words_or_numbers(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base, viewport=PHONE, java_script_enabled=True) as page:
        before = {"config": {"first_caller_whisper_enabled": False, "first_caller_whisper_message": "Sales"}}
        after = {"config": {"first_caller_whisper_enabled": True, "first_caller_whisper_message": "Advertisement"}}
        title = "Forward calls of +1 201 555 0142 to +1 201 555 0199, registered under “Google Ads Hackensack”"
        action = await _waiting(record, title=title, before=before, arguments=after)
        await _sign_in(page)
        for path in ("", f"/{action.id}", "/history"):
            await page.goto(f"/approvals{path}")
            assert await page.evaluate(_BROKEN_WORDS) == []


async def test_the_list_updates_itself_and_nobody_loses_their_place(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base, viewport=PHONE, java_script_enabled=True) as page:
        await page.clock.install()
        gone, *_ = [await _waiting(record) for _ in range(5)]
        last = await _waiting(record, created_at=START, title="Release +1 201 555 0142 for good")
        await _sign_in(page)
        link = page.get_by_role("link", name="Release +1 201 555 0142 for good")
        await link.focus()
        place = await link.bounding_box()
        await record.journal.move(gone.id, {State.PROPOSED}, State.DECLINED)
        await _waiting(record, title="Text 40 people in Greece, 2 parts")
        await page.clock.run_for(UPDATED_AFTER)
        await expect(page.get_by_role("link", name="Text 40 people in Greece, 2 parts")).to_have_count(1)
        await expect(page.locator(f"#{gone.id}")).to_have_count(0)
        await expect(page.locator("#news")).to_have_text("1 new entry.")
        await expect(page).to_have_title("6 waiting - Ringfence")
        await expect(link).to_be_focused()
        now = await link.bounding_box()
        assert place is not None
        assert now is not None
        assert abs(now["y"] - place["y"]) <= ONE_LINE
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{base}/approvals/{last.id}")


async def test_what_is_ticked_or_opened_stays_so_when_others_come_and_new_ones_come_unticked(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base, java_script_enabled=True) as page:
        await page.clock.install()
        first, second = await _waiting(record), await _waiting(record)
        await _sign_in(page)
        boxes = page.get_by_role("checkbox")
        await page.locator(f"#tick-{first.id}").check()
        await page.locator(f"#{second.id} summary").click()
        third = await _waiting(record, title="Order one more")
        await page.clock.run_for(UPDATED_AFTER)
        await expect(boxes).to_have_count(3)
        await expect(page.locator(f"#tick-{first.id}")).to_be_checked()
        await expect(page.locator(f"#tick-{third.id}")).not_to_be_checked()
        await expect(page.locator(f"#{second.id} details")).to_have_attribute("open", "")
        await page.get_by_role("link", name="Tick these 3").click()
        assert [await box.is_checked() for box in await boxes.all()] == [True] * 3
        await picture(page, "together")
        await page.locator(f"#tick-{third.id}").uncheck()
        await page.get_by_role("button", name="Approve the ticked ones").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("How they stand now")
        assert [await state_of(record, one) for one in (first, second, third)] == [
            State.APPROVED,
            State.APPROVED,
            State.PROPOSED,
        ]


async def test_a_wish_for_a_sound_is_remembered_in_the_browser_alone(tmp_path: Path) -> None:
    async with _served(tmp_path) as (_, base), tab(base, java_script_enabled=True) as page:
        await _sign_in(page)
        sound = page.get_by_role("button", name="Sound for what is new")
        await expect(sound).to_have_attribute("aria-pressed", "false")
        await sound.click()
        await expect(sound).to_have_attribute("aria-pressed", "true")
        await page.reload()
        await expect(sound).to_have_attribute("aria-pressed", "true")


async def test_an_open_action_shows_that_it_was_answered_elsewhere(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base, java_script_enabled=True) as page:
        await page.clock.install()
        action = await _waiting(record)
        await page.goto(f"/approvals/{action.id}")
        await _sign_in(page, at=None)
        await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(1)
        await record.journal.move(action.id, {State.PROPOSED}, State.DECLINED)
        await page.clock.run_for(UPDATED_AFTER)
        await expect(page.get_by_text("Declined", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)


async def test_what_cannot_be_undone_is_approved_in_two_steps_by_keyboard_and_without_a_script(tmp_path: Path) -> None:
    final = {"operation": "voicetel_release_number", "title": "Release +1 201 555 0142 for good"}
    async with _served(tmp_path) as (record, base), tab(base, viewport=PHONE) as page:
        action = await _waiting(record, **final)
        await _sign_in(page)
        await page.goto(f"/approvals/{action.id}")
        await picture(page, "final-phone")
        await tab_to(page, page.get_by_role("button", name="Approve for good"))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Release +1 201 555 0142 for good?")
        await _fits(page)
        await picture(page, "final-second-step-phone")
        assert await state_of(record, action) is State.PROPOSED
        await tab_to(page, page.get_by_role("button", name="Approve for good"))
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Approved", exact=True)).to_be_visible()
        assert await state_of(record, action) is State.APPROVED


async def test_history_and_money_fit_a_phone_and_are_filtered_by_keyboard_without_a_script(tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base, viewport=PHONE) as page:
        wanted = await _waiting(record, title="Rename +1 212 555 0177", quote=Quote(amount=Money(Decimal("1234.5"))))
        await _waiting(record, title=f"Order {'averyveryverylongname' * 5}")
        await record.database.write(
            lambda connection: take_hold(connection, wanted.id, "voicetel", HELD, wanted.created_at)
        )
        await _sign_in(page)
        await page.goto("/approvals/history")
        await _fits(page)
        await tab_to(page, page.get_by_label("Search"))
        await page.keyboard.type("0177")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name=wanted.title)).to_be_visible()
        await expect(page.get_by_role("heading", level=3)).to_have_count(1)
        await expect(page.get_by_label("State")).to_be_visible()
        await _fits(page)
        await picture(page, "history-filtered-phone")
        await tab_to(page, page.get_by_role("link", name="Money", exact=True))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Money")
        await expect(page.get_by_role("img")).to_have_count(1)
        await _fits(page)
        await picture(page, "money-phone")


HELD = Money(Decimal("1234.5"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(scheme: Literal["light", "dark"], tmp_path: Path) -> None:
    async with _served(tmp_path) as (record, base), tab(base, java_script_enabled=True) as page:
        action = await _waiting(record)
        await _waiting(record, title="Release +1 212 555 0100 for good", operation="voicetel_release_number")
        await _sign_in(page)
        for name, path in (("waiting", ""), ("action", f"/{action.id}"), ("history", "/history"), ("money", "/money")):
            await page.goto(f"/approvals{path}")
            await picture(page, f"{name}-desk-{scheme}", scheme=scheme)
            faint = await page.evaluate(_TOO_FAINT)
            assert faint == []


_BEFORE: dict[str, Any] = {
    "number": "+12125550100",
    "route": 4,
    "label": "Front desk",
    "forward": {"destination": "+12125550142", "enabled": True},
}
_LONG: dict[str, Any] = {
    "arguments": {
        "numbers": [f"+1212555{number:04d}" for number in range(30)],
        "route": 9,
        "body": "Pay\u202enow " + "averyveryverylongwordwithoutaspace" * 12,
        "address": {"street": "1 Main Street", "city": "x" * 90},
    },
    "principal": "token:" + "a" * 100,
}


@asynccontextmanager
async def _served(folder: Path) -> AsyncGenerator[tuple[Store, str]]:
    async with (
        opened_record(folder) as record,
        serve_page(record, bind(0), store_address="test", options=PageOptions()) as base,
    ):
        yield record, base


async def _waiting(record: Store, **changes: Any) -> Action:
    now = datetime.now(UTC)
    times = {"created_at": now, "expires_at": now + timedelta(minutes=15)}
    plain: dict[str, Any] = {"arguments": {"numbers": ["+12125550100", "+12125550101"], "route": 9}}
    return await proposed(record, **{**plain, "before": _BEFORE, **times, **changes})


async def _sign_in(page: Page, *, by_keyboard: bool = False, at: str | None = "/approvals") -> None:
    if at is not None:
        await page.goto(at)
    passcode = page.get_by_label("Operator's passcode")
    if not by_keyboard:
        await passcode.focus()
    await expect(passcode).to_be_focused()  # typed before the page takes the focus by itself, letters would be lost
    await page.keyboard.type(PASSCODE)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()


async def _fits(page: Page) -> None:
    widths: list[int] = await page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert widths[0] <= widths[1], widths
    for button in await page.get_by_role("button").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= TALLEST_TOUCH


_BROKEN_WORDS = """() => {
  const broken = [];
  for (const heading of document.querySelectorAll('h1, h2, h3')) {
    const texts = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      for (const word of node.textContent.matchAll(/[^ \\n]+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}"""
"""Words and telephone numbers in headings that stand on more than one line; a name may end a line after its dots."""

_TOO_FAINT = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const a = light(parse(getComputedStyle(element).color)), b = light(ground(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push([element.tagName, element.textContent.trim().slice(0, 40), ratio]);
  }
  return faint;
}"""
"""Elements whose own text has less contrast than WCAG AA asks for."""
