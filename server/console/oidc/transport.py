"""Requests to the OpenID Connect provider: bounded in size and time, and never redirected."""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

import anyio
import httpx2

from clients.shared.http_client import HttpPool
from server.console.oidc.errors import ProviderMisfit

PATIENCE_SECONDS: Final = 10.0
"""For one request with its whole answer; a person waits at the browser."""

LARGEST_ANSWER: Final = 256 * 1024
"""Bytes. The largest documents of known providers have some 10 KB; their lists of keys grow by 2 KB a key."""

_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""An answer that is not compressed is as large as what was read of it."""


async def get_json(url: str, *, token: str | None = None) -> dict[str, Any]:
    """Read a document of the provider; `token` is an access token for it.

    Raises:
        ProviderMisfit: It cannot be reached, or does not answer with a document.
    """
    headers = {**_HEADERS, "Authorization": f"Bearer {token}"} if token else _HEADERS
    status, document = await _send("GET", url, headers=headers)
    if status != 200 or document is None:
        raise ProviderMisfit(f"The sign-in provider answered {status} where a JSON document was expected.")
    return document


async def post_form(
    url: str, fields: Mapping[str, str], *, login: tuple[str, str] | None, declared: bool = False
) -> tuple[int, dict[str, Any] | None]:
    """Post a form to the provider and return status and document; `login` is sent as HTTP Basic.

    With `declared`, only what the answer's own type says is JSON counts as a document.

    Raises:
        ProviderMisfit: It cannot be reached.
    """
    return await _send("POST", url, headers=_HEADERS, fields=fields, login=login, declared=declared)


async def _send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    fields: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
    declared: bool = False,
) -> tuple[int, dict[str, Any] | None]:
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            async with HttpPool(PATIENCE_SECONDS) as pool:
                request = pool.client.build_request(method, url, headers=headers, data=fields)
                answer = await pool.client.send(
                    request, stream=True, auth=httpx2.BasicAuth(*login) if login else None, follow_redirects=False
                )
                try:
                    body = await _read(answer)
                    is_document = not declared or _is_json(answer.headers.get("content-type", ""))
                    return answer.status_code, _document(body) if is_document else None
                finally:
                    await answer.aclose()
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as failed:
        raise ProviderMisfit(f"The sign-in provider cannot be reached ({type(failed).__name__}).") from None


async def _read(answer: httpx2.Response) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProviderMisfit("The sign-in provider compressed its answer, though nobody asked for it.")
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise ProviderMisfit(f"The sign-in provider's answer is larger than {LARGEST_ANSWER} bytes.")
    return bytes(body)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _document(body: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None for anything else."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None
