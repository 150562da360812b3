"""One operation, several forms: what an installation is asked follows its version, never an argument."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clients.errors import InvalidRequest
from clients.operation import Operation
from tests.clients.enswitch_accounts import installations, person
from tools.discovery.examples import example_call
from tools.enswitch.operations.calls import ListCallTotals
from tools.enswitch.operations.customers import ExportCustomers, ImportCustomers
from tools.enswitch.operations.people import SwitchUser
from tools.enswitch.operations.phone_numbers import PurchaseNumber
from tools.enswitch.operations.phones import DeletePhoneHardware
from tools.enswitch.operations.plan_routes import (
    CreatePlanRoute,
    DeletePlanRoute,
    GetPlanRoute,
    ListPlanRoutes,
    UpdatePlanRoute,
)
from tools.enswitch.operations.queues import ListQueueCallbacks
from tools.enswitch.operations.routing import CreateCallergroup
from tools.enswitch.versions import Version, in_form_of, version_of
from tools.registry import operations_of

LOGIN = {"auth_username", "auth_password"}
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SOME = (GetPlanRoute, PurchaseNumber)
EVERY: list[Version] = [(4, 0), (4, 1), (4, 2), (4, 3), (4, 4)]


def written(version: Version) -> str:
    return ".".join(map(str, version))


@pytest.mark.parametrize("version", EVERY)
async def test_a_plan_route_lives_its_life_at_every_version(version: Version) -> None:
    async with installations() as installation, person(installation, version=version) as client:
        await installation.set(version=written(version))
        made = CreatePlanRoute(called_prefix="49", plan=3, allow="forbid", description="Germany", media="voice")
        answer = await client.send(made)
        (listed,) = (await client.send(ListPlanRoutes(plan=3, called_prefix="49", media="voice"))).routes
        assert listed.route is not None
        assert (listed.called_prefix, listed.allow, listed.media) == ("49", "forbid", "voice")
        shown = await client.send(GetPlanRoute(route=listed.route))
        assert shown == listed
        await client.send(UpdatePlanRoute(route=listed.route, allow="allow", peer1=61))
        after = await client.send(GetPlanRoute(route=listed.route))
        assert (after.allow, after.peer1, after.description) == ("allow", 61, "Germany")
        back = made.undo(None, answer).operation
        assert back is not None
        assert back == DeletePlanRoute(route=listed.route)
        await client.send(back)
        assert (await client.send(ListPlanRoutes(plan=3, called_prefix="49"))).routes == []


async def test_before_41_a_route_is_created_by_prefix_and_named_by_plan_prefix_and_media() -> None:
    async with installations() as installation, person(installation, version=(4, 0)) as client:
        await installation.set(version="4.0")
        await client.send(CreatePlanRoute(called_prefix="011", plan=2))
        await client.send(GetPlanRoute(route="2/011/voice_fax"))
        created, read = (set(row["body"]) - LOGIN for row in await installation.requests())
        assert created == {"prefix", "plan", "allow", "media"}
        assert read == {"plan", "prefix", "media"}


async def test_from_41_on_a_route_is_created_by_called_prefix_and_named_by_id() -> None:
    async with installations() as installation, person(installation, version=(4, 1)) as client:
        await installation.set(version="4.1")
        await client.send(CreatePlanRoute(called_prefix="011", plan=2, caller_prefix="1201"))
        await client.send(GetPlanRoute(route="41"))
        created = (await installation.calls_of("plans/routes/create"))[0]["body"]
        read = (await installation.calls_of("plans/routes/get"))[0]["body"]
        assert set(created) == {"auth_token", "called_prefix", "caller_prefix", "plan", "allow", "media"}
        assert set(read) == {"auth_token", "id"}


@pytest.mark.parametrize(
    "call",
    [
        CreatePlanRoute(called_prefix="011", plan=2, caller_prefix="1201"),
        UpdatePlanRoute(route="2/011/voice", called_prefix="012"),
        UpdatePlanRoute(route="2/011/voice", media="fax"),
        GetPlanRoute(route="41"),
        CreateCallergroup(name="EEA", description="x"),
        DeletePhoneHardware(id=881),
        SwitchUser(id=302),
    ],
    ids=lambda call: call.spec.name,
)
async def test_what_an_old_installation_does_not_know_is_not_sent(
    call: Operation[Any],
) -> None:
    async with installations() as installation, person(installation, version=(4, 0)) as client:
        await installation.set(version="4.0")
        with pytest.raises(InvalidRequest, match=r"(?i)nothing was sent"):
            await client.send(call)
        assert await installation.requests() == []


@pytest.mark.parametrize(
    ("version", "call", "since"),
    [
        *(((3, 12), example_call(operation), "3.13") for operation in SOME),
        ((3, 13), ExportCustomers(), "3.14"),
        ((3, 13), PurchaseNumber(number="12015550120", ingroup=21), "3.14"),
        ((3, 15), ListCallTotals(since=SINCE), "4.0"),
        ((3, 15), ListQueueCallbacks(), "4.0"),
        ((3, 15), ImportCustomers(csv="name"), "4.0"),
    ],
    ids=lambda value: value.spec.name if isinstance(value, Operation) else str(value),
)
async def test_a_function_says_since_which_version_there_is_one(
    version: Version, call: Operation[Any], since: str
) -> None:
    async with installations() as installation, person(installation, version=version) as client:
        with pytest.raises(InvalidRequest, match=rf"it came with {since}\. Nothing was sent"):
            await client.send(call)
        assert await installation.requests() == []


def test_before_313_every_function_says_that_there_is_none() -> None:
    for operation in operations_of("enswitch").values():
        call = example_call(operation)
        with pytest.raises(InvalidRequest, match="Nothing was sent"):
            in_form_of((3, 12), call, call.to_wire())


@pytest.mark.parametrize("version", [(4, 0), (4, 4)])
async def test_a_prefix_may_begin_with_a_plus(version: Version) -> None:
    async with installations() as installation, person(installation, version=version) as client:
        await installation.set(version=written(version))
        await client.send(CreatePlanRoute(called_prefix="+44", plan=3, media="voice", allow="forbid"))
        assert [row["called_prefix"] for row in await installation.ask("tables/plan_routes")].count("+44") == 1
        (listed,) = (await client.send(ListPlanRoutes(plan=3, called_prefix="+44"))).routes
        assert listed.route is not None
        deleted = DeletePlanRoute(route=listed.route)
        await client.send(deleted)
        back = deleted.undo(listed, None).operation
        assert isinstance(back, CreatePlanRoute)
        assert (back.called_prefix, back.media, back.allow) == ("+44", "voice", "forbid")


async def test_a_name_of_the_old_form_is_not_taken_for_an_id() -> None:
    async with installations() as installation, person(installation) as client:
        with pytest.raises(InvalidRequest, match="names a route by its id"):
            await client.send(GetPlanRoute(route="2/011/voice"))
        assert await installation.calls_of("plans/routes/get") == []


def test_versions_compare_as_numbers() -> None:
    assert version_of("4.10") > version_of("4.4") > version_of("4.0")
