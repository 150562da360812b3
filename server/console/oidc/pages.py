"""The two steps of a sign-in that the browser sees: off to the provider, and back from it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clients.shared.clock import Clock
from guard.operator_commands import OperatorCommands
from server.console.login import SignIn
from server.console.oidc.admission import Admission
from server.console.oidc.client import OidcClient
from server.console.oidc.errors import AccountRefused, NotSignedIn, ProviderMisfit
from server.console.oidc.pending import LIFETIME, PendingSignIn, PendingSignIns
from server.console.rendering import render
from server.console.urls import ROOT, asked_id
from server.settings.sections.sign_in import OidcSettings
from server.store.store import Store

logger = logging.getLogger(__name__)

BEGIN: Final = f"{ROOT}/sign-in/company"
BACK: Final = f"{BEGIN}/back"
"""The redirect URI to register at the provider, below the address of the page."""

LARGEST_ANSWER: Final = 8 * 1024
"""Bytes of what the provider adds to the redirect URI; the longest known codes have 2 KB."""

MOST_FIELDS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySignInSetup:
    """The dependencies of the two steps."""

    settings: OidcSettings
    store: Store
    clock: Clock
    login: SignIn
    commands: OperatorCommands
    address: str | None
    """Public address of the page; None where it is that under which a browser found it."""


def routes(setup: CompanySignInSetup) -> Sequence[Route]:
    """Build the routes of a sign-in with the company's accounts."""
    sign_in = CompanySignIn(setup)
    return (Route(BEGIN, sign_in.begin), Route(BACK, sign_in.come_back))


class CompanySignIn:
    """Sends browsers to the provider, and begins a session for those that come back with an account of it."""

    def __init__(self, setup: CompanySignInSetup) -> None:
        self._store = setup.store
        self._login = setup.login
        self._admission = Admission(setup.store, setup.clock)
        self._commands = setup.commands
        self._address = setup.address
        self._client = OidcClient(setup.settings, setup.clock)
        self._pending = PendingSignIns(setup.store, setup.clock)

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider, with a cookie by which it is known when it comes back.

        Only our own sign-in page begins it, at the page's own address; any other link leads to that page.
        """
        wanted = asked_id(request.query_params.get("wanted", ""))
        base = self._base(request)
        at_home = urlsplit(base).netloc.lower() == request.headers["host"].lower()  # no cookie goes to another host
        if not at_home or request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            return RedirectResponse(f"{base}{ROOT}/{wanted}" if wanted else f"{base}{ROOT}", 303)
        pending = self._pending.begin(redirect_uri=f"{base}{BACK}", wanted=wanted)
        try:
            address = await self._client.address_for(pending)
        except NotSignedIn as misfit:
            return self._refuse(misfit, status=502)
        answer = RedirectResponse(address, 303)
        self._set_cookie(answer, self._pending.cookie_for(pending), pending)
        return answer

    async def come_back(self, request: Request) -> Response:
        """Sign in whoever the provider says has signed in there, by the browser that began it, once."""
        try:
            given = _read_answer(request)
            pending = self._pending.match(request.cookies.get(self._pending.cookie_name), given.get("state", ""))
            if (one_too_many := await self._login.take_attempt(request)) is not None:
                return one_too_many
            await self._pending.use(pending)
            operator = await self._admission.operator_of(await self._client.account_of(pending, given))
            # Not a redirect: it would count as one from the provider's site, and the session's strict cookie stay away.
            goes_on = f"{ROOT}/{pending.wanted}" if pending.wanted else ROOT
            answer = render("signed_in_there.html", self._commands, root=ROOT, goes_on=goes_on, name=operator.name)
            await self._login.set_session(request, answer, operator, via="oidc")
        except (AccountRefused, ProviderMisfit) as refused:
            return await self._note_refusal(refused)
        except NotSignedIn as failed:
            return self._refuse(failed, status=400)
        answer.delete_cookie(self._pending.cookie_name, path=BEGIN, httponly=True, samesite="lax")
        return answer

    def _base(self, request: Request) -> str:
        """Return the page's public address, or that under which the browser found it, which was checked."""
        return (self._address or f"{request.url.scheme}://{request.headers['host']}").rstrip("/")

    def _set_cookie(self, answer: Response, value: str, pending: PendingSignIn) -> None:
        answer.set_cookie(
            self._pending.cookie_name,
            value,
            max_age=int(LIFETIME.total_seconds()),
            path=BEGIN,
            secure=pending.redirect_uri.startswith("https:"),
            httponly=True,
            samesite="lax",  # a strict one would stay away from the way back, which begins on the provider's site
        )

    async def _note_refusal(self, refused: AccountRefused | ProviderMisfit) -> Response:
        """Put a refusal on the record, with the account where the provider vouches for one."""
        logger.warning("%s", refused)
        detail = {"via": "oidc"}
        if isinstance(refused, AccountRefused):
            detail["account"] = refused.subject
            await self._admission.shut_out(refused.subject)
        await self._store.audit.note("sign-in refused", principal="someone at the approval page", detail=detail)
        return self._refuse(refused, status=403 if isinstance(refused, AccountRefused) else 502)

    def _refuse(self, why: NotSignedIn, *, status: int) -> Response:
        message = self._commands.complete(f"{why} Nobody was signed in. {why.advice}")
        return render("not_signed_in.html", self._commands, status=status, root=ROOT, message=message)


def _read_answer(request: Request) -> dict[str, str]:
    """Read what the provider added to the redirect URI, each field once.

    Raises:
        NotSignedIn: It cannot be read so.
    """
    query = request.url.query
    try:
        if len(query) > LARGEST_ANSWER:
            raise ValueError("too long")
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise NotSignedIn("The answer of the sign-in provider cannot be read.") from None
    given = dict(fields)
    if len(given) < len(fields):
        raise NotSignedIn("The answer of the sign-in provider cannot be read.")
    return given
