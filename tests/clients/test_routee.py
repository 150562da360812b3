"""How Routee is opened, and what its answers and refusals mean."""

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import anyio
import httpx2
import pytest

from clients.errors import (
    Conflict,
    InsufficientFunds,
    InvalidRequest,
    LimitReached,
    NotAuthenticated,
    NotConfigured,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    ProviderFailed,
    ProviderUnreachable,
    RateLimited,
    Refused,
    TelephonyError,
    UnexpectedAnswer,
)
from clients.wire.request import build_request
from sandbox.routee.seed import APPLICATION, REPORTING
from tests.clients.routee_accounts import (
    LOGIN_PATH,
    Provider,
    answered_by,
    application,
    expire_tokens,
    refused,
    refused_at_the_gate,
    sandboxes,
    success,
)
from tools.routee.calls import Verb
from tools.routee.operations.account import GetBalance, ListPrices
from tools.routee.operations.campaigns import GetCampaign, SendCampaign
from tools.routee.operations.contacts import DeleteContacts, ListLabels
from tools.routee.operations.conversations import StartConversation
from tools.routee.operations.groups import DeleteGroups, GetGroup
from tools.routee.operations.phone_numbers import CancelNumber, GetNumber, ListNumbers
from tools.routee.operations.pools import ListPools
from tools.routee.operations.sms import ListCampaignMessages, MessageParts, SendSms, TrackSms

SMS = SendSms(sender="Bluewater", to="+306970000555", text="Hello")
BALANCE = {"balance": 186.42, "currency": {"code": "EUR"}}
UNKNOWN = "00000000-0000-0000-0000-000000000000"


async def _in_parallel(count: int, call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(call)


# The token -----------------------------------------------------------------------------------------------------------


async def test_calls_that_begin_together_share_one_login() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        await _in_parallel(20, lambda: client.send(GetBalance()))
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 1


async def test_a_token_is_kept_until_shortly_before_it_ends() -> None:
    now = 0.0
    async with sandboxes() as sandbox, application(sandbox, clock=lambda: now) as client:
        await client.send(GetBalance())
        now = 3539.0
        await client.send(GetBalance())
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 1
        now = 3541.0
        await client.send(GetBalance())
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 2


async def test_the_life_of_a_token_is_read_and_not_assumed() -> None:
    now = 0.0
    async with (
        sandboxes() as sandbox,
        application(sandbox, REPORTING.id, REPORTING.secret, clock=lambda: now) as client,
    ):
        await client.send(GetBalance())
        now = 80_000.0
        await client.send(GetBalance())
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 1


@pytest.mark.parametrize("expires_in", ["3600", None, "soon"])
async def test_a_life_that_is_text_or_missing_is_an_hour(expires_in: object) -> None:
    now = 0.0
    provider = Provider(success(BALANCE), expires_in=expires_in)
    async with answered_by(provider, clock=lambda: now) as client:
        await client.send(GetBalance())
        now = 3500.0
        await client.send(GetBalance())
    assert provider.logins == 1


async def test_a_token_that_died_early_is_replaced_and_the_call_made_again() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        await client.send(GetBalance())
        await expire_tokens(sandbox)
        sent = await client.send(SMS)
        assert sent.status == "Queued"
        assert len(await sandbox.charges()) == 1
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 2


async def test_many_calls_refused_with_one_token_bring_one_new_login() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        await client.send(GetBalance())
        await expire_tokens(sandbox)
        await _in_parallel(10, lambda: client.send(GetBalance()))
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 2


async def test_a_call_that_is_refused_twice_is_not_made_a_third_time() -> None:
    provider = Provider(refused_at_the_gate(401, "Invalid access token, maybe has expired."))
    async with answered_by(provider) as client:
        with pytest.raises(NotAuthenticated, match="maybe has expired"):
            await client.send(GetBalance())
    assert (provider.logins, len(provider.calls)) == (2, 2)


async def test_a_read_that_is_refused_with_403_is_made_once_more_with_a_new_token_if_its_token_is_old() -> None:
    now = 0.0
    no = refused_at_the_gate(403, "Forbidden")
    provider = Provider(success(BALANCE), no, success(BALANCE), no, expires_in=631139040)
    async with answered_by(provider, clock=lambda: now) as client:
        await client.send(GetBalance())
        now = 3600.0
        await client.send(GetBalance())
        assert (provider.logins, len(provider.calls)) == (2, 3)
        for _ in range(2):
            with pytest.raises(NotPermitted):
                await client.send(GetBalance())
        assert (provider.logins, len(provider.calls)) == (2, 5)
        now = 7200.0
        with pytest.raises(NotPermitted):
            await client.send(GetBalance())
        assert (provider.logins, len(provider.calls)) == (3, 7)


async def test_a_write_that_is_refused_with_403_is_never_repeated() -> None:
    now = 0.0
    provider = Provider(success(BALANCE), refused("403000000"))
    async with answered_by(provider, clock=lambda: now) as client:
        await client.send(GetBalance())
        now = 3000.0
        with pytest.raises(NotPermitted):
            await client.send(SMS)
    assert (provider.logins, len(provider.calls)) == (1, 2)


async def test_wrong_credentials_are_told_and_kept_out_of_the_message() -> None:
    async with sandboxes() as sandbox, application(sandbox, secret="not-the-secret") as client:
        with pytest.raises(NotAuthenticated, match=r"Bad credentials.*was not sent") as caught:
            await client.send(SMS)
    assert "not-the-secret" not in str(caught.value)


async def test_without_credentials_nothing_is_sent() -> None:
    provider = Provider(success(BALANCE))
    async with answered_by(provider, application_id=None) as client:
        with pytest.raises(NotConfigured, match="nothing was sent"):
            await client.send(GetBalance())
    assert provider.logins == 0


@pytest.mark.parametrize(
    ("login", "kind"),
    [
        (httpx2.Response(200, json={"token_type": "bearer"}), ProviderFailed),
        (httpx2.Response(503), ProviderFailed),
        (httpx2.Response(429), RateLimited),
        (httpx2.Response(400, json={"error": "invalid_scope", "error_description": "No."}), NotAuthenticated),
        (httpx2.ConnectError("refused"), ProviderUnreachable),
        (httpx2.ReadTimeout("silent"), ProviderUnreachable),
    ],
)
async def test_a_login_that_fails_never_reads_as_a_lost_call(
    login: httpx2.Response | Exception, kind: type[TelephonyError]
) -> None:
    def provider(_: httpx2.Request) -> httpx2.Response:
        if isinstance(login, Exception):
            raise login
        return login

    async with answered_by(provider) as client:
        with pytest.raises(kind, match="call itself was not sent") as caught:
            await client.send(SMS)
    assert caught.value.nothing_changed


async def test_no_secret_travels_in_an_address() -> None:
    provider = Provider(success(BALANCE))
    seen: list[str] = []

    def watched(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        return provider(request)

    async with answered_by(watched) as client:
        await client.send(GetBalance())
    assert len(seen) == 2
    assert all(APPLICATION.secret not in url and "token-1" not in url for url in seen)


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("400000000", InvalidRequest),
        ("400001009", InsufficientFunds),
        ("400001012", NotPermitted),
        ("400005000", InvalidRequest),
        ("400009002", Conflict),
        ("400009004", InvalidRequest),
        ("403000000", NotPermitted),
        ("404002001", NotFound),
        ("409009003", Conflict),
    ],
)
async def test_a_code_says_what_the_refusal_means(code: str, kind: type[Refused]) -> None:
    async with answered_by(Provider(refused(code, "Read this."))) as client:
        with pytest.raises(kind, match=rf"{code}.*Read this") as caught:
            await client.send(SMS)
    assert (caught.value.code, caught.value.nothing_changed) == (code, True)
    assert type(caught.value) is kind


async def test_the_code_is_believed_over_the_status() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        with pytest.raises(NotFound) as tracked:
            await client.send(ListCampaignMessages(campaign_id=UNKNOWN))
        with pytest.raises(NotFound):
            await client.send(GetCampaign(campaign_id=UNKNOWN))
    assert (tracked.value.code, tracked.value.status) == ("404009001", 404)


async def test_a_refusal_inside_a_success_is_one_all_the_same() -> None:
    async with answered_by(Provider(refused("400001009", status=200))) as client:
        with pytest.raises(InsufficientFunds):
            await client.send(SMS)


async def test_a_code_that_means_failure_leaves_a_write_open() -> None:
    async with answered_by(Provider(refused("500000000", status=400))) as client:
        with pytest.raises(OutcomeUnknown):
            await client.send(SMS)
        with pytest.raises(ProviderFailed):
            await client.send(GetBalance())


async def test_after_a_failed_write_no_code_is_believed() -> None:
    async with answered_by(Provider(refused("400000000", status=502))) as client:
        with pytest.raises(OutcomeUnknown):
            await client.send(SMS)


async def test_the_layer_in_front_has_a_shape_of_its_own() -> None:
    async with answered_by(Provider(refused_at_the_gate(404, "No message available"))) as client:
        with pytest.raises(ProviderFailed, match="No message available"):
            await client.send(GetBalance())


async def test_invalid_recipients_and_fields_are_named() -> None:
    bad = {"code": "400005000", "developerMessage": "Invalid recipients", "property": "+12345"}
    answers = (refused("400005000", errors=[bad]), refused("400000000", properties={"ttl": "too long"}))
    async with answered_by(Provider(*answers)) as client:
        with pytest.raises(InvalidRequest, match=r"Invalid recipients: \+12345"):
            await client.send(SendCampaign(sender="Bluewater", text="Hi", to=["+306970000555"], when="now"))
        with pytest.raises(InvalidRequest, match="ttl: too long"):
            await client.send(SMS)


async def test_an_application_without_the_service_is_told_so() -> None:
    async with sandboxes() as sandbox, application(sandbox, REPORTING.id, REPORTING.secret) as client:
        with pytest.raises(NotPermitted, match="403000000"):
            await client.send(SMS)
        assert len(await sandbox.requests(path=LOGIN_PATH)) == 1


async def test_a_message_whose_answer_is_lost_is_not_sent_again() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        await client.send(GetBalance())
        await sandbox.break_with("drop_after", provider="routee", path="^/sms$")
        with pytest.raises(OutcomeUnknown):
            await client.send(SMS)
        assert len(await sandbox.charges()) == 1


async def test_a_second_conversation_within_a_second_is_not_sent() -> None:
    call = StartConversation(
        to="+306970000555", sender="447520630142", verbs=[Verb(type="SAY", text="Hello", language="en-GB")]
    )
    async with sandboxes() as sandbox, application(sandbox) as client:
        await client.send(call)
        with pytest.raises(LimitReached, match="nothing was sent"):
            await client.send(call)
        assert len(await sandbox.requests(path="/voice/conversation")) == 1


# Answers -------------------------------------------------------------------------------------------------------------


async def test_the_parts_of_a_message_come_as_an_array_or_as_one_object() -> None:
    part = {"smsId": "s-1", "part": 1, "price": 0.0079}
    async with answered_by(Provider(success([part]), success(part), success([]))) as client:
        assert [one.sms_id for one in (await client.send(TrackSms(message_id="m"))).parts] == ["s-1"]
        assert [one.sms_id for one in (await client.send(TrackSms(message_id="m"))).parts] == ["s-1"]
        assert (await client.send(TrackSms(message_id="m"))).parts == []


async def test_what_is_understood_of_one_object_with_an_odd_field_is_the_rest_of_it() -> None:
    part = {"smsId": "s-1", "part": "one of 2", "price": 0.0079}
    async with answered_by(Provider(success(part))) as client:
        found = await client.exchange(TrackSms(message_id="m"))
    assert found.answer == MessageParts.model_validate({"content": [{"smsId": "s-1", "price": Decimal("0.0079")}]})
    assert found.unread == ("content.0.part",)


async def test_prices_have_their_old_names_too() -> None:
    prices = {"lookup": {"PerRequest": 0.009}, "twoStep": {"SmsVerification": 0.06, "VoiceVerification": "0.07"}}
    async with answered_by(Provider(success(prices))) as client:
        found = await client.send(ListPrices())
    assert found.lookup
    assert found.two_step
    told = (found.lookup.per_request, found.two_step.sms, found.two_step.voice)
    assert told == (Decimal("0.009"), Decimal("0.06"), Decimal("0.07"))


async def test_prices_are_exact_whether_they_are_numbers_or_text() -> None:
    prices = {"sms": [{"networks": [{"price": 0.00600000}, {"price": "0.00600000"}]}], "lookup": {"perRequest": 1}}
    async with answered_by(Provider(success(prices))) as client:
        found = await client.send(ListPrices())
    assert [network.price for network in found.sms[0].networks] == [Decimal("0.006"), Decimal("0.00600000")]
    assert found.lookup
    assert found.lookup.per_request == 1


@pytest.mark.parametrize("shape", [{"price": 6, "currency": "EUR"}, [{"price": "6", "currency": "EUR"}]])
async def test_costs_come_as_an_object_or_as_an_array(shape: object) -> None:
    row = {"msisdn": "+306948530955", "monthlyCosts": shape}
    async with answered_by(Provider(success({"content": [row], "last": True}))) as client:
        number = (await client.send(ListNumbers())).numbers[0]
    assert [(cost.price, cost.currency) for cost in number.monthly] == [(Decimal(6), "EUR")]


async def test_pools_come_in_a_page_or_bare() -> None:
    pool = {"poolId": "p", "poolName": "Recalls"}
    async with answered_by(Provider(success([pool]), success({"content": [pool], "last": True}))) as client:
        assert [one.name for one in (await client.send(ListPools())).pools] == ["Recalls"]
        assert [one.name for one in (await client.send(ListPools())).pools] == ["Recalls"]


async def test_labels_come_as_an_object_or_as_an_array() -> None:
    async with answered_by(
        Provider(success({"labels": "Text"}), success([{"name": "labels", "type": "Text"}]))
    ) as client:
        for _ in range(2):
            found = await client.send(ListLabels())
            assert [(label.name, label.type) for label in found.labels] == [("labels", "Text")]


async def test_an_empty_success_is_a_confirmation() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        await client.send(CancelNumber(number="+447520630142"))
        with pytest.raises(NotFound, match="not a number of this Routee account"):
            await client.send(GetNumber(number="+447520630142"))


async def test_a_number_beyond_the_first_page_is_not_taken_for_absent() -> None:
    async with answered_by(Provider(success({"content": [], "last": False}))) as client:
        with pytest.raises(UnexpectedAnswer, match="not the whole list"):
            await client.send(GetNumber(number="+447520630142"))


async def test_pages_follow_one_another_to_the_last() -> None:
    async with sandboxes() as sandbox, application(sandbox) as client:
        read = ListNumbers(limit=2)
        first = await client.send(read)
        cursor = read.next_cursor(first)
        rest = ListNumbers(limit=50, cursor=cursor)
        last = await client.send(rest)
    assert (len(first.numbers), cursor, len(last.numbers)) == (2, "1x2", 1)
    assert rest.next_cursor(last) is None
    assert first.total == 3


def test_names_in_paths_are_escaped_and_numbers_lose_their_plus() -> None:
    assert build_request(GetGroup(name="Patients US")).path == "/groups/my/Patients%20US"
    assert build_request(CancelNumber(number="+44 7520 630142")).path == "/numbers/my/447520630142"


def test_arrays_go_out_as_bodies_with_the_query_beside_them() -> None:
    request = build_request(DeleteGroups(groups=["Recall"], delete_contacts=True))
    assert (request.query, request.body, request.carrier) == ({"deleteContacts": True}, ["Recall"], "json")
    assert build_request(DeleteContacts(contact_ids=["c-1"])).body == ["c-1"]
