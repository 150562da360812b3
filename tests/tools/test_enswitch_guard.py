"""What a person is asked about Enswitch calls, what is refused, and how a call is taken back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clients.evidence import Evidence
from clients.operation import Operation
from tests.clients.enswitch_accounts import COMPANY, installations, person
from tests.tools.enswitch_session import open_session, text_of
from tools.enswitch.operations.calls import MakeCall
from tools.enswitch.operations.charges import CreateCharge
from tools.enswitch.operations.customers import CreateCustomer, UpdateCustomer
from tools.enswitch.operations.features import CreateAddress, CreateHuntgroup, CreateSpeeddial
from tools.enswitch.operations.messages import CreateMailbox, SendFax, SendText
from tools.enswitch.operations.people import CreatePerson, DeletePerson
from tools.enswitch.operations.phone_numbers import PurchaseNumber, UpdateNumber
from tools.enswitch.operations.phones import CreatePhone, UpdatePhone
from tools.enswitch.operations.plan_routes import CreatePlanRoute, DeletePlanRoute
from tools.enswitch.operations.queues import CreateQueueDestination, UpdateQueue
from tools.enswitch.operations.system_numbers import CreateSystemNumbers, DeleteSystemNumber

NOW = datetime(2026, 11, 20, tzinfo=UTC)


# Money ---------------------------------------------------------------------------------------------------------------


async def test_a_top_up_is_asked_about_with_the_amount_in_the_currency_of_the_settings(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path, currency="EUR") as model:
        asked = await model.ask("enswitch_request_topup", amount="20.00", id=3)
        assert "€20.00" in text_of(asked)
        assert await installation.charges() == []


async def test_an_amount_with_a_currency_of_its_own_is_asked_about_in_that(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path, currency="EUR") as model:
        asked = await model.ask("enswitch_add_customer_balance", id=3, amount="5.00", currency="GBP")
        assert "£5.00" in text_of(asked)


async def test_a_price_that_no_call_shows_is_said_to_be_unknown_and_never_nothing(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        await model.ask("enswitch_purchase_number", number="+12015550120", customer=3)
        assert "Price unknown" in model.person.questions[-1]


async def test_a_charge_of_a_plan_says_that_everybody_on_it_pays(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        asked = text_of(await model.ask("enswitch_create_charge", name="Fee", plan=3, amount="2.00"))
        assert "EVERY customer on the rate plan is billed" in asked
        assert "Price unknown" in asked
        await model.do("enswitch_create_charge", name="Fee", plan=3, amount="2.00", period="now")
        assert len(await installation.charges()) == 2


def test_numbers_put_into_the_pool_are_charged_to_nobody() -> None:
    made = CreateSystemNumbers(start="12015550300", end="12015550399", number_class=1, ingroup=21)
    assert made.charge() is None
    charged = made.model_copy(update={"customer": 3, "charge_customer": True}).charge()
    assert charged is not None
    assert (charged.quantity, made.recipient_count()) == (100, 100)


def test_a_range_of_numbers_has_a_beginning_and_an_end_that_fit() -> None:
    for start, end in (("12015550399", "12015550300"), ("1201", "12015550300"), ("10000000", "19999999")):
        with pytest.raises(ValueError, match=r"start|digits"):
            CreateSystemNumbers(start=start, end=end, number_class=1, ingroup=21)


def test_a_customer_costs_something_only_with_a_balance() -> None:
    new: dict[str, Any] = {"name": "Oakview", "plan": 3, "email": "a@oakview.example"}
    assert CreateCustomer.model_validate(new).charge() is None
    given = CreateCustomer.model_validate({**new, "balance": "10"}).charge()
    assert given is not None
    assert given.rate == "balance"
    assert UpdateCustomer.model_validate({"id": 3, "balance": "0"}).charge() is not None


def test_a_charge_that_comes_back_monthly_says_so() -> None:
    monthly = CreateCharge.model_validate(
        {"name": "Fee", "customer": 3, "amount": "2", "number": 3, "period": "monthly"}
    )
    assert (monthly.charge().per, monthly.charge().quantity) == ("month", 3)
    yearly = CreateCharge.model_validate({"name": "Fee", "customer": 3, "amount": "2", "period": "annually"})
    assert yearly.warnings() == ("It is billed again annually.",)


# Destinations --------------------------------------------------------------------------------------------------------

PREMIUM = "19005550199"
ENDS: dict[str, Any] = {
    f"{end}{part}": "hangup" if part == "type" else "" for end in "adhn" for part in ("type", "number")
}


@pytest.mark.parametrize(
    "call",
    [
        UpdateNumber(number="12015550142", dtype="external", dnumber="+1 900 555 0199"),
        UpdateNumber(number="12015550142", dnumber=PREMIUM),
        UpdateNumber(number="12015550142", fax_dtype="forward", fax_dnumber=PREMIUM),
        UpdatePhone(name="bw-rey", aoc=False, allowed_ua="", dtype="external", dnumber=PREMIUM),
        UpdateQueue.model_validate({"id": 801, **ENDS, "htype": "external", "hnumber": PREMIUM, "events_url": ""}),
        CreateQueueDestination(queue=801, dtype="forward", dnumber=PREMIUM),
        CreateQueueDestination(queue=801, dtype="sipuri", dnumber=f"sip:{PREMIUM}@carrier.example"),
        CreateHuntgroup(name="Night", dtype="external", dnumber=PREMIUM),
        CreateSpeeddial(stype="phone", snumber="bw-rey", sdial="1", dnumber=PREMIUM),
        CreateAddress(user="a", domain="b.example", dtype="external", dnumber=PREMIUM),
        MakeCall(snumber="bw-rey", cnumber=PREMIUM),
        MakeCall(snumber=PREMIUM, cnumber="12015550142", stype="external"),
        SendText(cnumber=PREMIUM, snumber="12015550142", message="x"),
        SendFax(cnumber=PREMIUM, data="JQ=="),
    ],
    ids=lambda call: call.spec.name,
)
def test_every_number_that_a_call_reaches_is_shown_to_the_guard(call: Operation[Any]) -> None:
    assert f"+{PREMIUM}" in call.destinations()


@pytest.mark.parametrize(
    ("kind", "target"), [("queue", "801"), ("mailbox", "203"), ("phone", "bw-nyc-1"), ("hangup", "")]
)
def test_what_stays_inside_is_no_telephone_number(kind: str, target: str) -> None:
    assert UpdateNumber(number="12015550142", dtype=kind, dnumber=target).destinations() == ()


@pytest.mark.parametrize("target", ["1900HOTLINE", "*6719005550199"])
async def test_what_is_dialled_but_cannot_be_read_as_a_number_is_refused(target: str, tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        asked = await model.ask("enswitch_update_number", number="12015550142", dtype="external", dnumber=target)
        assert "nothing was sent" in text_of(asked)
        assert await installation.calls_of("numbers/update") == []


async def test_a_voicemail_that_gives_orders_is_fenced_stays_unheard_and_its_orders_are_refused(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path, COMPANY) as model:
        heard = await model.ask("enswitch_get_message", mailbox="201", message="msg0002")
        assert "comes from outside" in text_of(heard)
        stored = {row["name"]: row for row in await installation.ask("tables/messages") if row["mailbox"] == "201"}
        assert stored["msg0002"]["listened"] == 0
        order = await model.ask("enswitch_update_number", number="12015550142", dtype="external", dnumber=PREMIUM)
        assert "premium-rate" in text_of(order)
        assert await installation.calls_of("numbers/update") == []


# Secrets -------------------------------------------------------------------------------------------------------------


async def test_a_sip_password_is_never_asked_for(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        shown = await model.ask("enswitch_get_phone", name="bw-desk-1")
        assert "sip-secret" not in text_of(shown)
        (request,) = await installation.calls_of("phones/get")
        assert set(request["body"]) == {"auth_token", "name"}


@pytest.mark.parametrize(
    ("tool", "arguments", "table", "column"),
    [
        ("create_person", {"username": "new.one", "email": "n@b.example", "role": 5}, "people", "password"),
        ("create_phone", {"name": "bw-new", "customer": 3}, "phones", "password"),
        ("create_mailbox", {"mailbox": "210", "customer": 3}, "mailboxes", "pin"),
        ("create_conference", {"code": "4150", "generate_talkpin": True}, "conferences", "talkpin"),
    ],
)
async def test_a_new_secret_is_kept_for_the_operator(
    tool: str, arguments: dict[str, Any], table: str, column: str, tmp_path: Path
) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        done = await model.ask(f"enswitch_{tool}", **arguments)
        secret = (await installation.ask(f"tables/{table}"))[-1][column]
        assert len(secret) >= 8
        assert secret not in text_of(done)
        assert f"{column} (sent)" in text_of(done)
        assert all(secret not in question for question in model.person.questions)
        assert secret not in str(await installation.requests())


async def test_acting_as_somebody_else_is_for_the_operator_and_the_token_too(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        asked = await model.ask("enswitch_switch_user", username="dr.rey")
        assert model.person.questions == [], "the model's own user is not who decides"
        assert "auth_token" not in str(asked.structured_content)
        done = await model.do("enswitch_switch_user", username="dr.rey")
        assert done["username"] == "dr.rey"
        assert "auth_token" not in done


# Traps ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "missing"),
    [
        ("update_queue", {"id": 801, "ringtime": 20}, ["atype", "hnumber", "events_url"]),
        ("update_phone", {"name": "bw-rey", "dnd": True}, ["aoc", "allowed_ua"]),
        ("update_outcost", {"id": 11, "cost": "0.03"}, ["callergroup"]),
    ],
)
async def test_what_an_update_would_reset_has_to_be_said(
    tool: str, arguments: dict[str, Any], missing: list[str], tmp_path: Path
) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        refused = text_of(await model.ask(f"enswitch_{tool}", **arguments))
        assert all(f"- {name}:" in refused for name in missing)
        assert await installation.requests() == []


async def test_a_dry_run_is_made_without_a_question(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        checked = await model.do("enswitch_create_plan_route", called_prefix="49", plan=3, dry_run=True)
        assert checked["validated"] is True
        assert model.person.questions == []


async def test_pages_are_fetched_by_the_cursor_that_was_given(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await model.do("enswitch_list_numbers", customer=3, limit=4, **cursor)
            seen += [row["number"] for row in page["numbers"]]
            if "next_cursor" not in page:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_outcosts", {"plan": 1, "peer": 61}),
        ("create_charge", {"name": "Fee", "amount": "1"}),
        ("get_invoice", {}),
        ("hang_up_call", {"uniqueid": "a", "callid": "b"}),
        ("get_queue_destination", {"queue": 801, "dtype": "phone"}),
        ("list_queue_destinations", {"queue": 801, "dtype": "phone", "dnumber": "bw-rey"}),
        ("get_person", {"id": 302, "username": "dr.rey"}),
        ("switch_user", {}),
        ("create_conference", {"code": "4150"}),
        ("list_call_records", {}),
    ],
)
async def test_arguments_that_exclude_or_need_each_other_are_refused_before_sending(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        refused = await model.ask(f"enswitch_{tool}", **arguments)
        assert refused.is_error
        assert "nothing was sent" in text_of(refused)
        assert await installation.requests() == []


# Taking back ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "table"),
    [
        ("create_plan_route", {"called_prefix": "49", "plan": 3}, "plan_routes"),
        ("update_plan_route", {"route": "42", "allow": "forbid", "description": "none", "peer1": 61}, "plan_routes"),
        ("update_number", {"number": "12015550142", "dtype": "mailbox", "dnumber": "201"}, "numbers"),
        ("update_system_number", {"number": "12015550142", "customer": 4}, "numbers"),
        ("update_invoice", {"id": 922, "status": "paid"}, "invoices"),
        ("delete_customer", {"id": 4}, "customers"),
        ("restore_customer", {"id": 6}, "customers"),
        ("create_person", {"username": "new.one", "email": "n@b.example", "role": 5}, "people"),
        ("create_phone_hardware", {"phone": "bw-rey", "hardware_address": "00155d0a0199"}, "phone_hardware"),
    ],
)
async def test_what_was_done_is_taken_back_whole(
    tool: str, arguments: dict[str, Any], table: str, tmp_path: Path
) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        before = await installation.ask(f"tables/{table}")
        done = await model.do(f"enswitch_{tool}", **arguments)
        assert await installation.ask(f"tables/{table}") != before
        await model.do("undo_action", action_id=done["action"])
        assert await installation.ask(f"tables/{table}") == before


async def test_a_route_that_was_deleted_comes_back_under_another_id(tmp_path: Path) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        before = await installation.ask("tables/plan_routes")
        done = await model.do("enswitch_delete_plan_route", route="41")
        await model.do("undo_action", action_id=done["action"])
        after = await installation.ask("tables/plan_routes")
        assert sorted(_without_id(row) for row in after) == sorted(_without_id(row) for row in before)


def _without_id(row: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((name, str(value)) for name, value in row.items() if name != "id")


async def test_a_tax_liability_that_was_set_is_set_back(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"tax": 951, "type": "customer", "number": 3}
    async with installations() as installation, open_session(installation, tmp_path) as model:
        done = await model.do("enswitch_set_tax_liability", **asked, liable=True)
        await model.do("undo_action", action_id=done["action"])
        assert (await model.do("enswitch_get_tax_liability", **asked))["liable"] is False


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("update_customer", {"id": 3, "auto_topup": True}, "no call that undoes this"),
        ("hang_up_call", {"uniqueid": "seed.live"}, "must be made again"),
        ("export_customers", {"customer": 3}, "exported data has left"),
        ("create_plan_route", {"called_prefix": "49", "plan": 3, "dry_run": True}, "dry run"),
    ],
)
async def test_what_cannot_be_taken_back_is_said_to_be_so(
    tool: str, arguments: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    async with installations() as installation, open_session(installation, tmp_path) as model:
        done = await model.do(f"enswitch_{tool}", **arguments)
        refused = await model.ask("undo_action", action_id=done["action"])
        assert refused.is_error
        assert reason in text_of(refused)


# Finding out ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        CreatePlanRoute(called_prefix="49", plan=3),
        DeletePlanRoute(route="41"),
        PurchaseNumber(number="12015550120", customer=3),
        DeleteSystemNumber(number="12015550120"),
        DeletePerson(id=303),
    ],
    ids=lambda call: call.spec.name,
)
async def test_whether_a_lost_call_happened_is_found_out_by_looking(call: Operation[Any]) -> None:
    async with installations() as installation, person(installation) as client:
        assert await _happened(client, call) is Evidence.NO
        await client.send(call)
        assert await _happened(client, call) is Evidence.YES


@pytest.mark.parametrize(
    "call",
    [
        CreatePerson.model_validate({"username": "new.one", "password": "x" * 12, "email": "n@b.example", "role": 5}),
        CreatePhone.model_validate({"name": "bw-new", "password": "x" * 12, "customer": 3}),
        CreateMailbox.model_validate({"mailbox": "210", "pin": "77312290", "customer": 3}),
    ],
    ids=lambda call: call.spec.name,
)
async def test_what_was_made_with_a_secret_may_have_been_there_with_another(call: Operation[Any]) -> None:
    async with installations() as installation, person(installation) as client:
        assert await _happened(client, call) is Evidence.NO
        await client.send(call)
        assert await _happened(client, call) is Evidence.UNKNOWN


async def _happened(client: Any, call: Operation[Any]) -> object:
    from clients.errors import NotFound

    verification = call.verification(NOW)
    assert verification is not None
    try:
        return verification.check(await client.send(verification.read))
    except NotFound:
        return verification.if_absent
