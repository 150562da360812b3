"""Convirza: the session that survives restarts, the two hosts, and what its answers mean."""

from typing import Any

import anyio
import httpx2
import pytest

from clients.errors import (
    InvalidRequest,
    LimitReached,
    NotAuthenticated,
    NotConfigured,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    ProviderUnreachable,
    RateLimited,
    UnexpectedAnswer,
)
from clients.operation import Operation
from clients.redaction import redact
from tests.clients.convirza_accounts import (
    ADMIN,
    READ_ONLY,
    STANDARD,
    Kept,
    answered_by,
    end_access_tokens,
    sandboxes,
    success,
    tokens,
    user,
)
from tests.sandbox_control import Sandbox
from tools.convirza.operations.conversations import ListCalls
from tools.convirza.operations.groups import GetGroupTree, GetOrgUnitHierarchy
from tools.convirza.operations.phone_numbers import OrderNumber
from tools.convirza.operations.provisioned_routes import (
    CreateProvisionedRoute,
    GetProvisionedRoute,
    UpdateProvisionedRoute,
)
from tools.convirza.operations.tags import CreateTag, ListTags

RENAME = UpdateProvisionedRoute(route_id=12301, name="Google Ads")


async def logins(sandbox: Sandbox) -> int:
    return len(await sandbox.requests(path="/oauth/token"))


async def refreshes(sandbox: Sandbox) -> int:
    return len(await sandbox.requests(path="/oauth/refresh-token"))


async def test_many_calls_log_in_once() -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        await client.send(ListTags())
        await client.send(GetGroupTree())
        assert await logins(sandbox) == 1


async def test_a_dead_access_token_is_refreshed_once_and_the_call_answered() -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        await client.send(ListTags())
        await end_access_tokens(sandbox)
        found = await client.send(ListTags())
        assert (await logins(sandbox), await refreshes(sandbox)) == (1, 1)
    assert len(found.tags) == 4


async def test_many_calls_refused_with_one_token_refresh_it_once() -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        await client.send(ListTags())
        await end_access_tokens(sandbox)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(client.send, ListTags())
        assert (await logins(sandbox), await refreshes(sandbox)) == (1, 1)


@pytest.mark.parametrize("slow", [GetGroupTree(), GetOrgUnitHierarchy(org_unit_id=65000)])
async def test_a_late_refusal_of_the_old_token_leaves_the_new_one_alone(slow: Operation[Any]) -> None:
    """The slow call was sent with the first token, and hears of its end when others already use the second."""
    held, refreshed = anyio.Event(), anyio.Event()
    seen: list[str] = []

    async def provider(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.startswith("/oauth"):
            seen.append(request.url.path)
            return tokens(f"access-{len(seen)}", f"refresh-{len(seen)}")
        if request.headers["authorization"] == "Bearer access-2":
            return success({"tags": [], "groups": [], "orgUnits": [], "total": 0})
        if request.url.path.startswith("/v3/groups"):
            held.set()
            await refreshed.wait()
        return httpx2.Response(401, json={"code": 401, "message": "Expired"})

    async with answered_by(provider) as client, anyio.create_task_group() as group:
        group.start_soon(client.send, slow)
        await held.wait()
        await client.send(ListTags())
        refreshed.set()
    assert seen == ["/oauth/token", "/oauth/refresh-token"]


async def test_the_next_pair_is_kept_before_it_is_used() -> None:
    kept = Kept()
    kept_when_used: list[str] = []

    def provider(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return tokens("access-one", "refresh-one")
        if request.url.path == "/oauth/refresh-token":
            return tokens("access-two", "refresh-two")
        if request.headers["authorization"] == "Bearer access-one":
            return httpx2.Response(401, json={"code": 401, "message": "Expired"})
        kept_when_used.append(kept.written[-1])
        return success({"tags": [], "total": 0})

    async with answered_by(provider, tokens=kept) as client:
        await client.send(ListTags())
    assert len(kept_when_used) == 1
    assert "refresh-two" in kept_when_used[0]


async def test_a_new_process_goes_on_with_the_kept_session() -> None:
    kept = Kept()
    async with sandboxes() as sandbox:
        async with user(sandbox, tokens=kept) as before:
            await before.send(ListTags())
        async with user(sandbox, tokens=kept) as after:
            await after.send(ListTags())
            await end_access_tokens(sandbox)
            await after.send(ListTags())
        assert (await logins(sandbox), await refreshes(sandbox)) == (1, 1)


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 502, "after_effect": True}, {"kind": "drop_after"}, {"kind": "malformed"}]
)
async def test_a_rotation_whose_answer_is_lost_costs_a_login_and_is_not_repeated(fault: dict[str, object]) -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        await client.send(ListTags())
        await end_access_tokens(sandbox)
        await sandbox.break_with(str(fault["kind"]), **{k: v for k, v in fault.items() if k != "kind"}, path="refresh")
        assert (await client.send(ListTags())).total == 4
        assert (await logins(sandbox), await refreshes(sandbox)) == (2, 1)


async def test_a_pair_that_another_process_brought_is_taken_over() -> None:
    kept = Kept()
    async with (
        sandboxes() as sandbox,
        user(sandbox, tokens=kept) as one,
        user(sandbox, tokens=kept) as other,
    ):
        await one.send(ListTags())
        await other.send(ListTags())
        await end_access_tokens(sandbox)
        await one.send(ListTags())
        await other.send(ListTags())
        assert (await logins(sandbox), await refreshes(sandbox)) == (1, 1)


async def test_two_users_on_one_store_keep_sessions_of_their_own() -> None:
    kept = Kept()
    async with sandboxes() as sandbox:
        async with user(sandbox, ADMIN, tokens=kept) as admin:
            await admin.send(ListTags())
        async with user(sandbox, READ_ONLY, tokens=kept) as reader:
            with pytest.raises(NotPermitted):
                await reader.send(CreateTag(name="Lead"))


async def test_an_unreadable_kept_session_costs_a_login() -> None:
    class Broken(Kept):
        async def get(self, name: str) -> str | None:
            return "{not json"

    async with sandboxes() as sandbox, user(sandbox, tokens=Broken()) as client:
        assert (await client.send(ListTags())).total == 4
        assert await logins(sandbox) == 1


async def test_a_wrong_password_is_told_apart_from_the_call() -> None:
    async with sandboxes() as sandbox, user(sandbox, (ADMIN[0], "wrong-one")) as client:
        with pytest.raises(NotAuthenticated, match="the call itself was not sent"):
            await client.send(ListTags())
        assert await sandbox.requests(path="/v3/") == []


async def test_without_credentials_nothing_is_sent() -> None:
    async with answered_by(lambda _: httpx2.Response(500), email=None) as client:
        with pytest.raises(NotConfigured):
            await client.send(ListTags())


async def test_the_eleventh_login_of_a_minute_is_not_sent() -> None:
    async with sandboxes() as sandbox, user(sandbox, (ADMIN[0], "wrong-one")) as client:
        for _ in range(10):
            with pytest.raises(NotAuthenticated):
                await client.send(ListTags())
        with pytest.raises(LimitReached, match="10 calls"):
            await client.send(ListTags())
        assert await logins(sandbox) == 10


async def test_a_login_that_convirza_refuses_as_one_too_many_is_not_repeated_within_the_minute() -> None:
    asked: list[httpx2.Request] = []

    def provider(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(429)

    async with answered_by(provider) as client:
        with pytest.raises(RateLimited):
            await client.send(ListTags())
        with pytest.raises(LimitReached, match="nothing was sent"):
            await client.send(ListTags())
    assert len(asked) == 1


async def test_a_login_host_that_is_down_is_told_as_such_after_a_refused_token() -> None:
    def provider(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return tokens("access-one", "refresh-one")
        if request.url.path.startswith("/oauth"):
            raise httpx2.ConnectError("")
        return httpx2.Response(401, json={"code": 401, "message": "Expired"})

    async with answered_by(provider) as client:
        with pytest.raises(ProviderUnreachable, match="the call did nothing") as caught:
            await client.send(CreateTag(name="Lead"))
    assert caught.value.nothing_changed


async def test_revoking_ends_the_session_at_convirza_and_here() -> None:
    kept = Kept()
    async with sandboxes() as sandbox, user(sandbox, tokens=kept) as client:
        await client.send(ListTags())
        assert await client.revoke() is True
        assert await client.revoke() is False
        ended = [row["body"]["token_type"] for row in await sandbox.requests(path="/oauth/revoke-token")]
        await client.send(ListTags())
        assert await logins(sandbox) == 2
    assert ended == ["refresh", "access"]


async def test_a_revocation_that_is_not_confirmed_can_be_made_again() -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        await client.send(ListTags())
        await sandbox.break_with("drop_after", path="revoke")
        with pytest.raises(ProviderUnreachable, match="call again"):
            await client.revoke()
        assert await client.revoke() is True


async def test_out_of_scope_is_not_taken_for_a_wrong_password() -> None:
    async with sandboxes() as sandbox, user(sandbox, STANDARD) as client:
        with pytest.raises(NotPermitted):
            await client.send(GetOrgUnitHierarchy(org_unit_id=70037))
        with pytest.raises(NotPermitted):
            await client.send(ListCalls(org_unit_id=70037))
        with pytest.raises(NotFound):
            await client.send(GetProvisionedRoute(route_id=12303))
        assert (await logins(sandbox), await refreshes(sandbox)) == (1, 0)
        assert len(await sandbox.requests(path="org-list")) == 1


async def test_a_token_is_doubted_for_being_out_of_scope_only_where_it_was_not_used_of_late() -> None:
    now = 0.0
    outside = GetOrgUnitHierarchy(org_unit_id=70037)
    async with sandboxes() as sandbox, user(sandbox, STANDARD, clock=lambda: now) as client:
        await client.send(ListTags())
        now = 50.0
        await client.send(ListTags())
        now = 100.0
        with pytest.raises(NotPermitted):
            await client.send(outside)
        assert await refreshes(sandbox) == 0
        now = 200.0
        await end_access_tokens(sandbox)
        assert (await client.send(GetOrgUnitHierarchy(org_unit_id=70035))).org_units == [70035]
        for _ in range(3):
            with pytest.raises(NotPermitted):
                await client.send(outside)
        assert (await logins(sandbox), await refreshes(sandbox)) == (1, 1)


async def test_an_error_carries_the_request_id_that_support_asks_for() -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        with pytest.raises(InvalidRequest, match=r"already in use.*\(request «[0-9a-f-]{36}»\)"):
            await client.send(CreateTag(name="Billing"))


async def test_an_error_inside_a_200_is_a_refusal() -> None:
    def provider(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return tokens("access-one", "refresh-one")
        return httpx2.Response(200, json={"code": 404, "message": ["No route", "of this id"]})

    async with answered_by(provider) as client:
        with pytest.raises(NotFound, match="No route of this id"):
            await client.send(GetProvisionedRoute(route_id=1))


ORDER = OrderNumber(number="5125802000")
ROUTE = CreateProvisionedRoute.model_validate(
    {
        "name": "Bus stops",
        "phone_numbers": [{"phone_number_id": 45107, "phone_number": "6465550207"}],
    }
)


async def sent(call: Operation[Any], answer: httpx2.Response) -> object:
    """Send a call that Convirza answers with this."""

    def provider(request: httpx2.Request) -> httpx2.Response:
        return tokens("access-one", "refresh-one") if request.url.path == "/oauth/token" else answer

    async with answered_by(provider) as client:
        return await client.send(call)


@pytest.mark.parametrize(
    "odd",
    [
        httpx2.Response(200, text="<html><body>Please log in</body></html>"),
        httpx2.Response(200, text="OK"),
        httpx2.Response(200, text=""),
        httpx2.Response(200, json={}),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={"tags": []}),
        httpx2.Response(200, json={"data": {"tags": [], "phone_number_id": 7}}),
        httpx2.Response(200, json={"code": "OK", "data": {"tags": []}}),
        httpx2.Response(200, json={"code": True, "data": {"tags": []}}),
        httpx2.Response(200, json={"code": 302, "data": {"tags": []}}),
        httpx2.Response(200, json={"error": "session expired"}),
        httpx2.Response(200, json={"result": "error"}),
        httpx2.Response(200, json={"code": 200, "result": "error", "data": {"tags": []}}),
        httpx2.Response(200, json={"code": 200, "success": False, "data": {"tags": []}}),
        httpx2.Response(200, json={"code": 200, "data": {"error": "number is taken", "tags": []}}),
    ],
    ids=lambda odd: odd.text[:60] or "empty",
)
async def test_nothing_is_done_or_read_where_the_envelope_does_not_say_so(odd: httpx2.Response) -> None:
    for call in (ORDER, ROUTE, CreateTag(name="Lead")):
        with pytest.raises(OutcomeUnknown, match="It may have taken effect"):
            await sent(call, odd)
    with pytest.raises(UnexpectedAnswer, match="Reading changes nothing"):
        await sent(ListTags(), odd)


@pytest.mark.parametrize("code", [400, "400", " 400", 400.0, "400.0"], ids=repr)
async def test_a_refusal_counts_in_whatever_form_its_code_is_written(code: object) -> None:
    answer = httpx2.Response(200, json={"code": code, "message": "Number is taken", "data": {}})
    for call in (ORDER, ROUTE, ListTags()):
        with pytest.raises(InvalidRequest, match="Number is taken"):
            await sent(call, answer)


@pytest.mark.parametrize("code", [200, "201", 200.0], ids=repr)
async def test_a_success_counts_in_whatever_form_its_code_is_written(code: object) -> None:
    await sent(ROUTE, httpx2.Response(200, json={"code": code, "data": {"provisioned_route_id": "12345"}}))


@pytest.mark.parametrize("data", [None, {}, [], {"id": 5}, {"provisioned_route_id": ""}], ids=repr)
async def test_what_is_documented_to_name_its_id_is_not_done_without_it(data: object) -> None:
    with pytest.raises(OutcomeUnknown, match="not as documented"):
        await sent(ROUTE, success(data))


@pytest.mark.parametrize("data", [None, {}, {"rows": []}, {"errors": []}, {"tag": "none"}, "none"], ids=repr)
async def test_a_list_is_empty_only_where_an_empty_list_is_shown(data: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        await sent(ListTags(), success(data))


async def test_a_change_without_an_answer_is_unknown_and_not_sent_again() -> None:
    async with sandboxes() as sandbox, user(sandbox) as client:
        await sandbox.break_with("drop_after", path="provisioned-routes", method="PATCH")
        with pytest.raises(OutcomeUnknown):
            await client.send(RENAME)
        assert len(await sandbox.requests(method="PATCH")) == 1


def test_the_signature_of_a_recording_link_is_hidden_in_logs() -> None:
    link = "https://media.example/r/7700001?expires=1769077800&signature=5f4dcc3b5aa765d6"
    assert "5f4dcc3b5aa765d6" not in redact(link)
    assert "expires=1769077800" in redact(link)
