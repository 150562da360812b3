"""What costs money, what moves balances, and what the ledger shows of it."""

import pytest

from tests.sandbox.enswitch.doors import Parameters, enswitch

TEXT = {"cnumber": "19175550161", "snumber": "12015550142", "message": "See you at nine."}


async def test_a_number_is_bought_once_at_the_price_of_its_class() -> None:
    async with enswitch() as door:
        assert (await door.call("numbers/purchase", {"number": "12015550120"})).code == "204"
        assert await door.ledger() == [("number_purchase", 1, "1.25")]
        assert await door.balance(3) == "82.95"
        again = await door.call("numbers/purchase", {"number": "12015550120"})
        assert (again.code, again.keys) == ("400", ("number",))
        assert len(await door.ledger()) == 1


async def test_validation_on_a_purchase_is_passed_over_and_the_number_is_bought() -> None:
    async with enswitch() as door:
        reply = await door.call("numbers/purchase", {"number": "12015550120", "validation": 1})
        assert reply.code == "204"
        assert len(await door.ledger()) == 1
        ignored = await door.control("enswitch/ignored_validations")
    assert isinstance(ignored, dict)
    assert ignored["count"] == 1


async def test_a_strict_installation_refuses_validation_where_there_is_none() -> None:
    async with enswitch() as door:
        await door.set(ignore_undocumented_validation=False)
        reply = await door.call("numbers/purchase", {"number": "12015550120", "validation": 1})
        assert (reply.code, reply.keys) == ("400", ("validation",))
        assert await door.ledger() == []


async def test_a_prepaid_customer_without_money_buys_nothing() -> None:
    async with enswitch() as door:
        await door.http.put("/_control/enswitch/balance/3", json={"balance": "1.00"})
        for function, parameters in (
            ("numbers/purchase", {"number": "12015550120"}),
            ("phones/create", {"name": "bw-new", "password": "long-secret"}),
        ):
            assert (await door.call(function, parameters)).code == "400"
        assert await door.ledger() == []
        assert "bw-new" not in [row["name"] for row in await door.table("phones")]


async def test_giving_a_number_up_returns_it_to_the_pool() -> None:
    async with enswitch() as door:
        assert (await door.call("numbers/delete", {"number": "12015550190"})).code == "204"
        free = await door.call("numbers/available/list", {"ingroup": 21, "count": 50}, who=None)
        assert "12015550190" in free.strings


async def test_porting_needs_an_inbound_group() -> None:
    async with enswitch() as door:
        assert (await door.call("numbers/purchase", {"number": "16175550181"})).code == "400"
        assert (await door.call("numbers/purchase", {"number": "16175550181", "ingroup": 21})).code == "204"
        assert (await door.call("numbers/get", {"number": "16175550181"})).fields["status"] == "porting"


async def test_creating_a_telephone_charges_its_fee_and_adds_a_transaction() -> None:
    async with enswitch() as door:
        assert (await door.call("phones/create", {"name": "bw-new", "password": "long-secret"})).code == "204"
        assert await door.ledger() == [("phone_creation", 1, "5.00")]
        last = (await door.call("transactions/list", {"start": 0})).rows[-1]
        assert (last["amount"], last["balance"]) == ("-5.00", "79.20")


async def test_a_call_costs_its_first_minute_at_once_and_the_rest_when_it_ends() -> None:
    async with enswitch() as door:
        await door.call("calls/make", {"snumber": "bw-desk-1", "cnumber": "19175550161"})
        assert await door.ledger() == [("call", 1, "0.02")]
        call = (await door.call("calls/active/list", {"direction": "out"})).rows[0]
        await door.advance(61)
        assert (await door.call("calls/hangup", {"uniqueid": str(call["uniqueid"])})).code == "204"
        assert await door.ledger() == [("call", 1, "0.02"), ("call", 1, "0.02")]
        record = (await door.call("cdrs/list", {"start": 0, "callid": str(call["callid"])})).rows[0]
        assert (record["talktime"], record["cost"], record["status"]) == (61, "0.04", "answered")


async def test_a_call_that_nobody_ends_ends_by_itself() -> None:
    async with enswitch() as door:
        await door.call("calls/make", {"snumber": "bw-desk-1", "cnumber": "19175550161"})
        await door.advance(1000)
        assert (await door.call("calls/active/list")).data == []


@pytest.mark.parametrize("number", ["19005550199", "99912345"])
async def test_a_forbidden_or_unrouted_call_is_accepted_and_fails(number: str) -> None:
    async with enswitch() as door:
        assert (await door.call("calls/make", {"snumber": "bw-desk-1", "cnumber": number})).code == "204"
        assert await door.ledger() == []
        failed = await door.call("cdrs/list", {"start": 0, "status": "failed"})
        assert [row["cnumber"] for row in failed.rows] == [number]


async def test_a_plan_route_is_the_lever_that_opens_premium_numbers() -> None:
    async with enswitch() as door:
        await door.call("plans/routes/update", {"id": 41, "allow": 1}, who="reseller")
        await door.call("calls/make", {"snumber": "bw-desk-1", "cnumber": "19005550199"})
        assert await door.ledger() == [("call", 1, "4.99")]


async def test_the_plans_daily_maximum_stops_calls() -> None:
    async with enswitch() as door:
        await door.call("plans/routes/update", {"id": 41, "allow": 1}, who="reseller")
        for _ in range(12):
            await door.call("calls/make", {"snumber": "bw-desk-1", "cnumber": "19005550199"})
        assert len(await door.ledger()) == 9


async def test_a_text_costs_each_segment_at_the_price_of_its_destination() -> None:
    async with enswitch() as door:
        assert (await door.call("messages/text/send", TEXT)).code == "204"
        long = {**TEXT, "cnumber": "442071838750", "message": "x" * 161}
        assert (await door.call("messages/text/send", long)).code == "204"
        assert await door.ledger() == [("text_message", 1, "0.01"), ("text_message", 2, "0.08")]


async def test_a_text_to_a_forbidden_destination_or_from_a_foreign_number_is_refused() -> None:
    async with enswitch() as door:
        assert (await door.call("messages/text/send", {**TEXT, "cnumber": "19005550199"})).code == "403"
        assert (await door.call("messages/text/send", {**TEXT, "snumber": "12065550188"})).keys == ("snumber",)
        assert (await door.call("messages/text/send", TEXT, who="user")).code == "402"
        assert await door.ledger() == []


async def test_a_plans_charge_bills_every_customer_on_it() -> None:
    async with enswitch() as door:
        assert (await door.call("charges/charge", {"id": 942}, who="reseller")).code == "204"
        assert await door.ledger() == [("charge: Regulatory fee", 1, "2.00")] * 2
        assert (await door.balance(3), await door.balance(4)) == ("82.20", "1.10")


async def test_a_charge_waits_unless_its_period_is_empty() -> None:
    async with enswitch() as door:
        charge: Parameters = {"name": "Cabling", "customer": 3, "amount": "20.00"}
        await door.call("charges/create", {**charge, "period": "monthly"}, who="reseller")
        assert await door.ledger() == []
        await door.call("charges/create", {**charge, "period": ""}, who="reseller")
        assert await door.ledger() == [("charge: Cabling", 1, "20.00")]


async def test_a_one_time_charge_is_billed_once() -> None:
    async with enswitch() as door:
        assert (await door.call("charges/charge", {"id": 941}, who="reseller")).code == "204"
        assert (await door.call("charges/charge", {"id": 941}, who="reseller")).code == "400"
        assert len(await door.ledger()) == 1


async def test_balance_without_a_transaction_leaves_no_record_but_the_ledger() -> None:
    async with enswitch() as door:
        added: Parameters = {"id": 3, "amount": "10.00"}
        before = len(await door.table("transactions"))
        assert (await door.call("customers/balance/add", added, who="reseller")).code == "204"
        assert len(await door.table("transactions")) == before
        await door.call("customers/balance/add", {**added, "transaction": "credit"}, who="reseller")
        assert len(await door.table("transactions")) == before + 1
        assert await door.balance(3) == "104.20"
        assert await door.ledger() == [("balance_added", 1, "10.00")] * 2


@pytest.mark.parametrize("amount", ["-5.00", "0.00"])
async def test_balance_is_only_added(amount: str) -> None:
    async with enswitch() as door:
        reply = await door.call("customers/balance/add", {"id": 3, "amount": amount}, who="reseller")
    assert (reply.code, reply.keys) == ("400", ("amount",))


async def test_a_balance_set_by_update_writes_the_difference() -> None:
    async with enswitch() as door:
        assert (await door.call("customers/update", {"id": 3, "balance": "500.00"}, who="reseller")).code == "204"
        assert await door.ledger() == [("balance_set", 1, "415.80")]


async def test_a_refused_topup_is_still_code_200() -> None:
    async with enswitch() as door:
        await door.set(refuse_topups=True)
        reply = await door.call("customers/topup/request", {"amount": "50.00"})
        assert (reply.code, reply.fields["error"]) == ("200", 1)
        assert (await door.balance(3), await door.ledger()) == ("84.20", [])


async def test_a_voucher_is_used_once() -> None:
    async with enswitch() as door:
        assert (await door.call("vouchers/use", {"serial": "BW-TOPUP-25"})).data == {
            "amount": "25.00",
            "balance": "109.20",
        }
        assert (await door.call("vouchers/use", {"serial": "BW-TOPUP-25"})).code == "404"


async def test_cards_and_call_shops_make_money_that_can_be_spent() -> None:
    async with enswitch() as door:
        batch: Parameters = {"cardgroup": 961, "batch_name": "May", "balance": "10.00", "number": 5, "batch_number": 2}
        await door.call("cards/batches/create", batch, who="reseller")
        await door.call("callshops/create", {"credit": "20.00", "number": 3, "plan": 3}, who="reseller")
        assert await door.ledger() == [("cards_created", 10, "100.00"), ("callshop_credit", 3, "60.00")]
        assert len(await door.table("cards")) == 10


async def test_sending_invoices_reaches_every_customer_below() -> None:
    async with enswitch() as door:
        reply = await door.call("invoices/send", {"status": "both"}, who="reseller")
        assert reply.data == {"count": 3}
        assert [what for what, _, _ in await door.ledger()] == ["invoice_sent"] * 3


async def test_a_million_numbers_may_be_asked_for_and_are_charged_if_told_to() -> None:
    async with enswitch() as door:
        block: Parameters = {"class": 1, "ingroup": 21, "start": "12015559000"}
        assert (await door.call("numbers/system/create", {**block, "end": "12017559000"}, who="admin")).code == "400"
        sold: Parameters = {**block, "end": "12015559009", "customer": 3, "charge_customer": 1}
        assert (await door.call("numbers/system/create", sold, who="admin")).data == {"count": 10}
        assert await door.ledger() == [("number_purchase", 10, "12.50")]
