"""What Enswitch's answers mean for the record and the budget: refused payments, dry runs, pages that are no answer."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from clients.errors import OutcomeUnknown, Refused
from guard.action import State
from server.settings.model import settings_class
from tests.clients.enswitch_accounts import installations, served_by
from tests.connecting import Person, connect, server_for
from tests.contract_stubs.enswitch import SETTINGS, TOKEN, envelope
from tests.operator_side import OPERATOR, OperatorSide
from tests.tools.enswitch_session import EnswitchSession, open_session
from tools.enswitch.client import LOGIN_PATH
from tools.enswitch.operations.balances import RequestTopup, TopupRequest

PAGE = "<html><body>Please log in</body></html>"


async def spent(model: EnswitchSession) -> Decimal:
    """Sum up what the server recorded as spent, in US dollars."""
    report: dict[str, Any] = (await model.ask("spend_report")).structured_content or {}
    return sum((Decimal(row["amount"].removeprefix("$")) for row in report["recorded_by_this_server"]), Decimal())


async def call_approved(model: EnswitchSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """Make a call that the user or the operator approves, whatever becomes of it; return its action."""
    asked: dict[str, Any] = (await model.ask(tool, **arguments)).structured_content or {}
    if asked.get("state") == State.PROPOSED:
        await model.operator.approve(asked["action"])
        await model.ask(tool, **arguments)
    return await model.operator.newest()


@asynccontextmanager
async def before(answer: Callable[[], httpx2.Response], folder: Path) -> AsyncGenerator[EnswitchSession]:
    """Yield a session whose installation gives one answer to everything but the login."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        return envelope("200", "OK", TOKEN) if request.url.path == LOGIN_PATH else answer()

    settings = settings_class().model_validate(
        {"enswitch": SETTINGS, "state_folder": folder, "toolsets": ["enswitch", "overview"]}
    )
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handler)) as http:
        _, server = server_for(settings, http=http)
        person = Person()
        async with connect(server, person=person) as client:
            yield EnswitchSession(client, person, OperatorSide(settings.state_folder))


# Top-ups -------------------------------------------------------------------------------------------------------------


async def test_a_payment_that_the_gateway_refused_is_refused_and_not_counted(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        await installation.set(refuse_topups=True)
        action = await call_approved(model, "enswitch_request_topup", id=3, amount="50.00")
        assert action["state"] == State.REFUSED
        assert "«The payment was refused.»" in action["outcome"]
        assert await spent(model) == 0


async def test_a_payment_that_the_gateway_took_is_counted(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        action = await call_approved(model, "enswitch_request_topup", id=3, amount="50.00")
        assert action["state"] == State.DONE
        assert await spent(model) == 50


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
        ({"status": "accepted", "error": "", "message": ""}, None),
        ({"status": "", "error": "", "message": ""}, OutcomeUnknown),
        ({}, OutcomeUnknown),
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
async def test_a_dry_run_of_what_is_final_is_the_operators_and_spends_nothing(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        action = await call_approved(model, f"enswitch_{tool}", **arguments, dry_run=True)
        assert (action["state"], action["decided_by"]) == (State.DONE, OPERATOR)
        assert action["outcome"] == "Checked only: nothing was done."
        assert action["quote"]["amount"] is None
        assert action["quote"]["unknown"] == ""
        assert action["title"].startswith("Check only, without doing it: ")
        assert "CANNOT BE UNDONE" not in str(action["quote"])
        assert await spent(model) == 0
        assert await installation.charges() == []


async def test_the_call_itself_is_charged_after_its_dry_run(tmp_path: Path) -> None:
    charge: dict[str, Any] = {"name": "Cabling", "customer": 3, "amount": "80.00"}
    async with installations() as installation, open_session(installation, tmp_path) as model:
        await call_approved(model, "enswitch_create_charge", **charge, dry_run=True)
        await call_approved(model, "enswitch_create_charge", **charge)
        assert await spent(model) == 80


# Pages that are no answer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("purchase_number", {"number": "12015550123"}), ("request_topup", {"amount": "50.00"})],
)
async def test_a_login_page_under_200_leaves_open_what_became_of_the_call(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with before(lambda: httpx2.Response(200, text=PAGE), tmp_path) as model:
        action = await call_approved(model, f"enswitch_{tool}", **arguments)
        assert action["state"] == State.UNKNOWN


async def test_what_was_checked_only_without_being_asked_to_is_refused_and_not_counted(tmp_path: Path) -> None:
    async with before(lambda: envelope("201", "Input passed validation."), tmp_path) as model:
        action = await call_approved(model, "enswitch_request_topup", amount="50.00")
        assert action["state"] == State.REFUSED
        assert await spent(model) == 0
