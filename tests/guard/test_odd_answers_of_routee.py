"""What a lost call of Routee is settled from, at a provider that answers oddly; asked through the MCP door."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from guard.action import State
from guard.reconcile import GRACE
from server.mcp.server import build_server
from server.services import Services
from server.settings.model import settings_class
from tests.clocks import ShiftedClock
from tests.connecting import connect
from tests.contract_stubs import routee as stub
from tests.guard.lost_answers import ALLOW, text_of
from tests.operator_side import OperatorSide, call_approved

FREE = "+306948530007"
OTHER = "+447520630142"
LOST = httpx2.Response(502)


class Scripted:
    """Answers each read and write of one path as the test says at the time."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        found = self.answers.get((request.method, request.url.path.removeprefix("/")))
        if found is None:
            return stub.answer(request)
        return found if isinstance(found, httpx2.Response) else httpx2.Response(200, json=found)


class OddRoutee:
    """A server before a Routee that answers as the test says."""

    def __init__(self, client: Client, routee: Scripted, clock: ShiftedClock, operator: OperatorSide) -> None:
        self.routee = routee
        self._client = client
        self._clock = clock
        self._operator = operator

    async def call(self, tool: str, **arguments: Any) -> tuple[State, str]:
        """Make a call; its state and its text."""
        result = await call_approved(self._client, self._operator, f"routee_{tool}", arguments)
        listed: dict[str, Any] = (await self._client.call_tool("list_actions", {"limit": 1})).structured_content or {}
        return State(listed["actions"][0]["state"]), text_of(result)

    async def look(self) -> State:
        """Return the state that a check finds once the request can no longer be under way."""
        self._clock.ahead += GRACE * 2 + timedelta(seconds=1)
        listed: dict[str, Any] = (await self._client.call_tool("list_actions", {"limit": 1})).structured_content or {}
        found = await self._client.call_tool("get_action", {"action_id": listed["actions"][0]["action"]})
        return State((found.structured_content or {})["state"])


@asynccontextmanager
async def _opened(folder: Path) -> AsyncGenerator[OddRoutee]:
    routee, clock = Scripted(), ShiftedClock()
    settings = settings_class().model_validate(
        {
            "routee": stub.SETTINGS,
            "state_folder": folder,
            "toolsets": ["all"],
            "policy": ALLOW,
            "destinations": {"countries": ["GR", "GB"]},
        }
    )
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(routee)) as http:
        services = Services(settings, given_http=http, clock=clock)
        async with connect(build_server(services)) as client:
            yield OddRoutee(client, routee, clock, OperatorSide(folder))


EURO = {"price": 2, "currency": "EUR"}
OFFER = {"msisdn": FREE, "country": "GR", "activationCosts": EURO, "monthlyCosts": EURO}
PAGE: dict[str, Any] = {"totalPages": 1, "totalElements": 1, "first": True, "last": True}
NOTHING_OF_IT: list[Any] = [
    httpx2.Response(200),
    {"error": "not now"},
    {"content": []},
    {**PAGE, "content": None},
    {**PAGE, "content": [{"number": OTHER}]},
    {**PAGE, "content": [{"msisdn": OTHER}], "last": False},
    {**PAGE, "content": [{"msisdn": OTHER}], "totalElements": 2},
    httpx2.Response(404, json={"status": 404, "error": "Not Found", "message": "No message available"}),
]


async def test_a_rent_whose_answer_was_lost_is_not_settled_by_a_list_that_shows_nothing(tmp_path: Path) -> None:
    async with _opened(tmp_path) as odd:
        answers = odd.routee.answers
        answers["POST", "numbers/available/search"] = {**PAGE, "content": [OFFER]}
        answers["POST", "numbers/my"] = LOST
        state, told = await odd.call("rent_number", number=FREE)
        assert (state, "Check with routee_get_number" in told) == (State.UNKNOWN, True), told
        for shown in NOTHING_OF_IT:
            answers["GET", "numbers/my"] = shown
            assert await odd.look() is State.UNKNOWN, shown
        answers["GET", "numbers/my"] = {**PAGE, "content": [{"msisdn": OTHER}]}
        assert await odd.look() is State.REFUSED


async def test_a_rent_that_is_answered_with_nothing_is_not_told_as_done(tmp_path: Path) -> None:
    async with _opened(tmp_path) as odd:
        odd.routee.answers["POST", "numbers/available/search"] = {**PAGE, "content": [OFFER]}
        odd.routee.answers["POST", "numbers/my"] = {"error": "not now"}
        state, told = await odd.call("rent_number", number=FREE)
    assert state is State.UNKNOWN
    assert "Done" not in told


GROUPS = [{"name": "Recall", "size": 5}, {"name": "Newsletter", "size": 2}]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (GROUPS, GROUPS[:1], State.DONE),
        (GROUPS, GROUPS, State.REFUSED),
        (GROUPS, [], State.DONE),
        (GROUPS, {"error": "not now"}, State.UNKNOWN),
        (GROUPS, httpx2.Response(200), State.UNKNOWN),
        (GROUPS, [{"size": 5}], State.UNKNOWN),
        (GROUPS, {"content": GROUPS[:1], "last": False}, State.UNKNOWN),
        (GROUPS[:1], GROUPS[:1], State.UNKNOWN),
        (httpx2.Response(500), GROUPS[:1], State.UNKNOWN),
    ],
)
async def test_a_group_that_was_not_seen_before_is_not_seen_to_go(
    before: Any, after: Any, found: State, tmp_path: Path
) -> None:
    async with _opened(tmp_path) as odd:
        odd.routee.answers["GET", "groups/my"] = before
        odd.routee.answers["DELETE", "groups/my"] = LOST
        state, _ = await odd.call("delete_groups", groups=["Newsletter"])
        assert state is State.UNKNOWN
        odd.routee.answers["GET", "groups/my"] = after
        assert await odd.look() is found


GONE = httpx2.Response(404, json={"code": "404021005", "developerMessage": "The pool does not exist."})


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"poolId": "p-1", "poolName": "Recalls"}, GONE, State.DONE),
        (GONE, GONE, State.UNKNOWN),
        ({"poolId": "p-1"}, httpx2.Response(404, text="nginx"), State.UNKNOWN),
        ({"poolId": "p-1"}, {"error": "not now"}, State.UNKNOWN),
        ({"poolId": "p-1"}, {"poolId": "p-1"}, State.REFUSED),
    ],
)
async def test_a_404_proves_a_removal_only_of_what_was_there_and_only_if_it_is_the_apis(
    before: Any, after: Any, found: State, tmp_path: Path
) -> None:
    async with _opened(tmp_path) as odd:
        odd.routee.answers["GET", "pools/my/p-1"] = before
        odd.routee.answers["DELETE", "pools/my/p-1"] = LOST
        state, _ = await odd.call("delete_pool", pool_id="p-1")
        assert state is State.UNKNOWN
        odd.routee.answers["GET", "pools/my/p-1"] = after
        assert await odd.look() is found


@pytest.mark.parametrize(
    ("tool", "method", "numbers", "found"),
    [
        ("add_pool_number", "PUT", [OTHER.removeprefix("+")], State.DONE),
        ("add_pool_number", "PUT", [FREE], State.REFUSED),
        ("add_pool_number", "PUT", ["n-17"], State.UNKNOWN),
        ("add_pool_number", "PUT", None, State.UNKNOWN),
        ("remove_pool_number", "DELETE", [FREE], State.UNKNOWN),
    ],
)
async def test_a_number_of_a_pool_is_compared_only_where_the_list_shows_numbers(
    tool: str, method: str, numbers: Any, found: State, tmp_path: Path
) -> None:
    async with _opened(tmp_path) as odd:
        pool: dict[str, Any] = {"poolId": "p-1", "poolName": "Recalls"}
        odd.routee.answers["GET", "pools/my/p-1/numbers"] = {**pool, "numbers": [FREE]}
        odd.routee.answers[method, f"pools/my/p-1/numbers/{OTHER[1:]}"] = LOST
        state, _ = await odd.call(tool, pool_id="p-1", number=OTHER)
        assert state is State.UNKNOWN
        odd.routee.answers["GET", "pools/my/p-1/numbers"] = {**pool, "numbers": numbers}
        assert await odd.look() is found
