"""Bearer tokens, roles, the org-unit hierarchy, unknown paths and methods, and the all_operations itself."""

import pytest

from sandbox.convirza.catalog import ENDPOINTS, SIDEBAR
from sandbox.convirza.endpoint import Endpoint
from tests.sandbox.convirza.account import (
    READ_ONLY,
    STANDARD,
    STRANGER,
    USER_EXAMPLE,
    ask,
    control,
    logged_in,
    open_sandbox,
    read,
    route_to_create,
)

GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.access != "public"]

WRITING = [endpoint for endpoint in GUARDED if endpoint.access != "read"]


def operation_name(endpoint: Endpoint) -> str:
    """Name a test case after its endpoint."""
    return f"{endpoint.method} {endpoint.path}"


def test_all_56_operations_of_the_sidebar_are_there() -> None:
    assert len({endpoint.name for endpoint in SIDEBAR}) == 56
    assert len({(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}) == len(ENDPOINTS)


def test_the_tally_of_documented_operations_is_that_of_the_catalogue() -> None:
    documented = [endpoint.name for endpoint in SIDEBAR if endpoint.basis == "documented"]
    # 15 with method and path on their pages, List and Create Webhook in the migration table
    assert len(documented) == 17


async def test_the_description_says_what_each_operation_rests_on() -> None:
    async with open_sandbox() as http:
        described = (await http.get("/_control/providers")).json()["convirza"]["operations"]
    assert {row["basis"] for row in described} == {"documented", "inferred"}
    assert len(described) == len(ENDPOINTS)


@pytest.mark.parametrize("endpoint", GUARDED, ids=operation_name)
async def test_every_operation_needs_a_live_token(endpoint: Endpoint) -> None:
    async with open_sandbox() as http:
        path = f"/convirza{endpoint.path.replace('{id}', '1')}"
        for headers in ({}, {"authorization": "Bearer 123"}, {"authorization": "Basic 123"}):
            answer = await http.request(endpoint.method, path, headers=headers)
            assert answer.status_code == 401


async def test_a_read_only_user_may_not_write() -> None:
    async with logged_in(READ_ONLY) as http:
        for operation in WRITING:
            await ask(http, operation.method, operation.path.removeprefix("/v3").replace("{id}", "1"), expect=403)
        await read(http, "/provisioned-routes")


async def test_a_standard_user_may_create_routes_and_no_users() -> None:
    async with logged_in(STANDARD) as http:
        config = {"routing_type": "simple", "config": {"ringto": "2125550145"}}
        await ask(
            http, "POST", "/provisioned-routes", {**route_to_create(), "routing_configuration": config}, expect=201
        )
        await ask(http, "POST", "/users", USER_EXAMPLE, expect=403)


async def test_a_user_cannot_attach_a_voice_agent_of_another_group() -> None:
    async with logged_in(STANDARD) as http:
        await ask(http, "POST", "/provisioned-routes", route_to_create(), expect=400)


async def test_a_webhook_of_the_account_is_inherited_by_its_groups() -> None:
    async with logged_in(STANDARD) as http:
        assert (await read(http, "/webhooks"))["total"] == 1
        await ask(http, "PATCH", "/provisioned-routes/12302", {"webhook_id": 1})


@pytest.mark.parametrize(
    "path",
    [
        "/users/84784",
        "/groups/60001",
        "/webhooks/1",
        "/ai-voice-agents/683",
        "/provisioned-routes/12301",
        "/broadcast/5001",
        "/conversations/calls/7700001",
    ],
)
async def test_another_customer_does_not_see_the_account(path: str) -> None:
    async with logged_in(STRANGER) as http:
        await ask(http, "GET", path, expect=404)


async def test_an_org_unit_out_of_scope_is_401_on_the_hierarchy_and_403_on_calls() -> None:
    async with logged_in() as http:
        await ask(http, "GET", "/groups/org-list/90001", expect=401)
        await ask(http, "GET", "/conversations/calls?limit=1&org_unit_id=90001", expect=403)
        await read(http, "/auth/profile")


async def test_unknown_paths_and_methods_are_refused() -> None:
    async with logged_in() as http:
        await ask(http, "GET", "/users", expect=405)
        await ask(http, "GET", "/sms-broadcasts", expect=404)
        await ask(http, "PUT", "/provisioned-routes/", route_to_create(), expect=404)
        await ask(http, "GET", "/provisioned-routes/abc", expect=400)


async def test_an_injected_failure_has_the_shape_of_the_api() -> None:
    async with logged_in() as http:
        await control(http, "/faults", {"kind": "status", "provider": "convirza", "status": 500})
        assert (await ask(http, "GET", "/users/list", expect=500))["message"] == "Internal Server Error"
