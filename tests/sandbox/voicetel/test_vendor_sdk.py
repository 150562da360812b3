"""The vendor's own SDK runs against the simulated VoiceTel: somebody else's reading of the API keeps ours honest."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import voicetel
from pydantic import ValidationError
from voicetel import AsyncClient, models

from sandbox.voicetel.catalog import ENDPOINTS
from tests.sandbox.voicetel.documented.account import SEEDED_ADDRESS
from tests.sandbox.voicetel.documented.numbering import PORT_BODY
from tests.sandbox.voicetel.doors import ADMIN_KEY, KEY
from tests.sandbox_control import Sandbox, sandboxes

MAIN = "2015550142"
FAX = "2015550143"
STREET = {"address1": "411 Hackensack Avenue", "city": "Hackensack", "state": "NJ", "zip": "07601"}

PORT = {name: value for name, value in PORT_BODY.items() if value}
"""The SDK takes no empty suffix of a street; it leaves such a member out."""

Call = Callable[[AsyncClient], Awaitable[object]]

CALLS: tuple[Call, ...] = (
    lambda sdk: sdk.account.get(),
    lambda sdk: sdk.account.update(models.AccountPutRequest(notify=False, timezone="America/Chicago")),
    lambda sdk: sdk.account.cdr(),
    lambda sdk: sdk.account.credits(status="paid"),
    lambda sdk: sdk.account.recurring_charges(),
    lambda sdk: sdk.account.payments(),
    lambda sdk: sdk.account.registration(),
    lambda sdk: sdk.account.recover(models.AccountRecoverRequest(email="office@bluewater.example")),
    lambda sdk: sdk.account.signup(models.AccountSignupRequest(name="Acme Inc", email="acme@example.com")),
    lambda sdk: sdk.acl.add(models.AclModifyRequest(acl=[models.CidrEntry(cidr="203.0.113.0/24")])),
    lambda sdk: sdk.acl.list(),
    lambda sdk: sdk.acl.remove(cidrs=["203.0.113.0/24"]),
    lambda sdk: sdk.authentication.get(),
    lambda sdk: sdk.authentication.update(models.AuthPutRequest(authType=3)),
    lambda sdk: sdk.e911.validate(models.E911AddressRequest(**STREET)),
    lambda sdk: sdk.e911.create(models.E911CreateRequest(dn=FAX, callername="JOHN DOE", **STREET)),
    lambda sdk: sdk.e911.list(),
    lambda sdk: sdk.e911.get(MAIN),
    lambda sdk: sdk.e911.provision(
        MAIN, models.E911ProvisionByIdRequest(callername="JOHN DOE", addressid=SEEDED_ADDRESS)
    ),
    lambda sdk: sdk.e911.remove(MAIN),
    lambda sdk: sdk.gateways.add(models.GatewayAddRequest(gateway="203.0.113.77:5060", prefix="9", limit=23)),
    lambda sdk: sdk.gateways.list(),
    lambda sdk: sdk.gateways.get(1000),
    lambda sdk: sdk.gateways.numbers(1000),
    lambda sdk: sdk.gateways.update(1003, models.GatewayUpdateRequest(limit=100)),
    lambda sdk: sdk.gateways.remove(1003),
    lambda sdk: sdk.inumbering.coverage(count_by="rateCenter", npa="512"),
    lambda sdk: sdk.inumbering.search_inventory(tn_mask="201", quantity=5),
    lambda sdk: sdk.inumbering.order(
        models.OrderCreateRequest(
            numbers=["2015550101", models.OrderNumberSpec(number="2015550102", route=1000), "2015550113"]
        )
    ),
    lambda sdk: sdk.inumbering.port_availability("9175550185"),
    lambda sdk: sdk.inumbering.submit_port(models.PortSubmitRequest.model_validate(PORT)),
    lambda sdk: sdk.inumbering.ports(),
    lambda sdk: sdk.inumbering.port("w1473"),
    lambda sdk: sdk.lookups.cnam("9175550161"),
    lambda sdk: sdk.lookups.lrn("2125550145", MAIN),
    lambda sdk: sdk.messaging.send(
        models.MessageSendRequest(fromNumber=MAIN, toNumber="9175550161", text="See you tomorrow.")
    ),
    lambda sdk: sdk.messaging.history(number=MAIN, type="dlr"),
    lambda sdk: sdk.messaging.brands(
        models.MessagingBrandCreateRequest(messagingBrandId="BNEW123", messagingBrandName="Acme Inc")
    ),
    lambda sdk: sdk.messaging.campaign_create(
        models.MessagingCampaignCreateRequest(
            messagingBrandId="BNEW123", externalCampaignId="CXY1234", campaignDescription="Reminders"
        )
    ),
    lambda sdk: sdk.messaging.campaign_status(ids=["CBW7T2K", "CXY1234"]),
    lambda sdk: sdk.messaging.numbers_state(numbers=[MAIN, "9175550161"]),
    lambda sdk: sdk.messaging.health(),
    lambda sdk: sdk.messaging.health_alerts(),
    lambda sdk: sdk.messaging.set_health_alerts(enabled=False),
    lambda sdk: sdk.messaging.health_check(number=MAIN),
    lambda sdk: sdk.messaging.health_samples(number=MAIN),
    lambda sdk: sdk.numbers.list(),
    lambda sdk: sdk.numbers.get(MAIN),
    lambda sdk: sdk.numbers.add(models.NumberAddRequest(number="9175550187", route=4)),
    lambda sdk: sdk.numbers.set_route(MAIN, models.NumberRouteRequest(route=1001)),
    lambda sdk: sdk.numbers.set_translation(MAIN, models.NumberTranslationRequest(translation="2015559999")),
    lambda sdk: sdk.numbers.set_cnam(MAIN, models.NumberCnamRequest(enabled=False)),
    lambda sdk: sdk.numbers.set_lidb(MAIN, models.NumberLidbRequest(cnam="ACME CORP")),
    lambda sdk: sdk.numbers.set_fax(MAIN, models.NumberFaxRequest(email="fax@example.com")),
    lambda sdk: sdk.numbers.get_fax(MAIN),
    lambda sdk: sdk.numbers.remove_fax(MAIN),
    lambda sdk: sdk.numbers.set_forward(MAIN, models.NumberForwardRequest(destination="9175550161")),
    lambda sdk: sdk.numbers.remove_forward(MAIN),
    lambda sdk: sdk.numbers.set_sms(MAIN, models.NumberSmsRequest(type="email", resource="user@example.com")),
    lambda sdk: sdk.numbers.get_sms(MAIN),
    lambda sdk: sdk.numbers.patch_messaging(MAIN, models.NumberMessagingPatchRequest(routeIn=7002, routeOut=17)),
    lambda sdk: sdk.numbers.remove_sms(MAIN),
    lambda sdk: sdk.numbers.get_messaging(MAIN),
    lambda sdk: sdk.numbers.assign_campaign(MAIN, models.NumberCampaignAssignRequest(campaignId="CBW9Q4M")),
    lambda sdk: sdk.numbers.unassign_campaign(MAIN, campaign_id="CBW9Q4M"),
    lambda sdk: sdk.numbers.bulk_unassign_campaign(["2125550145", "9175550161"], campaign_id="CBW7T2K"),
    lambda sdk: sdk.numbers.set_port_out_pin(MAIN, models.PortOutPinUpdateRequest(pin="4287")),
    lambda sdk: sdk.numbers.move("7205550151", models.NumberMoveRequest(accountId=2015550177, route=1000)),
    lambda sdk: sdk.numbers.remove("4045550155"),
    lambda sdk: sdk.numbers.release("6465550147"),
    lambda sdk: sdk.support.create(models.TicketCreateRequest(subject="Help", message="Please help me")),
    lambda sdk: sdk.support.list(),
    lambda sdk: sdk.support.get(30412),
    lambda sdk: sdk.support.messages(30412),
    lambda sdk: sdk.support.reply(30412, models.TicketReplyRequest(message="Thank you for your reply.")),
    lambda sdk: sdk.support.update(30412, models.TicketUpdateRequest(status="closed")),
)
"""Every operation that takes an ordinary key, each in a state that the calls before it have left."""

FOR_ADMINISTRATORS: tuple[Call, ...] = (
    lambda sdk: sdk.account.add(
        models.AccountAddRequest(username="2015550190", name="Acme Inc", email="acme@example.org")
    ),
    lambda sdk: sdk.support.delete(30412),
)

WITHOUT_A_BODY = {
    ("DELETE", "gateways/1003"),
    ("DELETE", f"e911/{MAIN}"),
    ("DELETE", f"numbers/{MAIN}/fax"),
    ("DELETE", f"numbers/{MAIN}/forward"),
    ("DELETE", f"numbers/{MAIN}/sms"),
    ("DELETE", "numbers/4045550155"),
    ("POST", "numbers/6465550147/release"),
    ("DELETE", "support/tickets/30412"),
}
"""What is answered with 204."""


def sdk_for(sandbox: Sandbox, key: str | None = KEY) -> AsyncClient:
    """Return the SDK as a client of the sandbox. It repeats nothing: it would wait half a second before."""
    return AsyncClient(api_key=key, base_url=sandbox.voicetel, max_retries=0)


async def test_every_documented_operation_is_what_the_sdk_expects() -> None:
    async with sandboxes() as sandbox, sdk_for(sandbox) as sdk, sdk_for(sandbox, ADMIN_KEY) as administrator:
        for call in CALLS:
            await call(sdk)
        for call in FOR_ADMINISTRATORS:
            await call(administrator)
        async with sdk_for(sandbox, None) as nobody:
            assert await nobody.login("2015550100", "Harbor2026") == KEY == nobody.api_key
        requests = await sandbox.requests()
    assert not [row for row in requests if row["status"] >= 400]
    assert _called(requests) == {(endpoint.method, endpoint.pattern.pattern) for endpoint in ENDPOINTS}
    empty = {(row["method"], row["path"].removeprefix("/v2.2/")) for row in requests if row["status"] == 204}
    assert empty == WITHOUT_A_BODY


def _called(requests: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {
        (endpoint.method, endpoint.pattern.pattern)
        for row in requests
        for endpoint in ENDPOINTS
        if endpoint.method == row["method"] and endpoint.pattern.fullmatch(row["path"])
    }


async def test_the_far_end_of_a_message_is_a_number_in_the_document_and_text_in_the_sdk() -> None:
    """The one answer that the two describe differently. The simulation follows the document; our tool reads both."""
    async with sandboxes() as sandbox, sdk_for(sandbox) as sdk:
        with pytest.raises(ValidationError) as found:
            await sdk.messaging.history(number=MAIN)
    assert {error["loc"][2:] for error in found.value.errors()} == {("value", "number")}
    assert {error["type"] for error in found.value.errors()} == {"string_type"}


ERRORS: tuple[tuple[type[voicetel.ApiError], Call], ...] = (
    (voicetel.BadRequestError, lambda sdk: sdk.account.recover(models.AccountRecoverRequest(email="office"))),
    (voicetel.AuthenticationError, lambda sdk: sdk.login("2015550100", "wrong")),
    (voicetel.PermissionDeniedError, lambda sdk: sdk.support.delete(30412)),
    (voicetel.NotFoundError, lambda sdk: sdk.numbers.get("9175550161")),
    (
        voicetel.ConflictError,
        lambda sdk: sdk.messaging.send(
            models.MessageSendRequest(fromNumber=MAIN, toNumber="9175550163", text="To one who opted out")
        ),
    ),
)


async def test_errors_are_read_by_the_sdk_as_it_names_them() -> None:
    async with sandboxes() as sandbox, sdk_for(sandbox) as sdk:
        for kind, call in ERRORS:
            with pytest.raises(kind) as found:
                await call(sdk)
            assert found.value.code == found.value.status_code
            assert str(found.value)
        await sandbox.break_with("status", provider="voicetel", method="GET", status=503, times=1)
        with pytest.raises(voicetel.ServerError):
            await sdk.numbers.list()
        for _ in range(5):
            await sdk.account.get()
        with pytest.raises(voicetel.RateLimitError):
            await sdk.account.get()


async def test_an_order_that_the_sdk_repeats_after_a_lost_answer_is_charged_once() -> None:
    """It sends every write under a key of its own, and repeats it under that key."""
    order = models.OrderCreateRequest(numbers=["2015550101"])
    async with sandboxes() as sandbox, AsyncClient(api_key=KEY, base_url=sandbox.voicetel, max_retries=1) as sdk:
        await sandbox.break_with("drop_after", provider="voicetel", method="POST", path="/orders", times=1)
        placed = await sdk.inumbering.order(order)
        again = await sdk.inumbering.order(models.OrderCreateRequest(numbers=["2015550102"]))
        orders = await sandbox.requests(method="POST", path="/orders")
        charges = await sandbox.charges()
    assert placed.numbersOrdered == ["2015550101"]
    assert again.orderId != placed.orderId
    keys = [row["headers"]["idempotency-key"] for row in orders]
    assert (keys[0] == keys[1], keys[1] == keys[2]) == (True, False)
    assert [row["amount"] for row in charges] == ["1.00", "1.00"]
