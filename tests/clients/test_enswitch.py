"""Enswitch: how a person logs in and stays logged in, how codes become errors, and what is never in an address."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import pytest

from clients.errors import (
    InvalidRequest,
    NotAuthenticated,
    NotConfigured,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    ProviderFailed,
    ProviderUnreachable,
    Refused,
    TelephonyError,
    UnexpectedAnswer,
)
from clients.operation import Operation
from tests.clients.enswitch_accounts import (
    COMPANY,
    OWNER,
    Clock,
    installations,
    person,
    served_by,
)
from tests.contract_stubs.enswitch import TOKEN, envelope
from tools.enswitch.client import LOGIN_PATH
from tools.enswitch.operations.balances import AddCustomerBalance, RequestTopup, UseVoucher
from tools.enswitch.operations.messages import SendFax, SendText
from tools.enswitch.operations.people import GetLogin, SwitchUser
from tools.enswitch.operations.phone_numbers import GetNumber, ListNumbers, PurchaseNumber
from tools.enswitch.operations.plan_routes import CreatePlanRoute, ListPlanRoutes
from tools.enswitch.operations.plans import GetPlan, SetPlanFeature
from tools.enswitch.operations.queues import CreateQueue, CreateQueueDestination

LOGIN = "user/login"


def answers(*responses: httpx2.Response) -> Callable[[httpx2.Request], httpx2.Response]:
    """Build a provider that logs anybody in and answers other functions with these responses, one after the other."""
    left = list(responses)

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == LOGIN_PATH:
            return envelope("200", "OK", TOKEN)
        return left.pop(0) if len(left) > 1 else left[0]

    return handler


# Logging in ----------------------------------------------------------------------------------------------------------


async def test_many_calls_at_once_log_in_once() -> None:
    async with installations() as installation, person(installation) as client:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(client.send, GetPlan(id=3))
        assert len(await installation.calls_of(LOGIN)) == 1
        assert len(await installation.calls_of("plans/get")) == 20


async def test_a_token_that_the_server_no_longer_takes_is_replaced_and_the_call_is_made_once() -> None:
    async with installations() as installation, person(installation) as client:
        await client.send(ListPlanRoutes(plan=3))
        await installation.advance(7200)
        made = await client.send(CreatePlanRoute(called_prefix="49", plan=3))
        assert made.route is not None
        assert len(await installation.calls_of(LOGIN)) == 2
        assert len(await installation.calls_of("plans/routes/create")) == 2, "one refused with 401, one that counted"
        assert len((await client.send(ListPlanRoutes(plan=3, called_prefix="49"))).routes) == 1


async def test_many_calls_refused_with_one_token_bring_one_new_login() -> None:
    async with installations() as installation, person(installation) as client:
        await client.send(GetPlan(id=3))
        await installation.advance(7200)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(client.send, GetPlan(id=3))
        assert len(await installation.calls_of(LOGIN)) == 2


async def test_a_token_is_replaced_before_it_ends() -> None:
    async with installations() as installation, person(installation, clock=(clock := Clock())) as client:
        await client.send(GetPlan(id=3))
        clock.now += 3580
        await client.send(GetPlan(id=3))
        assert len(await installation.calls_of(LOGIN)) == 2
        assert len(await installation.calls_of("plans/get")) == 2, "no call was spent on a token that had ended"


async def test_a_token_that_never_ends_is_kept() -> None:
    async with installations() as installation, person(installation, clock=(clock := Clock())) as client:
        await installation.set(token_lifetime=0)
        await client.send(GetPlan(id=3))
        clock.now += 10_000_000
        await client.send(GetPlan(id=3))
        assert len(await installation.calls_of(LOGIN)) == 1


@pytest.mark.parametrize("username", ["bluewater.office", "cedar.admin", "nobody"])
async def test_a_login_that_is_refused_is_told_from_a_refused_call(username: str) -> None:
    async with installations() as installation, person(installation, username) as client:
        with pytest.raises(NotAuthenticated, match="the call itself was not sent"):
            await client.send(AddCustomerBalance.model_validate({"id": 3, "amount": "1.00"}))
        assert await installation.calls_of("customers/balance/add") == []


async def test_without_a_password_nothing_is_sent() -> None:
    async with installations() as installation, person(installation, password=None) as client:
        with pytest.raises(NotConfigured):
            await client.send(GetPlan(id=3))
        assert await installation.requests() == []


async def test_a_login_without_a_token_names_the_version_as_a_likely_reason() -> None:
    async with served_by(lambda _: envelope("200", "OK", {"id": 301})) as client:
        with pytest.raises(ProviderFailed, match=r"older than 4\.1"):
            await client.send(GetPlan(id=3))


async def test_a_login_that_never_arrives_is_not_an_order_that_may_have_happened() -> None:
    async with installations() as installation, person(installation) as client:
        await installation.break_with("drop_before", path=LOGIN)
        with pytest.raises(ProviderUnreachable, match="the call itself was not sent"):
            await client.send(SetPlanFeature(feature="queues", plan=3))
        assert await installation.calls_of("plans/features/set") == []


async def test_two_people_of_one_installation_are_two_accounts() -> None:
    async with (
        installations() as installation,
        person(installation) as owner,
        person(installation, COMPANY) as company,
    ):
        assert owner.account != company.account
        assert (await owner.send(GetLogin())).username == OWNER
        assert (await company.send(GetLogin())).username == COMPANY


# What is never in an address -----------------------------------------------------------------------------------------


async def test_credentials_and_secrets_travel_in_the_form_only() -> None:
    async with installations() as installation, person(installation) as client:
        await client.send(GetLogin())
        await client.send(ListNumbers(customer=3))
        for request in await installation.requests():
            assert request["method"] == "POST"
            assert request["query"] == {}
        assert (await installation.ask("leaks"))["count"] == 0


async def test_an_installation_before_41_gets_username_and_password_in_the_form() -> None:
    async with installations() as installation, person(installation, version=(4, 0)) as client:
        await installation.set(version="4.0")
        await client.send(GetPlan(id=3))
        (request,) = await installation.requests()
        assert set(request["body"]) == {"id", "auth_username", "auth_password"}
        assert (await installation.ask("leaks"))["count"] == 0


async def test_a_second_login_is_not_tried_where_there_are_no_tokens() -> None:
    async with installations() as installation, person(installation, "nobody", version=(4, 0)) as client:
        await installation.set(version="4.0")
        with pytest.raises(NotAuthenticated):
            await client.send(GetPlan(id=3))
        assert len(await installation.requests()) == 1


# Codes ---------------------------------------------------------------------------------------------------------------


async def test_402_is_the_role_and_403_the_rate_plan_and_neither_is_money() -> None:
    async with installations() as installation, person(installation, COMPANY) as company:
        with pytest.raises(NotPermitted, match="role of the API user does not allow it; this is not about money"):
            await company.send(SetPlanFeature(feature="queues", plan=3))
        async with person(installation, "marlow.admin") as denied:
            with pytest.raises(NotPermitted, match="rate plan of the customer does not allow it"):
                await denied.send(CreateQueue(name="Any"))


async def test_a_refusal_names_every_faulty_parameter() -> None:
    async with installations() as installation, person(installation) as client:
        with pytest.raises(InvalidRequest, match=r"plan: no such plan.*peer1: no such peer1"):
            await client.send(CreatePlanRoute(called_prefix="49", plan=999, peer1=999))


async def test_what_does_not_exist_is_not_found() -> None:
    async with installations() as installation, person(installation) as client:
        with pytest.raises(NotFound, match="may not see it"):
            await client.send(GetNumber(number="15005550006"))


@pytest.mark.parametrize("settings", [{"integer_codes": True}, {"mirror_status": True}])
async def test_codes_are_read_as_text_as_numbers_and_from_http(settings: dict[str, Any]) -> None:
    async with installations() as installation, person(installation) as client:
        await installation.set(**settings)
        assert (await client.send(GetPlan(id=3))).name == "Business standard"
        assert (await client.send(SetPlanFeature(feature="queues", plan=3))).validated is None
        with pytest.raises(NotFound):
            await client.send(GetPlan(id=999))
        with pytest.raises(InvalidRequest):
            await client.send(CreatePlanRoute(called_prefix="49", plan=999))


async def test_a_server_error_after_a_fax_leaves_open_whether_it_was_sent() -> None:
    async with installations() as installation, person(installation, COMPANY) as client:
        with pytest.raises(OutcomeUnknown):
            await client.send(SendFax(cnumber="16465550198", data="JQ=="))


async def test_a_server_error_on_a_read_changes_nothing() -> None:
    async with served_by(answers(envelope("500", "An internal error occurred."))) as client:
        with pytest.raises(ProviderFailed):
            await client.send(GetPlan(id=3))


async def test_a_function_that_the_installation_does_not_have_is_said_to_be_missing() -> None:
    async with served_by(answers(httpx2.Response(404, text="<h1>404</h1>"))) as client:
        with pytest.raises(Refused, match=r"no such function at /api/json/plans/get/") as told:
            await client.send(GetPlan(id=3))
        assert not isinstance(told.value, NotFound)


async def test_an_answer_without_the_envelope_is_not_taken_for_one() -> None:
    async with served_by(answers(httpx2.Response(200, json={"id": 3}))) as client:
        with pytest.raises(UnexpectedAnswer, match="its envelope is missing"):
            await client.send(GetPlan(id=3))


ODD = [
    httpx2.Response(200, text="<html><body>Please log in</body></html>"),
    httpx2.Response(200, text="OK"),
    httpx2.Response(200, json={"error": "session expired"}),
    httpx2.Response(200, json={"responses": []}),
    httpx2.Response(200, text=""),
]


@pytest.mark.parametrize("odd", ODD, ids=["page", "text", "json", "no-code", "empty"])
async def test_a_change_is_done_only_where_a_code_says_so(odd: httpx2.Response) -> None:
    async with served_by(answers(odd)) as client:
        with pytest.raises(OutcomeUnknown, match="It may have taken effect"):
            await client.send(PurchaseNumber(number="12015550123"))
        with pytest.raises(UnexpectedAnswer):
            await client.send(ListNumbers())


async def test_a_code_that_http_mirrors_without_a_body_is_enough() -> None:
    async with served_by(answers(httpx2.Response(204))) as client:
        assert (await client.send(PurchaseNumber(number="12015550123"))).validated is None


async def test_a_code_is_enough_where_no_page_says_what_the_answer_holds() -> None:
    async with served_by(answers(envelope("200", "OK", {"id": ["no id"]}))) as client:
        done = await client.exchange(CreateQueue(name="Any"))
    assert (done.answer.id, done.unread) == (None, ("id",))


@pytest.mark.parametrize("data", [None, {}, [], {"id": ["no id"]}, {"id": ""}, {"error": "no"}], ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        CreateQueueDestination(queue=801, dtype="phone", dnumber="bw-rey"),
        UseVoucher(serial="BW-TOPUP-25"),
        RequestTopup.model_validate({"amount": "50.00"}),
        SwitchUser(id=302),
    ],
    ids=lambda call: call.spec.name,
)
async def test_what_is_documented_to_show_what_it_did_is_not_done_without_it(
    call: Operation[Any], data: object
) -> None:
    async with served_by(answers(envelope("200", "OK", data))) as client:
        with pytest.raises((OutcomeUnknown, Refused)) as told:
            await client.send(call)
    assert isinstance(told.value, OutcomeUnknown) or data == {"error": "no"}


@pytest.mark.parametrize(
    "responses",
    [
        [{"code": 400, "message": "no"}],
        [{"code": 400.0, "message": "no"}],
        [{"code": " 400 ", "message": "no"}],
        {"code": "400", "message": "no"},
    ],
    ids=repr,
)
async def test_a_refusal_counts_in_whatever_form_its_code_is_written(responses: object) -> None:
    async with served_by(answers(httpx2.Response(200, json={"responses": responses, "data": {}}))) as client:
        calls: list[Operation[Any]] = [PurchaseNumber(number="12015550123"), ListNumbers()]
        for call in calls:
            with pytest.raises(InvalidRequest, match="no"):
                await client.send(call)


@pytest.mark.parametrize(
    "responses",
    [
        [{"message": "no"}],
        [{"code": ""}],
        [{"code": None}],
        [{"code": True}],
        [{"code": "OK"}],
        [{"code": "200"}, {"key": "plan", "message": "no"}],
        ["200"],
        "200",
    ],
    ids=repr,
)
async def test_what_is_no_code_of_success_is_none(responses: object) -> None:
    async with served_by(answers(httpx2.Response(200, json={"responses": responses, "data": []}))) as client:
        with pytest.raises(OutcomeUnknown, match="It may have taken effect"):
            await client.send(PurchaseNumber(number="12015550123"))
        with pytest.raises((UnexpectedAnswer, ProviderFailed)):
            await client.send(ListNumbers())


@pytest.mark.parametrize("code", [204, 204.0, "204", "0204"], ids=repr)
async def test_a_success_counts_in_whatever_form_its_code_is_written(code: object) -> None:
    async with served_by(answers(httpx2.Response(200, json={"responses": [{"code": code}]}))) as client:
        assert (await client.send(PurchaseNumber(number="12015550123"))).validated is None


@pytest.mark.parametrize("data", [None, {}, "none", {"error": "no"}, {"rows": []}], ids=repr)
async def test_a_list_is_empty_only_where_an_empty_list_is_shown(data: object) -> None:
    async with served_by(answers(envelope("200", "OK", data))) as client:
        with pytest.raises(UnexpectedAnswer):
            await client.send(ListNumbers())


async def test_what_was_checked_without_being_asked_to_was_not_done() -> None:
    async with served_by(answers(envelope("201", "Input passed validation."))) as client:
        with pytest.raises(Refused, match="checked request topup only") as told:
            await client.send(RequestTopup.model_validate({"amount": "50.00"}))
        assert told.value.nothing_changed


@pytest.mark.parametrize(
    ("code", "kind"), [("402", NotPermitted), ("404", NotFound), ("500", OutcomeUnknown), ("400", InvalidRequest)]
)
async def test_the_code_counts_also_where_http_says_400(code: str, kind: type[TelephonyError]) -> None:
    body = {"responses": [{"code": code, "key": "", "message": "no"}]}
    async with served_by(answers(httpx2.Response(400, json=body))) as client:
        with pytest.raises(kind):
            await client.send(SetPlanFeature(feature="queues", plan=3))


async def test_one_refusal_among_several_responses_counts() -> None:
    body: dict[str, Any] = {
        "responses": [{"code": "200", "message": "OK"}, {"code": 400, "key": "plan", "message": "no"}],
        "data": {},
    }
    async with served_by(answers(httpx2.Response(200, json=body))) as client:
        with pytest.raises(InvalidRequest, match="plan: no"):
            await client.send(GetPlan(id=3))


async def test_a_change_that_got_no_answer_is_not_sent_again() -> None:
    async with installations() as installation, person(installation) as client:
        await installation.break_with("drop_after", path="customers/balance/add")
        with pytest.raises(OutcomeUnknown):
            await client.send(AddCustomerBalance.model_validate({"id": 3, "amount": "5.00"}))
        assert len(await installation.calls_of("customers/balance/add")) == 1


async def test_a_read_that_got_no_answer_is_made_again_though_it_is_a_post() -> None:
    async with installations() as installation, person(installation) as client:
        await installation.break_with("drop_before", path="plans/get")
        assert (await client.send(GetPlan(id=3))).id == 3


# Dry runs ------------------------------------------------------------------------------------------------------------


async def test_a_dry_run_is_answered_as_one_and_does_nothing() -> None:
    async with installations() as installation, person(installation) as client:
        before = await installation.ask("tables/plan_routes")
        checked = await client.send(CreatePlanRoute(called_prefix="49", plan=3, dry_run=True))
        assert checked.validated is True
        assert await installation.ask("tables/plan_routes") == before


async def test_a_function_that_acted_on_a_dry_run_is_reported() -> None:
    async with served_by(answers(envelope("200", "OK", {"id": 9}))) as client:
        with pytest.raises(OutcomeUnknown, match="It may have acted") as told:
            await client.send(CreatePlanRoute(called_prefix="49", plan=3, dry_run=True))
        assert '"id":9' in told.value.raw.replace(" ", "")


async def test_a_semicolon_in_a_text_does_not_end_it() -> None:
    async with installations() as installation, person(installation, COMPANY) as client:
        await client.send(SendText(cnumber="19175550162", snumber="12015550142", message="One; two & three = 6 + ü"))
        (sent,) = await installation.ask("tables/text_messages")
        assert sent["message"] == "One; two & three = 6 + ü"
