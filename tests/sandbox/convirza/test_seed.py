"""What the seed promises to questions that cross providers, and that the sandbox comes back to it."""

from typing import cast

import httpx2

from sandbox.app import create_sandbox
from sandbox.convirza.provider import Convirza
from sandbox.serving import serve_sandbox
from tests.sandbox.convirza.account import ADMIN, START, Json, ask, control, inner, items, log_in, logged_in, read


async def test_the_routes_of_the_company_ring_its_numbers_at_voicetel() -> None:
    described = create_sandbox(start=START).providers
    at_voicetel = set(cast("list[str]", described["voicetel"].describe()["numbers"]))
    async with logged_in() as http:
        routes = items(await read(http, "/provisioned-routes"), "provisioned_routes")
    rung = {str(inner(route, "routing_configuration", "config")["ringto"]) for route in routes}
    assert rung <= at_voicetel
    assert {route["provisioned_route_status"] for route in routes} == {"active", "inactive"}


async def test_a_reset_brings_the_seed_back() -> None:
    async with logged_in() as http:
        await ask(http, "DELETE", "/provisioned-routes/12301")
        await control(http, "/reset", {})
        await log_in(http)
        assert (await read(http, "/provisioned-routes/12301"))["provisioned_route_id"] == 12301


async def test_two_sandboxes_share_nothing() -> None:
    async with logged_in() as one, logged_in() as other:
        await ask(one, "DELETE", "/provisioned-routes/12301")
        await read(other, "/provisioned-routes/12301")


async def test_it_answers_over_a_socket_and_recording_links_lead_back_to_it() -> None:
    async with serve_sandbox() as url, httpx2.AsyncClient(base_url=url) as http:
        answer = await http.post("/convirza/oauth/token", json={"email": ADMIN[0], "password": ADMIN[1]})
        http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        found = await http.get("/convirza/v3/conversations/calls", params={"limit": 1, "include": "recordings"})
        call = cast("list[Json]", found.json()["data"]["calls"])[0]
        link = str(inner(call, "recording_details")["recording_url"])
        assert link.startswith(url)
        assert (await http.get(link)).status_code == 200


def test_the_description_names_what_a_client_needs() -> None:
    described = create_sandbox(start=START, providers=(Convirza,)).providers["convirza"].describe()
    assert described["call_with_injection"] == 7700001
    assert described["hosts"] == {"api": "/convirza/v3", "oauth": "/convirza"}
