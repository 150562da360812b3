"""Only the operator opens the page, only its own forms do anything, and nothing happens by GET."""

import re
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from guard.action import State
from guard.operators.roles import Operator, Role
from server.console.passcode import set_passcode
from server.console.sessions import Sessions
from tests.server.console.browsing import (
    OWN_SCRIPT,
    PASSCODE,
    Browser,
    FixedClock,
    browser,
    opened_record,
    operator,
    page_over,
    proposed,
    state_of,
    token_in,
)

PAGES = [
    "",
    "/",
    "/history",
    "/act_abcdefgh",
    "/sign-out",
    "/freeze",
    "/anything/else",
    "/healthz",
    "/page.css",
    "/page.js",
]


@pytest.mark.parametrize("page", ["", "/history", "/act_abcdefgh"])
async def test_without_a_session_every_page_is_the_sign_in_page(page: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        await proposed(record, id="act_abcdefgh", title="Secret plan")
        answer = await visitor.open(page)
        assert answer.status_code == 401
        assert "Operator&#39;s passcode" in answer.text or "Operator's passcode" in answer.text
        assert "Secret plan" not in answer.text


LOCAL_ADMIN = Operator(name="local", role=Role.ADMIN)


async def test_the_sign_in_page_does_not_tell_whether_an_action_exists(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        action = await proposed(record)
        there, not_there = await visitor.open(f"/{action.id}"), await visitor.open("/act_nothere2")
        assert there.text.replace(action.id, "") == not_there.text.replace("act_nothere2", "")


async def test_a_bearer_token_or_any_other_header_opens_nothing(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        action = await proposed(record)
        answer = await visitor.open(f"/{action.id}", Authorization="Bearer a-long-token", Cookie="session=1; a=b.c.d")
        assert answer.status_code == 401
        answer = await visitor.http.post(
            f"/approvals/{action.id}/approve",
            headers={"Authorization": "Bearer a-long-token", "Origin": "http://127.0.0.1:8766"},
        )
        assert answer.status_code == 401
        assert await state_of(record, action) is State.PROPOSED


async def test_nothing_happens_by_get(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        token = token_in((await page.open()).text)
        for path in (f"/{action.id}/approve", f"/{action.id}/decline", "/freeze", "/unfreeze", "/sign-out", "/sign-in"):
            assert (await page.open(f"{path}?token={token}")).status_code in {404, 405}
        assert await state_of(record, action) is State.PROPOSED
        assert not await record.freeze.is_on()
        assert (await page.open()).status_code == 200


@pytest.mark.parametrize("button", ["/{id}/approve", "/{id}/decline", "/freeze", "/unfreeze", "/sign-out"])
async def test_a_form_without_the_sessions_token_does_nothing(button: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page, operator(record) as other:
        action = await proposed(record)
        anothers = token_in((await other.open()).text)
        path = button.format(id=action.id)
        for fields in ({}, {"token": ""}, {"token": "0" * 64}, {"token": "é"}, {"token": anothers}):
            assert (await page.send(path, **fields)).status_code == 403
        assert await state_of(record, action) is State.PROPOSED
        assert not await record.freeze.is_on()
        assert (await page.open()).status_code == 200


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:9999", "http://evil:8766"])
async def test_a_form_from_elsewhere_does_nothing(origin: str | None, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        token = token_in((await page.open()).text)
        assert (await page.send(f"/{action.id}/approve", origin=origin, token=token)).status_code == 403
        assert (await page.send("/sign-in", origin=origin, passcode=PASSCODE)).status_code == 403
        assert await state_of(record, action) is State.PROPOSED


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8766", "127.0.0.1", "127.0.0.1:9999"])
async def test_another_name_for_this_machine_is_refused(host: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        for path in PAGES:
            answer = await page.open(path, Host=host)
            assert answer.status_code == 421
            assert "passcode" not in answer.text


async def test_the_address_behind_a_proxy_is_answered_and_its_cookie_is_secure(tmp_path: Path) -> None:
    public = "https://ringfence.example.com"
    async with (
        opened_record(tmp_path) as record,
        browser(page_over(record, address=public), base=public) as visitor,
    ):
        answer = await visitor.send("/sign-in", origin=public, passcode=PASSCODE)
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]


async def test_every_answer_carries_the_protective_headers(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page, browser(page_over(record)) as visitor:
        for path in PAGES:
            for answer in (await page.open(path), await visitor.open(path), await visitor.send(path, origin=None)):
                assert answer.headers["content-security-policy"] == (
                    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; form-action 'self'; "
                    "frame-ancestors 'none'; base-uri 'none'"
                )
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["cache-control"] == "no-store"
                assert answer.headers["cross-origin-opener-policy"] == "same-origin"
                assert answer.headers["referrer-policy"] == "same-origin"


async def test_no_page_has_a_script_or_a_style_in_itself(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        action = await proposed(record)
        for path in ("", "/history", f"/{action.id}"):
            text = (await page.open(path)).text.replace(OWN_SCRIPT, "")
            assert "<script" not in text
            assert "style=" not in text
            assert not re.search(r"\son[a-z]+=", text)
            assert "http-equiv" not in text
        script = await page.open("/page.js")
        assert script.headers["content-type"].startswith("text/javascript")


async def test_the_cookie_is_kept_from_scripts_other_sites_and_other_paths(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        cookie = (await visitor.sign_in()).headers["set-cookie"]
    for flag in ("HttpOnly", "SameSite=strict", "Path=/approvals", "Max-Age=28800"):
        assert flag in cookie
    assert "Secure" not in cookie


async def test_a_session_ends_after_eight_hours(tmp_path: Path) -> None:
    clock = FixedClock()
    async with opened_record(tmp_path) as record, operator(record, clock=clock) as page:
        clock.at += timedelta(hours=7, minutes=59)
        assert (await page.open()).status_code == 200
        clock.at += timedelta(minutes=2)
        assert (await page.open()).status_code == 401


async def test_changing_the_passcode_ends_every_session(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        await set_passcode(record, "battery staple", old=PASSCODE)
        assert (await page.open()).status_code == 401
        assert (await page.sign_in(PASSCODE)).status_code == 401
        assert (await page.sign_in("battery staple")).status_code == 303


async def test_signing_out_ends_the_session_for_a_copy_of_the_cookie_too(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page, operator(record) as other:
        copied = "; ".join(f"{name}={value}" for name, value in page.http.cookies.items())
        assert (await page.press("/sign-out")).status_code == 303
        assert (await page.open()).status_code == 401
        async with browser(page_over(record)) as thief:
            assert (await thief.open(Cookie=copied)).status_code == 401
        assert (await other.open()).status_code == 200


async def test_operators_who_sign_out_at_once_are_all_signed_out(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record:
        sessions = Sessions(record, FixedClock())
        cookies = [await sessions.begin(LOCAL_ADMIN, via="passcode") for _ in range(8)]
        found = [session for cookie in cookies if (session := await sessions.find(cookie))]
        async with anyio.create_task_group() as group:
            for session in found:
                group.start_soon(sessions.end, session)
        assert len(found) == 8
        assert [await sessions.find(cookie) for cookie in cookies] == [None] * 8


async def test_a_forged_or_changed_cookie_is_no_session(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page, browser(page_over(record)) as thief:
        [(name, value)] = _session_cookies(page)
        session_id, _, mark = value.partition(".")
        another = "0" if mark[-1] != "0" else "1"
        for forged in (
            "",
            "..",
            session_id,
            f"{session_id}.",
            f"x{session_id}.{mark}",
            f"{session_id}.{mark[:-1]}{another}",
            f"{value}0",
            "a.².",
        ):
            assert (
                await thief.http.get("/approvals", headers={b"Cookie": f"{name}={forged}".encode()})
            ).status_code == 401


async def test_a_session_of_one_store_is_none_of_another(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with opened_record(tmp_path) as one, opened_record(tmp_path / "other") as other, operator(one) as page:
        [(_, value)] = _session_cookies(page)
        async with browser(page_over(other)) as thief:
            first = await thief.sign_in()
            name = first.headers["set-cookie"].split("=")[0]
            thief.http.cookies.clear()
            assert (await thief.open(Cookie=f"{name}={value}")).status_code == 401


async def test_the_passcode_is_tried_five_times_a_minute_over_all_processes(tmp_path: Path) -> None:
    async with (
        opened_record(tmp_path) as record,
        browser(page_over(record)) as one,
        browser(page_over(record)) as other,
    ):
        for _ in range(3):
            assert (await one.sign_in("wrong passcode")).status_code == 401
        for _ in range(2):
            assert (await other.sign_in("wrong passcode")).status_code == 401
        refused = await one.sign_in(PASSCODE)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert "set-cookie" not in refused.headers


async def test_whoever_uses_up_the_tries_locks_out_no_other_source_and_no_browser_that_signed_in_before(
    tmp_path: Path,
) -> None:
    async with opened_record(tmp_path) as record, operator(record) as known:
        app = page_over(record)
        await known.press("/sign-out")
        async with browser(app) as local, browser(app, source="192.0.2.7") as elsewhere:
            while (await local.sign_in("wrong passcode")).status_code == 401:
                pass
            refused = await local.sign_in()
            assert refused.status_code == 429
            assert "the command line, which has no such limit" in refused.text
            assert (await elsewhere.sign_in()).status_code == 303
            assert (await known.sign_in()).status_code == 303
            for _ in range(4):
                assert (await known.sign_in("wrong passcode")).status_code == 401
            assert (await known.sign_in()).status_code == 429


async def test_a_forged_mark_or_one_from_before_the_passcode_changed_makes_no_browser_known(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as known:
        [(name, value)] = [pair for pair in known.http.cookies.items() if "browser" in pair[0]]
        async with browser(page_over(record)) as local:
            while (await local.sign_in("wrong passcode")).status_code == 401:
                pass
            for forged in ("", ".", f"x{value}", f"{value}0", value.partition(".")[0]):
                local.http.cookies.set(name, forged)
                assert (await local.sign_in()).status_code == 429
            await set_passcode(record, "battery staple", old=PASSCODE)
            assert (await known.sign_in("battery staple")).status_code == 429


async def test_over_all_sources_the_passcode_is_tried_twenty_times_a_minute(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record:
        await record.key_values.drop("passcode")  # there is nothing to compare with, which takes long on purpose
        app, statuses = page_over(record), list[int]()
        for number in range(21):
            async with browser(app, source=f"2001:db8:0:{number}::1") as visitor:
                statuses.append((await visitor.sign_in("")).status_code)
    assert statuses == [401] * 20 + [429]


async def test_signing_in_and_failing_to_is_on_the_audit(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        await visitor.sign_in("wrong passcode")
        await visitor.sign_in()
        events = [row["event"] async for row in record.audit.rows()]
    assert events == ["sign-in refused", "signed in"]


async def test_without_a_passcode_nobody_signs_in(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        await record.key_values.drop("passcode")
        assert "ringfence approvals passcode" in (await visitor.open()).text
        for passcode in ("", PASSCODE):
            answer = await visitor.sign_in(passcode)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("wanted", ["//evil.example", "../mcp", "https://evil.example", "act_x/approve", "history"])
async def test_signing_in_leads_only_to_actions(wanted: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        assert (await visitor.sign_in(wanted=wanted)).headers["location"] == "/approvals"
        assert (await visitor.sign_in(wanted="act_abcdefgh")).headers["location"] == "/approvals/act_abcdefgh"


async def test_a_link_from_another_site_offers_the_session_that_its_cookie_could_not_bring(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        answer = await visitor.open("/act_abcdefgh", **{"Sec-Fetch-Site": "cross-site"})
        assert '<a href="/approvals/act_abcdefgh">I am already signed in</a>' in answer.text
        assert "already signed in" not in (await visitor.open("/act_abcdefgh")).text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"passcode=" + b"a" * 9000, 413),
        (b"\xff\xfe", 400),
        (b"passcode=a&passcode=b", 400),
        (b"&".join(b"a%d=1" % number for number in range(50)), 400),
    ],
    ids=["too large", "no text", "a field twice", "too many fields"],
)
async def test_a_strange_form_is_refused(body: bytes, status: int, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as visitor:
        headers = {"Origin": "http://127.0.0.1:8766", "Content-Type": "application/x-www-form-urlencoded"}
        answer = await visitor.http.post("/approvals/sign-in", content=body, headers=headers)
        assert answer.status_code == status


def _session_cookies(page: Browser) -> list[tuple[str, str]]:
    return [(name, value) for name, value in page.http.cookies.items() if name.startswith("ringfence_approvals_")]
