"""Webhooks of several accounts: each has URLs of its own, and reports of one settle nothing of another."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx2

from guard.money import Money
from guard.rules.budget import Cap
from server.services import Services
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from server.store.store import open_store
from tests.connecting import Person, content_of
from tests.over_http import connect_over_http, serve_over_http
from tests.ports import free_port
from tests.sandbox_control import sandboxes
from tools.webhooks import Callback

SHOP: Final = "shop-1"
ALICE: Final = "a-long-token-of-alice"
BOB: Final = "a-long-token-of-bob"
OF_SHOP: Final = "+12065550177"
CUSTOMER: Final = "306971234567"


def inbound(message: str, text: str) -> dict[str, Any]:
    return {
        "messageId": message,
        "from": CUSTOMER,
        "to": "12065550177",
        "message": text,
        "parts": 1,
        "originatingService": "Sms",
        "direction": "Inbound",
        "receivedDate": "2026-11-21T10:00:00Z",
    }


async def test_each_account_has_urls_of_its_own_and_events_name_theirs(tmp_path: Path) -> None:
    port = free_port()
    public = {
        "tokens": {"alice": {"token": ALICE, "accounts": [SHOP]}, "bob": BOB},
        "public_address": f"http://127.0.0.1:{port}",
    }
    async with sandboxes() as sandbox, httpx2.AsyncClient() as http:
        named = {SHOP: {"provider": "routee"}}
        given = {"state_folder": tmp_path, "toolsets": ["all"], "http": public, "accounts": named}
        services = Services(for_sandbox(settings_class().model_validate(given), sandbox.url))
        async with serve_over_http(services.settings, services, port=port) as url:
            own, shops = services.webhook_secret(), services.webhook_secret(SHOP)
            assert own != shops
            assert services.webhook_url("routee", "sms") == f"{url}/webhooks/routee/{own}/sms"
            assert services.webhook_url(SHOP, "sms") == f"{url}/webhooks/shop-1/{shops}/sms"
            for account, secret, status in (
                ("routee", own, 200),
                (SHOP, shops, 200),
                (SHOP, own, 404),
                ("routee", shops, 404),
                ("klinik", own, 404),
            ):
                body = inbound("in-1", "STOP" if account == SHOP else "Hello")
                answer = await http.post(f"{url}/webhooks/{account}/{secret}/inbound", json=body)
                assert answer.status_code == status
            async with connect_over_http(url, BOB) as client:
                every = content_of(await client.call_tool("list_events", {}))["events"]
            async with connect_over_http(url, ALICE) as client:
                of_shop = content_of(await client.call_tool("list_events", {}))["events"]
                waited = content_of(await client.call_tool("wait_for_events", {"seconds": 0, "cursor": "0"}))["events"]
            opted_out = await _optouts(services)
            async with connect_over_http(url, ALICE, person=Person()) as client:
                number = {"number": OF_SHOP, "inbound_sms_url": "inbox"}
                done = await client.call_tool("routee_update_number", number)
                assert not done.is_error, done
                shown = await client.call_tool("routee_list_numbers", {})
            [update] = await sandbox.requests(method="PUT", path=OF_SHOP.strip("+"))
            assert f"{url}/webhooks/shop-1/{shops}/inbound" in str(update["body"])
            assert shops not in str(shown)
            assert "inbox" in str(shown.structured_content)
        await services.close()
    assert [event["account"] for event in every] == ["routee", SHOP]
    assert [event["account"] for event in of_shop] == [SHOP]
    assert [event["account"] for event in waited] == [SHOP]
    assert opted_out == [(f"+{CUSTOMER}", "texted routee, account shop-1")]


async def test_reports_of_one_account_settle_nothing_of_another(tmp_path: Path) -> None:
    record = open_store(f"sqlite:///{tmp_path / 'record.db'}", tmp_path)
    try:
        report = Callback(
            provider="routee",
            kind="sms",
            subject="m-1",
            identity="m-1 1 Delivered",
            state="Delivered",
            price=Decimal("0.05"),
            at=datetime(2026, 11, 21, 10, tzinfo=UTC),
        )
        await record.events.track("routee", ["m-1"], "act_own")
        await record.events.track("routee", ["m-1"], "act_shop", account=SHOP)
        await record.events.take_in(replace(report, account=SHOP, price=Decimal("0.09")))
        assert await record.events.settled_price(report) is None
        assert await record.events.settled_price(replace(report, account=SHOP)) == ("act_shop", Decimal("0.09"))
        await record.events.take_in(report)
        assert await record.events.settled_price(report) == ("act_own", Decimal("0.05"))
        [spent] = await record.journal.spent([Cap("day", Money(Decimal(1)), account=SHOP)], datetime.now(UTC))
        assert spent.amount == 0
    finally:
        await record.database.close()


async def _optouts(services: Services) -> list[tuple[str, str]]:
    return list(await services.store.optouts.all())
