"""The pages of a record as an operator reads them, over a socket and at a time that stands still."""

import re
from collections.abc import Collection
from datetime import datetime
from html import unescape

import anyio
import httpx2
import uvicorn

from server.console.page_identity import PageIdentity
from server.console.pages import PageSetup, approval_app
from server.console.urls import ROOT
from server.http.loopback import QuietServer, bind
from server.store.store import Store
from tests.server.console.browsing import PASSCODE, FixedClock


async def words_of_pages(store: Store, paths: Collection[str], at: datetime) -> dict[str, str]:
    """Serve the pages of a store, sign in, and return what each says."""
    listener, clock = bind(0), FixedClock()
    clock.at = at
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    base = f"http://{host}"
    identity = PageIdentity(store.seal, store_address="a record", base=base)
    app = approval_app(PageSetup(store=store, hosts=[host], identity=identity, clock=clock))
    server = QuietServer(uvicorn.Config(app, log_level="warning", lifespan="off"))
    said: dict[str, str] = {}
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listener])
        await server.listening.wait()
        try:
            async with httpx2.AsyncClient(base_url=base, follow_redirects=True) as http:
                form = {"passcode": PASSCODE, "wanted": ""}
                signed_in = await http.post(f"{ROOT}/sign-in", data=form, headers={"Origin": base})
                assert "Sign out" in signed_in.text
                said |= {path: _words(await http.get(path)) for path in paths}
        finally:
            server.stopping.set()
    return said


def _words(page: httpx2.Response) -> str:
    plain = re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", page.text))
    return f"{page.status_code} {' '.join(unescape(plain).split())}"
