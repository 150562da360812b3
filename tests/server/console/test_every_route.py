"""Whatever route the console has: nobody passes without a session, and no form without the session's token."""

import re
from pathlib import Path
from typing import Final

from guard.operators.roles import Role
from server.console.page_identity import PageIdentity
from server.console.pages import PageSetup, console_routes
from server.console.sessions import Sessions
from server.console.urls import ROOT
from server.store.store import Store
from tests.server.console.browsing import (
    BASE,
    START,
    FixedClock,
    browser,
    opened_record,
    operator,
    page_over,
    token_in,
)

OPEN_TO_ALL: Final = {
    f"{ROOT}/{name}"
    for name in (
        "page.css", "page.js", "passkeys.js", "healthz", "sign-in", "sign-in/options", "sign-in/passkey",
        "enrol", "enrol/options", "keys.json",
    )
}  # fmt: skip
"""What has to work before somebody signed in; each is tested by itself."""

FOR_VIEWERS: Final = {"/sign-out", "/freeze", "/operators/end-session", "/health/verify"}
"""Forms that every operator may send: stopping is always safe, and so is checking."""

PLACEHOLDER: Final = re.compile(r"\{[a-z_]+\}")


def _routes(record: Store, method: str) -> list[str]:
    identity = PageIdentity(record.seal, store_address="test", base=BASE)
    routes = console_routes(PageSetup(store=record, hosts=[], identity=identity))
    found = [route.path for route in routes if method in (route.methods or ())]
    return [PLACEHOLDER.sub("act_abcdefgh", path).removeprefix(ROOT) for path in found if path not in OPEN_TO_ALL]


async def test_without_a_session_every_page_asks_to_sign_in_and_no_form_does_anything(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        for path in _routes(record, "GET"):
            answer = await visitor.open(path)
            assert answer.status_code == 401, path
            assert "Sign in to approve" in answer.text, path
        for path in _routes(record, "POST"):
            assert (await visitor.send(path, token="0" * 64)).status_code == 401, path


async def test_no_form_without_the_sessions_token_does_anything(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        for path in _routes(record, "POST"):
            for token in ("", "0" * 64):
                assert (await page.send(path, token=token)).status_code == 403, path
            assert (await page.send(path, origin="https://evil.example")).status_code == 403, path


async def test_no_page_has_a_script_or_a_style_in_itself(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        for path in _routes(record, "GET"):
            text = (await page.open(path)).text
            text = re.sub(r'<script src="/approvals/[a-z.]+" defer></script>', "", text)
            assert "<script" not in text, path
            assert "style=" not in text, path
            assert not re.search(r"\son[a-z]+=", text), path


async def test_a_viewer_reads_every_page_and_changes_nothing(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record:
        viewer = await record.operators.add("vera", Role.VIEWER, by="a test", at=START)
        sessions = Sessions(record, FixedClock())
        cookie = await sessions.begin(viewer, via="passkey")
        async with browser(page_over(record)) as page:
            page.http.cookies.set(sessions.cookie_name, cookie)
            token = token_in((await page.open()).text)
            for path in _routes(record, "GET"):
                assert (await page.open(path)).status_code in {200, 404}, path
            for path in _routes(record, "POST"):
                if path not in FOR_VIEWERS:
                    answer = await page.send(path, token=token)
                    assert (answer.status_code, "You are a viewer" in answer.text) == (403, True), path
