"""Users: documented filters and rows, soft delete, PUT resets, PATCH keeps."""

import pytest

from tests.sandbox.convirza.account import USER_EXAMPLE, Json, ask, items, logged_in, read

ROW = {
    "first_name",
    "last_name",
    "email",
    "user_ext_id",
    "ct_user_id",
    "status",
    "agent_ring_to",
    "agent_id",
    "group",
    "group_org_unit_id",
    "group_external_id",
    "account",
    "account_org_unit_id",
    "account_external_id",
    "parent_group",
    "parent_group_org_unit_id",
    "parent_group_external_id",
    "role",
    "access_audio",
    "group_access",
    "report_access",
    "assign_scorecard",
    "user_created",
}


async def test_the_list_has_the_documented_rows_newest_first() -> None:
    async with logged_in() as http:
        data = await read(http, "/users/list")
    users = items(data, "users")
    assert data["total"] == 4
    assert [user["ct_user_id"] for user in users] == [84787, 84786, 84785, 84784]
    assert set(users[0]) == ROW
    assert users[2]["role"] == "Standard User"
    assert users[2]["access_audio"] == "Yes"
    assert users[2]["parent_group"] == "Bluewater Dental Group"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=NA%20RE", [84784]),
        ("email=MIAMI", [84787]),
        ("role_id=2", [84787, 84785]),
        ("user_status=deleted", [84788]),
        ("org_unit_id=65000", [84785]),
        ("sort_by=name&sort_order=asc", [84784, 84786, 84787, 84785]),
        ("sort_by=email&sort_order=asc&limit=1&offset=1", [84784]),
        ("name&email&limit=1", [84787]),
    ],
)
async def test_the_list_is_filtered_sorted_and_paged(query: str, found: list[int]) -> None:
    async with logged_in() as http:
        data = await read(http, f"/users/list?{query}")
    assert [user["ct_user_id"] for user in items(data, "users")] == found


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "sort_by=role", "user_status=gone", "page=2", "offset=-1"])
async def test_a_wrong_filter_is_refused(query: str) -> None:
    async with logged_in() as http:
        await ask(http, "GET", f"/users/list?{query}", expect=400)


async def test_the_example_of_create_user_is_answered_as_documented() -> None:
    async with logged_in() as http:
        assert await ask(http, "POST", "/users", USER_EXAMPLE) == {"userId": 12346}
        user = await read(http, "/users/12346")
    assert user["email"] == "admin@example.com"
    assert user["role_id"] == 1
    assert user["agent_code"] == 10
    assert user["group_org_unit_id"] == 70035


@pytest.mark.parametrize(
    "change",
    [
        {"nickname": "x"},
        {"agent_code": "10"},
        {"score_call": "1"},
        {"role": "Owner"},
        {"role": None},
        {"ct_user_ou_id": 90001},
        {"ct_user_ou_id": 70039},
        {"username": "not an address"},
        {"username": "DANA.REYES@bluewater.example"},
        {"agent_ring_to": "2015550142"},
    ],
)
async def test_a_wrong_user_is_refused_and_nobody_is_created(change: Json) -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/users", {**USER_EXAMPLE, **change}, expect=400)
        assert (await read(http, "/users/list"))["total"] == 4


async def test_the_role_may_be_named_by_its_identifier_as_the_prose_says() -> None:
    body = {name: value for name, value in USER_EXAMPLE.items() if name != "role"}
    async with logged_in() as http:
        await ask(http, "POST", "/users", {**body, "role_id": 3})
        assert (await read(http, "/users/12346"))["role_id"] == 3


async def test_patch_keeps_what_it_does_not_name() -> None:
    async with logged_in() as http:
        await ask(http, "PATCH", "/users/84785", {"agent_ring_to": "+12015550144", "shift": "late"})
        user = await read(http, "/users/84785")
    assert user["agent_ring_to"] == "+12015550144"
    assert user["agent_code"] == 2
    assert user["access_audio"] == "Yes"
    assert user["shift"] == "late"


async def test_put_resets_what_it_does_not_name() -> None:
    body = {
        "username": "theo.marsh@bluewater.example",
        "first_name": "Theo",
        "last_name": "Marsh",
        "ct_user_ou_id": 65000,
        "role": "Standard",
    }
    async with logged_in() as http:
        await ask(http, "PUT", "/users/84785", body)
        user = await read(http, "/users/84785")
    assert user["agent_ring_to"] is None
    assert user["agent_code"] is None
    assert user["access_audio"] == "No"


async def test_a_wrong_update_changes_nothing() -> None:
    async with logged_in() as http:
        await ask(http, "PATCH", "/users/84785", {"first_name": "T", "agent_code": "two"}, expect=400)
        await ask(http, "PATCH", "/users/84785", {}, expect=400)
        await ask(http, "PUT", "/users/84785", {"first_name": "T"}, expect=400)
        assert (await read(http, "/users/84785"))["first_name"] == "Theo"


async def test_deleting_is_soft_and_ends_the_sessions_of_the_user() -> None:
    async with logged_in() as http:
        answer = await http.post(
            "/convirza/oauth/token", json={"email": "theo.marsh@bluewater.example", "password": "Molar-4418"}
        )
        assert await ask(http, "DELETE", "/users/84785") == {"userId": 84785}
        assert (await read(http, "/users/84785"))["user_status"] == "deleted"
        await ask(http, "DELETE", "/users/84785", expect=404)
        await ask(http, "PATCH", "/users/84785", {"first_name": "T"}, expect=404)
        http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        await ask(http, "GET", "/auth/profile", expect=401)
