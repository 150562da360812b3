"""A receipt in plain words, as a file that others check, and the public keys, which anybody may read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guard.receipts.keys import PublishedKeys
from guard.receipts.receipt import StoredReceipt
from guard.receipts.wording import event_in_words, facts_of, moment
from server.console.access import require_session
from server.console.login import SignIn
from server.console.rendering import Frame
from server.console.sessions import Session
from server.console.urls import ROOT
from server.store.store import Store


@dataclass(frozen=True, slots=True)
class ReceiptLink:
    """A receipt, for lists: its id, and what happened."""

    id: str
    event: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a receipt says."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A receipt, ready for the template."""

    id: str
    number: int
    event: str
    at: str
    facts: tuple[Fact, ...]
    about: str
    """Id of the action or plan that has a page; empty for anything else."""


async def receipt_links(store: Store, subject_id: str) -> Sequence[ReceiptLink]:
    """Return the receipts of an action or a plan, the oldest first."""
    return [ReceiptLink(one.id, event_in_words(one.content.event)) for one in await store.receipts.of(subject_id)]


class ReceiptPages:
    """The handlers of the pages about receipts."""

    def __init__(self, frame: Frame, login: SignIn) -> None:
        self._store = frame.store
        self._frame = frame
        self.login = login

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{ROOT}/keys.json", self.keys),
            Route(f"{ROOT}/receipts/keys.json", self.all_keys),
            Route(f"{ROOT}/receipts/{{receipt_id}}.jsonl", self.download),
            Route(f"{ROOT}/receipts/{{receipt_id}}", self.receipt),
        ]

    async def keys(self, request: Request) -> Response:
        """Return the public keys, to anybody: they are no secret, and whoever checks receipts needs them."""
        return _written(await self._store.receipts.published_keys())

    @require_session
    async def all_keys(self, request: Request, session: Session) -> Response:
        """Return the public keys with those of the passkeys, which name the operators."""
        return _written(await self._store.receipts.published_keys(with_passkeys=True))

    @require_session
    async def receipt(self, request: Request, session: Session) -> Response:
        """Show a receipt in plain words."""
        return await self._frame.show("receipts/receipt.html", session, shown=_view(await self._find(request)))

    @require_session
    async def download(self, request: Request, session: Session) -> Response:
        """Return a receipt as a file that `ringfence verify` checks."""
        found = await self._find(request)
        lines = await self._store.receipts.export_one(found)
        return Response(
            "".join(f"{line}\n" for line in lines),
            media_type="application/jsonl",
            headers={"Content-Disposition": f'attachment; filename="{found.id}.jsonl"'},
        )

    async def _find(self, request: Request) -> StoredReceipt:
        found = await self._store.receipts.find(request.path_params["receipt_id"])
        if found is None:
            raise HTTPException(404, "There is no such receipt.")
        return found


def _written(published: PublishedKeys) -> Response:
    return Response(json.dumps(published.as_json(), indent=2) + "\n", media_type="application/json")


def _view(stored: StoredReceipt) -> ReceiptView:
    receipt = stored.content
    about = receipt.about.id if receipt.about else ""
    return ReceiptView(
        id=stored.id,
        number=receipt.number,
        event=event_in_words(receipt.event),
        at=moment(receipt.at),
        facts=tuple(Fact(name, tuple(value.split("\n"))) for name, value in facts_of(stored)),
        about=about if about.startswith(("act_", "plan_")) else f"allowances/{about}" if about else "",
    )
