"""Passkeys in a real browser, whose authenticator is Chromium's virtual one (WebAuthn Automation, 11)."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from guard.action import Action, State
from guard.operators.roles import Role
from server.console.pages import PageOptions
from server.http.loopback import bind, serve_page
from server.store.store import Store
from tests.server.console.browsing import SUBJECT, opened_record, proposed, state_of
from tests.server.console.chromium import CHROMIUM, picture, tab

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")


@dataclass(frozen=True, slots=True)
class Device:
    """A browser with an authenticator, at the page of a store."""

    record: Store
    page: Page
    devtools: Any
    """The session of Chromium's protocol, of which Playwright leaves open what is sent."""

    authenticator: str

    async def lock(self) -> None:
        """Have the person fail to unlock the authenticator from now on."""
        await self.devtools.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, "isUserVerified": False}
        )


@asynccontextmanager
async def device(folder: Path) -> AsyncGenerator[Device]:
    async with (
        opened_record(folder) as record,
        serve_page(record, bind(0), store_address="test", options=PageOptions()) as base,
        tab(base.replace("127.0.0.1", "localhost"), java_script_enabled=True) as page,
    ):
        devtools: Any = await page.context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable", {"enableUI": False})
        made: dict[str, str] = await devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                }
            },
        )
        yield Device(record, page, devtools, made["authenticatorId"])


async def enrol(found: Device, name: str = "anna") -> None:
    now = datetime.now(UTC)
    await found.record.operators.add(name, Role.APPROVER, by="a test", at=now)
    secret = await found.record.operators.open_enrolment(name, by="a test", at=now)
    await found.page.goto(f"/approvals/enrol#{secret}")
    await found.page.get_by_label("Name of this passkey").fill("My laptop")
    await picture(found.page, "enrol")
    await found.page.get_by_role("button", name="Enrol").click()
    await expect(found.page.get_by_role("heading", level=1)).to_have_text("Waiting for your approval")


async def waiting(record: Store) -> Action:
    now = datetime.now(UTC)
    return await proposed(record, created_at=now, expires_at=now + timedelta(minutes=15))


async def test_enrolling_signing_out_and_in_and_approving(tmp_path: Path) -> None:
    async with device(tmp_path) as found:
        page, action = found.page, await waiting(found.record)
        await enrol(found)
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_role("link", name=SUBJECT).click()
        await expect(page.get_by_role("heading", name="What your passkey signs")).to_be_visible()
        await picture(page, "to-sign")
        await page.get_by_role("button", name="Approve", exact=True).click()
        await expect(page.get_by_text("signed with a passkey for localhost")).to_be_visible()
        assert await state_of(found.record, action) is State.APPROVED
        [approval] = await found.record.journal.approvals_of(action.id)
        assert approval.assertion is not None
        await page.goto("/approvals/operators")
        await expect(page.get_by_text("My laptop (passkey for localhost)")).to_be_visible()
        await picture(page, "operators")


async def test_approve_and_run_is_signed_as_that(tmp_path: Path) -> None:
    async with device(tmp_path) as found:
        action = await waiting(found.record)
        await enrol(found)
        await found.page.goto(f"/approvals/{action.id}")
        await found.page.get_by_role("button", name="Approve and run").click()
        await expect(found.page.get_by_text("signed with a passkey for localhost")).to_be_visible()
        [approval] = await found.record.journal.approvals_of(action.id)
        assert approval.statement.run_by_server


async def test_whoever_cannot_unlock_the_authenticator_approves_nothing(tmp_path: Path) -> None:
    async with device(tmp_path) as found:
        action = await waiting(found.record)
        await enrol(found)
        await found.page.goto(f"/approvals/{action.id}")
        await found.lock()
        await found.page.get_by_role("button", name="Approve", exact=True).click()
        await expect(found.page.get_by_text("Your passkey signed nothing, so nothing was sent.")).to_be_visible()
        assert await state_of(found.record, action) is State.PROPOSED
