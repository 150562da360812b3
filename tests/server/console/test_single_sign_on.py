"""Signing in with the company's accounts, at a provider that tells the truth and at one that lies."""

import re
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse, RedirectResponse, Response

from clients.shared.clock import Clock, SystemClock
from guard.operators.roles import Role
from server.cli.health_checks import check_single_sign_on
from server.console.oidc.transport import LARGEST_ANSWER
from server.console.pages import PageOptions
from server.console.passcode import set_passcode
from server.settings.model import settings_class
from server.settings.sections.sign_in import OidcSettings
from server.store.store import Store
from tests.clocks import ShiftedClock
from tests.server.console.browsing import (
    PASSCODE,
    Browser,
    browser,
    opened_record,
    page_over,
    proposed,
    token_in,
    words_of,
)
from tests.server.console.fake_provider import (
    CLIENT_ID,
    FakeProvider,
    fake_provider,
    rsa_key,
    signed_with_public_key,
    unsigned,
)

SECRET: Final = "s3cret with blanks & signs"
NOW: Final = int(datetime.now(UTC).timestamp())


@dataclass
class Company:
    """A page, its provider, and a browser that has not signed in."""

    provider: FakeProvider
    record: Store
    app: Any
    page: Browser

    async def go_there(self, page: Browser | None = None, *, wanted: str = "") -> dict[str, str]:
        """Follow the button to the provider and sign in there; returns what the browser brings back."""
        sent = await (page or self.page).open(f"/sign-in/company?wanted={wanted}")
        assert sent.status_code == 303, words_of(sent)
        return self.provider.authorize(sent.headers["location"])

    async def come_back(self, answer: dict[str, str], page: Browser | None = None) -> httpx2.Response:
        """Come back from the provider, as a link on another site is followed."""
        return await (page or self.page).http.get(
            "/approvals/sign-in/company/back", params=answer, headers={"Sec-Fetch-Site": "cross-site"}
        )

    async def sign_in(self, page: Browser | None = None, *, wanted: str = "") -> httpx2.Response:
        """Go there and come back."""
        return await self.come_back(await self.go_there(page, wanted=wanted), page)

    async def is_signed_in(self, page: Browser | None = None) -> bool:
        """Whether the page of what waits is shown."""
        return (await (page or self.page).open()).status_code == 200


@asynccontextmanager
async def company(folder: Path, *, clock: Clock | None = None, **settings: Any) -> AsyncGenerator[Company]:
    """Serve a provider, and a page that trusts it."""
    async with fake_provider() as provider, opened_record(folder) as record:
        chosen: dict[str, Any] = {"client_id": CLIENT_ID, "roles": {"anna@example.com": "approver"}, **settings}
        options = PageOptions(oidc=OidcSettings(issuer=provider.issuer, name="Example Corp", **chosen))
        app = page_over(record, clock=clock or SystemClock(), options=options)
        async with browser(app) as page:
            yield Company(provider, record, app, page)


async def test_the_button_leads_to_the_provider_and_back_to_what_was_wanted(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        page = words_of(await here.page.open("/plan_abcdefgh"))
        link = re.search(r'<a class="button" href="([^"]+)">Sign in with Example Corp</a>', page)
        assert link is not None, page
        assert link[1] == "/approvals/sign-in/company?wanted=plan_abcdefgh"
        back = await here.sign_in(wanted="plan_abcdefgh")
        assert back.status_code == 200
        assert '<meta http-equiv="refresh" content="0;url=/approvals/plan_abcdefgh">' in back.text
        assert "anna@example.com" in words_of(back)
        assert await here.is_signed_in()


async def test_the_provider_gets_what_it_needs_and_nothing_secret_in_an_address(tmp_path: Path) -> None:
    async with company(tmp_path, client_secret=SecretStr(SECRET), scopes=["openid", "groups"]) as here:
        sent = (await here.page.open("/sign-in/company")).headers["location"]
        asked = dict(parse_qsl(urlsplit(sent).query))
        assert asked.pop("tenant") == "1"
        assert asked["scope"] == "openid groups"
        assert asked["redirect_uri"] == "http://127.0.0.1:8766/approvals/sign-in/company/back"
        assert set(asked) == {
            *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
            *("code_challenge", "code_challenge_method"),
        }
        await here.come_back(here.provider.authorize(sent))
        path, form, login = here.provider.seen[-2]
        assert path == "/token"
        assert "client_secret" not in form
        assert b64decode(login.removeprefix("Basic ")) == b"ringfence:s3cret+with+blanks+%26+signs"
        assert len(form["code_verifier"]) >= 43
        assert form["code_verifier"] not in sent


async def test_a_public_client_names_itself_in_the_form(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        assert (await here.sign_in()).status_code == 200
        path, form, login = next(seen for seen in here.provider.seen if seen[0] == "/token")
        assert (path, form["client_id"], login) == ("/token", CLIENT_ID, "")


def _changes(**changes: Any) -> Callable[[FakeProvider], None]:
    """Lay values over a field of the provider."""

    def change(provider: FakeProvider) -> None:
        for name, value in changes.items():
            present: object = getattr(provider, name)
            setattr(provider, name, {**present, **value} if isinstance(present, dict) else value)

    return change


def _claims(**claims: Any) -> Callable[[FakeProvider], None]:
    return _changes(claims=claims)


def _with_public_key(provider: FakeProvider) -> None:
    provider.forge = signed_with_public_key(provider.key)


LIES: Final[dict[str, tuple[Callable[[FakeProvider], None], str]]] = {
    "another issuer": (_claims(iss="https://login.example.com"), "`iss`"),
    "another sign-in": (_claims(nonce="another"), "another sign-in"),
    "another client": (_claims(aud="payroll"), "`aud`"),
    "expired": (_claims(exp=NOW - 120), "expired"),
    "not signed": (_changes(forge=unsigned), "signature"),
    "signed with the public key": (_with_public_key, "signature"),
}
"""A few of those in test_single_sign_on_checks.py, as a person meets them."""


@pytest.mark.parametrize("lie", LIES)
async def test_a_token_that_does_not_fit_signs_nobody_in(lie: str, tmp_path: Path) -> None:
    change, why = LIES[lie]
    async with company(tmp_path) as here:
        change(here.provider)
        back = await here.sign_in()
        assert back.status_code == 502
        assert why in words_of(back)
        assert not await here.is_signed_in()


ANSWERS: Final[dict[str, tuple[str, Response, str]]] = {
    "another issuer's document": (
        "/.well-known/openid-configuration",
        JSONResponse({"issuer": "https://login.example.com"}),
        "another issuer",
    ),
    "a redirect of the document": (
        "/.well-known/openid-configuration",
        RedirectResponse("https://login.example.com"),
        "answered 307",
    ),
    "a document that is none": ("/.well-known/openid-configuration", Response("<html>"), "answered 200"),
    "a document without an end": ("/.well-known/openid-configuration", Response(b" " * (LARGEST_ANSWER + 1)), "larger"),
    "a compressed document": (
        "/.well-known/openid-configuration",
        Response(b"x", headers={"Content-Encoding": "gzip"}),
        "compressed",
    ),
    "a redirect of the tokens": ("/token", RedirectResponse("https://login.example.com"), "status 307"),
    "another client's code": ("/token", JSONResponse({"error": "invalid_grant"}, 400), "invalid_grant"),
    "a wrong secret": ("/token", JSONResponse({"error": "invalid_client"}, 401), "client_secret"),
    "an error in a stranger's words": (
        "/token",
        JSONResponse({"error": "<b>Call 911</b>"}, 400),
        "no name of an error",
    ),
    "tokens without one of identity": ("/token", JSONResponse({"access_token": "a"}), "without an ID token"),
    "keys that are none": ("/keys", JSONResponse({"keys": "none"}), "no key"),
}


@pytest.mark.parametrize("fault", ANSWERS)
async def test_an_answer_that_does_not_fit_signs_nobody_in(fault: str, tmp_path: Path) -> None:
    path, answer, why = ANSWERS[fault]
    async with company(tmp_path) as here:
        here.provider.answers = {path: answer}
        failed = await here.page.open("/sign-in/company")
        if failed.status_code == 303:
            failed = await here.come_back(here.provider.authorize(failed.headers["location"]))
        assert failed.status_code == 502
        assert why in words_of(failed)
        assert "stranger" not in failed.text
        assert "911" not in failed.text
        assert not await here.is_signed_in()


async def test_a_provider_that_cannot_be_reached_is_not_asked_again_at_once(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with company(tmp_path, clock=clock) as here:
        here.provider.document = {"issuer": "https://login.example.com"}
        for _ in range(3):
            assert (await here.page.open("/sign-in/company")).status_code == 502
        assert here.provider.reads("/.well-known/openid-configuration") == 1
        here.provider.document = {}
        clock.ahead = timedelta(seconds=31)
        assert (await here.sign_in()).status_code == 200


async def test_an_answer_is_good_once(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        answer = await here.go_there()
        cookies = dict(here.page.http.cookies)
        assert (await here.come_back(answer)).status_code == 200
        here.page.http.cookies.clear()
        assert (await here.come_back(answer)).status_code == 400
        here.page.http.cookies.update(cookies)
        again = await here.come_back(answer)
        assert "completed already" in words_of(again)
        assert not await here.is_signed_in()
        assert here.provider.reads("/token") == 1


async def test_another_browsers_answer_signs_nobody_in(tmp_path: Path) -> None:
    async with company(tmp_path) as here, browser(here.app) as victim:
        attackers = await here.go_there()
        back = await here.come_back(attackers, victim)
        assert back.status_code == 400
        assert "begun no sign-in" in words_of(back)
        await here.go_there(victim)
        back = await here.come_back(attackers, victim)
        assert "another sign-in" in words_of(back)
        assert not await here.is_signed_in(victim)
        assert here.provider.reads("/token") == 0


async def test_a_sign_in_ends_after_ten_minutes(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with company(tmp_path, clock=clock) as here:
        answer = await here.go_there()
        clock.ahead = timedelta(minutes=10, seconds=1)
        back = await here.come_back(answer)
        assert "longer than 10 minutes" in words_of(back)
        assert not await here.is_signed_in()


async def test_a_cookie_that_somebody_else_made_counts_for_nothing(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        answer = await here.go_there()
        name = next(name for name in here.page.http.cookies if name.startswith("ringfence_sign_in"))
        for forged in ("", "a", "é", "gAAAAA", "x" * 9000):
            here.page.http.cookies.clear()
            sent = await here.page.http.get(
                "/approvals/sign-in/company/back", params=answer, headers={b"Cookie": f"{name}={forged}".encode()}
            )
            assert sent.status_code == 400


@pytest.mark.parametrize(
    ("names_itself", "named", "status"),
    [
        (True, "its own", 200),
        (True, None, 502),
        (False, None, 200),
        (False, "its own", 200),
        (True, "https://login.example.com", 502),
        (False, "https://login.example.com", 502),
    ],
)
async def test_an_answer_from_another_provider_is_refused(
    names_itself: bool, named: str | None, status: int, tmp_path: Path
) -> None:
    async with company(tmp_path) as here:
        here.provider.document = {"authorization_response_iss_parameter_supported": names_itself}
        answer = await here.go_there()
        if named is not None:
            answer["iss"] = here.provider.issuer if named == "its own" else named
        assert (await here.come_back(answer)).status_code == status
        assert here.provider.reads("/token") == (status == 200)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "cancelled there"),
        ("temporarily_unavailable", "(temporarily_unavailable)"),
        ("<b>Call 911</b>", "no name of an error"),
    ],
)
async def test_what_went_wrong_at_the_provider_is_said_without_its_words(error: str, said: str, tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        answer = await here.go_there()
        asked = {"state": answer["state"], "error": error, "error_description": "Call 911"}
        back = await here.come_back(asked)
        assert said in words_of(back)
        assert "911" not in back.text
        assert not await here.is_signed_in()


@pytest.mark.parametrize("query", ["state=a&state=b", "code=" + "a" * 9000, "&".join(f"a{n}=1" for n in range(17)), ""])
async def test_an_answer_that_cannot_be_read_is_refused(query: str, tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        await here.go_there()
        assert (await here.page.open(f"/sign-in/company/back?{query}")).status_code == 400


async def test_keys_that_the_provider_changed_are_read_again_but_not_for_every_token(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with company(tmp_path, clock=clock) as here:
        assert (await here.sign_in()).status_code == 200
        assert here.provider.reads("/keys") == 1
        clock.ahead = timedelta(seconds=31)
        assert (await here.sign_in()).status_code == 200
        assert here.provider.reads("/keys") == 1
        here.provider.key = rsa_key("second")
        assert (await here.sign_in()).status_code == 200
        assert here.provider.reads("/keys") == 2
        here.provider.key, here.provider.published = rsa_key("other"), [rsa_key("second").as_dict(private=False)]
        assert "no key" in words_of(await here.sign_in())
        assert here.provider.reads("/keys") == 2


@pytest.mark.parametrize(
    ("claims", "roles", "is_let_in"),
    [
        ({"groups": ["staff", "ops"]}, {"group:ops": "admin"}, True),
        ({"email": "bob@example.com"}, {"anna@example.com": "admin"}, False),
        ({"email_verified": False}, {"anna@example.com": "admin"}, False),
    ],
    ids=["a group", "another person", "an address that nobody verified"],
)
async def test_only_a_verified_address_or_a_group_with_a_role_signs_in(
    claims: dict[str, Any], roles: dict[str, str], is_let_in: bool, tmp_path: Path
) -> None:
    async with company(tmp_path, roles=roles) as here:
        _claims(**claims)(here.provider)
        back = await here.sign_in()
        assert back.status_code == (200 if is_let_in else 403)
        assert is_let_in or "Your account may not sign in here" in words_of(back)
        assert await here.is_signed_in() is is_let_in


@pytest.mark.parametrize(
    ("userinfo", "status"),
    [
        ({"sub": "00u1", "email": "anna@example.com", "email_verified": True}, 200),
        ({"sub": "00u2", "email": "anna@example.com", "email_verified": True}, 502),
        ({"email": "anna@example.com", "email_verified": True}, 502),
        ({"sub": "00u1", "email": "mallory@example.com", "email_verified": True}, 403),
        ({"sub": "00u1"}, 403),
    ],
    ids=["the same account", "another account", "no account", "another address, verified", "nothing more"],
)
async def test_what_the_token_lacks_is_asked_for_of_the_same_account(
    userinfo: dict[str, Any], status: int, tmp_path: Path
) -> None:
    async with company(tmp_path) as here:
        _claims(email_verified=None)(here.provider)
        here.provider.userinfo = userinfo
        assert (await here.sign_in()).status_code == status
        assert here.provider.seen[-1][2] == "Bearer an-access-token"


@pytest.mark.parametrize(
    ("proved", "status"),
    [(NOW - 240, 200), (NOW - 420, 502), (None, 502), ("now", 502), (float("nan"), 502)],
    ids=["just now", "long ago", "not said", "no time", "never"],
)
async def test_an_older_sign_in_at_the_provider_is_not_enough_where_a_fresh_one_is_wanted(
    proved: object, status: int, tmp_path: Path
) -> None:
    async with company(tmp_path, max_age_minutes=5) as here:
        _claims(auth_time=proved)(here.provider)
        answer = await here.go_there()
        assert next(iter(here.provider.codes.values()))["max_age"] == "300"
        assert (await here.come_back(answer)).status_code == status


async def test_an_account_becomes_an_operator_whose_role_follows_the_provider(tmp_path: Path) -> None:
    async with company(tmp_path, roles={"anna@example.com": "viewer", "group:ops": "approver"}) as here:
        here.provider.userinfo = {"sub": "00u1"}
        action = await proposed(here.record, expires_at=datetime.now(UTC) + timedelta(minutes=15))
        await here.sign_in()
        viewed = await here.page.open(f"/{action.id}")
        assert f'action="/approvals/{action.id}/approve"' not in viewed.text
        answered = await here.page.send(f"/{action.id}/approve", token=token_in(viewed.text))
        assert answered.status_code == 403
        _claims(groups=["ops"])(here.provider)
        await here.sign_in()
        assert (await here.page.press(f"/{action.id}/approve", on=f"/{action.id}")).status_code == 303
        approved = await here.record.journal.find(action.id)
        assert approved is not None
        assert approved.approvers == ("anna@example.com",)
        anna = await here.record.operators.find_subject(f"{here.provider.issuer} 00u1")
        assert anna is not None
        assert (anna.name, anna.role, anna.created_by) == ("anna@example.com", Role.APPROVER, "single sign-on")
        assert {session.via for session in await here.record.sessions.open(datetime.now(UTC))} == {"oidc"}


async def test_who_has_no_role_any_more_is_signed_out_everywhere(tmp_path: Path) -> None:
    async with company(tmp_path) as here, browser(here.app) as other:
        await here.sign_in()
        _claims(email="anna@example.org")(here.provider)
        assert (await here.sign_in(other)).status_code == 403
        assert not await here.is_signed_in()
        rows = [row async for row in here.record.audit.rows() if row["event"] == "sign-in refused"]
        assert f"{here.provider.issuer} 00u1" in str(rows[0]["detail"])


async def test_who_is_disabled_here_stays_out_whatever_the_provider_says(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        await here.sign_in()
        await here.record.operators.disable("anna@example.com", by="a test", at=datetime.now(UTC))
        assert not await here.is_signed_in()
        assert "disabled" in words_of(await here.sign_in())
        assert not await here.is_signed_in()


async def test_an_address_that_went_to_another_account_opens_no_old_door(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        await here.sign_in()
        here.page.http.cookies.clear()
        _claims(sub="00u2")(here.provider)
        back = await here.sign_in()
        assert back.status_code == 403
        assert "Another operator has the name anna@example.com" in words_of(back)
        assert not await here.is_signed_in()


async def test_no_account_becomes_an_operator_who_was_added_otherwise(tmp_path: Path) -> None:
    async with company(tmp_path, roles={"group:ops": "admin"}) as here:
        await here.record.operators.add("anna", Role.VIEWER, by="a test", at=datetime.now(UTC))
        for name in ("anna", "Anna", "local"):
            _claims(email_verified=False, preferred_username=name, groups=["ops"], sub=f"of {name}")(here.provider)
            assert (await here.sign_in()).status_code == 403
        anna = await here.record.operators.find("anna")
        assert anna is not None
        assert (anna.role, anna.subject) == (Role.VIEWER, None)


async def test_a_new_passcode_ends_no_session_of_the_company(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        await here.sign_in()
        await set_passcode(here.record, "another passcode", old=PASSCODE)
        assert await here.is_signed_in()


async def test_another_sites_page_cannot_begin_a_sign_in(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        sent = await here.page.http.get(
            "/approvals/sign-in/company?wanted=act_abcdefgh", headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert sent.headers["location"] == "http://127.0.0.1:8766/approvals/act_abcdefgh"
        assert not here.page.http.cookies


@pytest.mark.parametrize("wanted", ["//evil.example.com", "https://evil.example.com", "../history", "act_x/approve"])
async def test_a_sign_in_leads_nowhere_else(wanted: str, tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        back = await here.sign_in(wanted=wanted)
        assert '<meta http-equiv="refresh" content="0;url=/approvals">' in back.text


async def test_a_sign_in_begins_a_session_that_nobody_knew(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        answer = await here.go_there()
        session = next(name for name in _cookies(await here.come_back(answer)) if "approvals" in name)
        first = here.page.http.cookies[session]
        await here.sign_in()
        assert here.page.http.cookies[session] != first


async def test_cookies_are_bound_as_each_needs_it(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        begun = _cookies(await here.page.open("/sign-in/company"))
        assert len(begun) == 1
        attributes = begun.popitem()[1].lower()
        assert "samesite=lax" in attributes
        assert "path=/approvals/sign-in/company" in attributes
        assert "httponly" in attributes
        assert "max-age=600" in attributes
        back = _cookies(await here.sign_in())
        assert "samesite=strict" in next(value for name, value in back.items() if "approvals" in name).lower()
        assert "max-age=0" in next(value for name, value in back.items() if "sign_in" in name).lower()


async def test_guessing_ends_after_a_few_attempts(tmp_path: Path) -> None:
    async with company(tmp_path) as here:
        here.provider.forge = unsigned
        statuses = [(await here.sign_in()).status_code for _ in range(6)]
        assert statuses == [502] * 5 + [429]


async def test_doctor_says_whether_the_provider_fits_and_which_address_it_must_know() -> None:
    async with fake_provider() as provider:
        oidc = OidcSettings(issuer=provider.issuer, client_id=CLIENT_ID, roles={"anna@example.com": Role.VIEWER})
        given: dict[str, Any] = {"sign_in": {"oidc": oidc}, "approvals": {"address": "https://ringfence.example.com/"}}
        settings = settings_class()(**given)
        (found,) = await check_single_sign_on(settings)
        assert found.state == "ok"
        assert found.detail.endswith(" https://ringfence.example.com/approvals/sign-in/company/back")
        provider.document = {"issuer": "https://login.example.com"}
        (found,) = await check_single_sign_on(settings)
        assert (found.state, "another issuer" in found.detail) == ("fail", True)
    assert await check_single_sign_on(settings_class()()) == []


async def test_without_settings_there_is_no_button_and_no_way(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, browser(page_over(record)) as page:
        assert "Sign in with" not in (await page.open()).text
        for path in ("/sign-in/company", "/sign-in/company/back?code=a&state=b"):
            assert (await page.open(path)).status_code == 404


def _cookies(answer: httpx2.Response) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}
