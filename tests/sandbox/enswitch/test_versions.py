"""Both forms of plans/routes, and functions that are younger than the installation."""

import pytest

from tests.sandbox.enswitch.doors import Door, Parameters, Reply, enswitch


async def old(door: Door, function: str, parameters: Parameters) -> Reply:
    """Call a function as the reseller with a name and a password; before 4.1 there are no tokens."""
    person = door.people["reseller"]
    credentials = {name: person[name] for name in ("auth_username", "auth_password")}
    return await door.post(function, {**credentials, **parameters})


ROUTE: Parameters = {"plan": 3, "prefix": "011", "media": "voice"}


async def test_before_4_1_a_route_is_named_by_plan_prefix_and_media() -> None:
    async with enswitch("4.0") as door:
        made = await old(door, "plans/routes/create", {**ROUTE, "allow": 1})
        assert (made.codes, made.data) == (("204",), None)
        assert (await old(door, "plans/routes/update", {**ROUTE, "allow": 0})).code == "204"
        row = (await old(door, "plans/routes/get", ROUTE)).fields
        assert (row["prefix"], row["allow"]) == ("011", 0)
        assert not row.keys() & {"id", "called_prefix", "caller_prefix"}
        listed = await old(door, "plans/routes/list", {"plan": 3, "prefix": "011"})
        assert listed.data == [row]
        assert (await old(door, "plans/routes/delete", ROUTE)).code == "204"
        assert (await old(door, "plans/routes/get", ROUTE)).code == "404"


async def test_before_4_1_the_new_names_are_unknown() -> None:
    async with enswitch("4.0") as door:
        reply = await old(door, "plans/routes/create", {"plan": 3, "called_prefix": "011", "caller_prefix": "1"})
        assert set(reply.keys) == {"called_prefix", "caller_prefix", "prefix"}
        assert "id" in (await old(door, "plans/routes/delete", {"id": 41})).keys


async def test_from_4_1_on_the_old_names_are_unknown() -> None:
    async with enswitch("4.1") as door:
        reply = await door.call("plans/routes/create", {"plan": 3, "prefix": "011"}, who="reseller")
        assert set(reply.keys) == {"prefix", "called_prefix"}
        made = await door.call("plans/routes/create", {"plan": 3, "called_prefix": "011"}, who="reseller")
        row = (await door.call("plans/routes/get", {"id": str(made.fields["id"])}, who="reseller")).fields
        assert (row["allow"], row["media"], row["caller_prefix"], row["peer1"]) == (1, "voice_fax", "", 0)


async def test_before_4_1_tokens_are_unknown() -> None:
    async with enswitch("4.0") as door:
        assert (await door.call("numbers/list")).code == "401"
        assert (await old(door, "user/login", {"token": 1})).keys == ("token",)


@pytest.mark.parametrize(
    ("function", "version", "known"),
    [
        ("callergroups/create", "4.1", False),
        ("callergroups/create", "4.2", True),
        ("calleridgroups/list", "4.2", False),
        ("calleridgroups/list", "4.3", True),
        ("phones/hardware/delete", "4.2", False),
    ],
)
async def test_a_function_is_unknown_to_versions_before_it(function: str, version: str, known: bool) -> None:
    async with enswitch(version) as door:
        answer = await door.http.post(f"/enswitch/api/json/{function}/")
    assert answer.status_code == (200 if known else 404)


async def test_an_unknown_version_cannot_be_set() -> None:
    async with enswitch() as door:
        assert (await door.http.put("/_control/enswitch/settings", json={"version": "9.9"})).status_code == 400


async def test_the_same_route_twice_and_a_plan_out_of_reach_are_refused() -> None:
    async with enswitch() as door:
        route: Parameters = {"plan": 3, "called_prefix": "1900"}
        assert (await door.call("plans/routes/create", route, who="reseller")).keys == ("called_prefix",)
        reply = await door.call("plans/routes/create", {"plan": 1, "called_prefix": "9"}, who="reseller")
        assert (reply.code, reply.keys) == ("400", ("plan",))
        assert (await door.call("plans/routes/get", {"id": 999}, who="reseller")).code == "404"
