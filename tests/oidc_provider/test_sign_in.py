"""The whole sign-in at a real provider, over real sockets: by a client that follows it, and in a browser.

`npm install --prefix tests/oidc_provider --no-package-lock` brings the provider; without it these tests are skipped.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from joserfc.jwk import ECKey
from playwright.async_api import expect
from pydantic import SecretStr

from server.console.pages import PageOptions
from server.http.loopback import bind, serve_page
from server.settings.sections.sign_in import OidcSettings
from tests.oidc_provider.running import CLIENT_ID, IS_INSTALLED, SECRET, running_provider, sign_in_there
from tests.server.console.browsing import opened_record, proposed, words_of
from tests.server.console.chromium import CHROMIUM, picture, tab

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="the provider is not installed")

ROLES: Final = {"anna@example.com": "approver"}


@asynccontextmanager
async def _served(folder: Path, *, secret: str | None = SECRET, **changes: Any) -> AsyncGenerator[tuple[str, Any]]:
    """Serve a page and its provider; yields the page's address and its store."""
    chosen: dict[str, Any] = {"roles": ROLES, **changes.pop("sign_in", {})}
    listener = bind(0)
    page = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with running_provider(page, is_public=secret is None, **changes) as issuer:
        oidc = OidcSettings(
            issuer=issuer, client_id=CLIENT_ID, client_secret=SecretStr(secret) if secret else None, **chosen
        )
        async with (
            opened_record(folder) as record,
            serve_page(record, listener, store_address="test", options=PageOptions(oidc=oidc)),
        ):
            yield page, record


async def _sign_in(page: str, name: str) -> tuple[httpx2.Response, httpx2.Response]:
    """Sign in as a browser does; returns what the way back showed, and the page that waits behind it."""
    async with httpx2.AsyncClient(follow_redirects=True, timeout=30) as http:
        login = await http.get(f"{page}/approvals/sign-in/company")
        back = await sign_in_there(http, login, name)
        return back, await http.get(f"{page}/approvals")


async def test_a_person_with_a_role_signs_in_with_her_address(tmp_path: Path) -> None:
    async with _served(tmp_path) as (page, _):
        back, waiting = await _sign_in(page, "anna")
        assert "anna" in words_of(back)
        assert "Nothing waits" in words_of(waiting) or waiting.status_code == 200
        refused, still_out = await _sign_in(page, "bob")
        assert refused.status_code == 403
        assert still_out.status_code == 401
        unverified, _ = await _sign_in(page, "mallory")
        assert unverified.status_code == 403
        assert "verified" in words_of(unverified)


async def test_a_public_client_with_claims_in_its_token_of_another_kind_of_key(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"})
    async with _served(
        tmp_path,
        secret=None,
        sign_in={"scopes": ["openid", "groups"], "roles": {"group:ops": "admin"}},
        client={"id_token_signed_response_alg": "ES256"},
        jwks={"keys": [key.as_dict(private=True)]},
        conformIdTokenClaims=False,
    ) as (page, _):
        back, waiting = await _sign_in(page, "anna")
        assert (back.status_code, waiting.status_code) == (200, 200)
        assert (await _sign_in(page, "bob"))[0].status_code == 403


async def test_a_wrong_secret_is_named(tmp_path: Path) -> None:
    async with _served(tmp_path, secret=SECRET, client={"client_secret": "another secret"}) as (page, _):
        back, waiting = await _sign_in(page, "anna")
        assert "client_secret" in words_of(back)
        assert waiting.status_code == 401


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")
async def test_in_a_browser_the_way_back_ends_on_what_was_wanted(tmp_path: Path) -> None:
    async with _served(tmp_path, sign_in={"name": "Example Corp"}) as (page, record), tab(page) as browser:
        action = await proposed(record)
        await browser.goto(f"/approvals/{action.id}")
        await picture(browser, "single-sign-on")
        await browser.get_by_role("link", name="Sign in with Example Corp").click()
        await browser.locator('input[name="login"]').fill("anna")
        await browser.locator('input[name="password"]').fill("any")
        await browser.get_by_role("button", name="Sign-in").click()
        await browser.get_by_role("button", name="Continue").click()
        await expect(browser).to_have_url(f"{page}/approvals/{action.id}")
        await expect(browser.get_by_role("button", name="Sign out")).to_be_visible()
