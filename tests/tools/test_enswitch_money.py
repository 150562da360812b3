"""What Enswitch's answers mean for the record and the budget: refused payments, dry runs, pages that are no answer."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from clients.errors import OutcomeUnknown, Refused
from guard.action import Action, State
from guard.money import Money
from guard.rules.budget import Cap
from server.services import Services
from server.settings.model import settings_class
from tests.clients.enswitch_accounts import installations, served_by
from tests.connecting import Person, connect, server_for
from tests.contract_stubs.enswitch import SETTINGS, TOKEN, envelope
from tests.tools.enswitch_session import Session, session
from tools.enswitch.client import LOGIN_PATH
from tools.enswitch.operations.balances import RequestTopup, TopupRequest

PAGE = "<html><body>Please log in</body></html>"


async def spent(services: Services) -> Decimal:
    """What counts against the budget of the day, in US dollars."""
    (sum_of_day,) = await services.store.journal.spent([Cap("day", Money(Decimal(10_000)))], datetime.now(UTC))
    return sum_of_day.amount


async def last(services: Services) -> Action:
    """The newest action on the record."""
    return (await services.store.journal.latest(1))[0]


async def approved(model: Session, tool: str, **arguments: Any) -> None:
    """A call that the user or the operator approved, whatever becomes of it."""
    await model.ask(tool, **arguments)
    asked = await last(model.services)
    if asked.state is State.PROPOSED:
        await model.services.guard.approve(asked.id, by="the operator")
        await model.ask(tool, **arguments)


@asynccontextmanager
async def before(answer: Callable[[], httpx2.Response], folder: Path) -> AsyncGenerator[Session]:
    """A session whose installation gives one answer to everything but the login."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        return envelope("200", "OK", TOKEN) if request.url.path == LOGIN_PATH else answer()

    settings = settings_class().model_validate({"enswitch": SETTINGS, "state_folder": folder, "toolsets": ["enswitch"]})
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handler)) as http:
        services, server = server_for(settings, http=http)
        person = Person()
        async with connect(server, person=person) as client:
            yield Session(client, person, services)
        await services.store.database.close()


# Top-ups -------------------------------------------------------------------------------------------------------------


async def test_a_payment_that_the_gateway_refused_is_refused_and_not_counted(tmp_path: Path) -> None:
    async with installations() as installation, session(installation, tmp_path) as model:
        await installation.set(refuse_topups=True)
        await approved(model, "enswitch_request_topup", id=3, amount="50.00")
        action = await last(model.services)
        assert action.state is State.REFUSED
        assert "«The payment was refused.»" in (action.outcome or "")
        assert await spent(model.services) == 0


async def test_a_payment_that_the_gateway_took_is_counted(tmp_path: Path) -> None:
    async with installations() as installation, session(installation, tmp_path) as model:
        await approved(model, "enswitch_request_topup", id=3, amount="50.00")
        assert (await last(model.services)).state is State.DONE
        assert await spent(model.services) == 50


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"status": "declined", "error": 0}, Refused),
        ({"status": "Payment failed"}, Refused),
        ({"status": "", "error": "51", "message": "Insufficient funds"}, Refused),
        ({"error": 1}, Refused),
        ({"status": "approved", "error": 1}, OutcomeUnknown),
        ({"status": "approved", "error": 0, "message": ""}, None),
        ({"status": "settled", "error": "00"}, None),
        ({"status": 1, "error": "none"}, None),
        ({}, None),
    ],
    ids=str,
)
async def test_what_the_gateway_says_is_read(said: dict[str, Any], meant: type[Exception] | None) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        return envelope("200", "OK", TOKEN if request.url.path == LOGIN_PATH else said)

    call = RequestTopup.model_validate({"amount": "50.00"})
    async with served_by(handler) as client:
        if meant is None:
            answer: TopupRequest = await client.send(call)
            assert not answer.says_no
        else:
            with pytest.raises(meant):
                await client.send(call)


# Dry runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_charge", {"name": "Cabling", "customer": 3, "amount": "80.00"}),
        ("create_card_batches", {"cardgroup": 961, "batch_name": "Fair", "number": 1000, "balance": "10.00"}),
        ("create_callshops", {"credit": "20.00", "number": 5, "plan": 3}),
    ],
)
async def test_a_dry_run_is_asked_about_and_spends_nothing(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with installations() as installation, session(installation, tmp_path) as model:
        await approved(model, f"enswitch_{tool}", **arguments, dry_run=True)
        action = await last(model.services)
        assert (action.state, action.decided_by) == (State.DONE, "the operator")
        assert action.outcome == "Checked only: nothing was done."
        assert action.quote.costs_nothing
        assert await spent(model.services) == 0
        assert await installation.charges() == []


async def test_the_call_itself_is_charged_after_its_dry_run(tmp_path: Path) -> None:
    charge: dict[str, Any] = {"name": "Cabling", "customer": 3, "amount": "80.00"}
    async with installations() as installation, session(installation, tmp_path) as model:
        await approved(model, "enswitch_create_charge", **charge, dry_run=True)
        await approved(model, "enswitch_create_charge", **charge)
        assert await spent(model.services) == 80


# Pages that are no answer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("purchase_number", {"number": "12015550123"}), ("request_topup", {"amount": "50.00"})],
)
async def test_a_login_page_under_200_leaves_open_what_became_of_the_call(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with before(lambda: httpx2.Response(200, text=PAGE), tmp_path) as model:
        await approved(model, f"enswitch_{tool}", **arguments)
        assert (await last(model.services)).state is State.UNKNOWN


async def test_what_was_checked_only_without_being_asked_to_is_refused_and_not_counted(tmp_path: Path) -> None:
    async with before(lambda: envelope("201", "Input passed validation."), tmp_path) as model:
        await approved(model, "enswitch_request_topup", amount="50.00")
        assert (await last(model.services)).state is State.REFUSED
        assert await spent(model.services) == 0
