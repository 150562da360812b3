"""Groups: lists, tree, hierarchy, create with its rules, PUT resets, PATCH keeps, delete."""

import pytest

from tests.sandbox.convirza.account import GROUP_EXAMPLE, Json, ask, items, logged_in, read


async def test_the_children_are_one_level_deep_in_documented_rows() -> None:
    async with logged_in() as http:
        data = await read(http, "/groups/list")
        below = await read(http, "/groups/list?org_unit_id=65000&group_name=MANHATTAN")
    rows = items(data, "groups")
    assert data["total"] == 4
    assert [row["org_unit_id"] for row in rows] == [65000, 70037, 70038, 70039]
    assert set(rows[0]) == {
        "org_unit_id",
        "org_unit_ext_id",
        "org_unit_name",
        "org_unit_parent_id",
        "top_ou_id",
        "org_unit_status",
        "billing_id",
        "address",
        "city",
        "state",
        "zip",
        "phone_number",
        "industry_id",
        "industry_name",
        "org_unit_created",
        "org_unit_modified",
    }
    assert [row["org_unit_id"] for row in items(below, "groups")] == [70036]


async def test_the_list_of_groups_holds_the_whole_hierarchy() -> None:
    async with logged_in() as http:
        assert (await read(http, "/groups?limit=2"))["total"] == 7


async def test_the_tree_is_the_flat_list_of_the_example_and_leaves_out_inactive_groups() -> None:
    async with logged_in() as http:
        rows = items(await read(http, "/groups/tree"), "groups")
        everything = items(await read(http, "/groups/tree?active=false"), "groups")
    assert rows[0] == {"org_unit_id": 60001, "text": "Bluewater Dental Group", "code": "1", "group_level": 1}
    assert {"org_unit_id": 70036, "text": "Manhattan Office", "code": "1.1.2", "group_level": 3} in rows
    assert len(everything) == len(rows) + 1


async def test_the_hierarchy_starts_with_the_unit_itself() -> None:
    async with logged_in() as http:
        assert await read(http, "/groups/org-list/65000") == {"orgUnits": [65000, 70035, 70036]}


async def test_the_example_of_create_group_is_answered_as_documented() -> None:
    async with logged_in() as http:
        assert await ask(http, "POST", "/groups", GROUP_EXAMPLE) == {"orgUnitId": 70100}
        group = await read(http, "/groups/70100")
    assert group["org_unit_parent_id"] == 65000
    assert group["top_ou_id"] == 60001
    assert group["industry_name"] == "Legal"
    assert group["timezone"] == "America/New_York"


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "blue"},
        {"zip": 10001},
        {"billing_id": "1"},
        {"org_unit_name": "Manhattan Office"},
        {"org_unit_parent_id": 90001},
        {"org_unit_parent_id": 70039},
    ],
)
async def test_a_wrong_group_is_refused(change: Json) -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/groups", {**GROUP_EXAMPLE, **change}, expect=400)


async def test_patch_keeps_parent_and_everything_else() -> None:
    async with logged_in() as http:
        await ask(http, "PATCH", "/groups/70036", {"address": "350 5th Ave", "note": "12th floor"})
        group = await read(http, "/groups/70036")
    assert group["org_unit_parent_id"] == 65000
    assert group["city"] == "New York"
    assert group["note"] == "12th floor"


async def test_put_resets_the_parent_to_the_own_unit_and_the_rest_to_nothing() -> None:
    async with logged_in() as http:
        await ask(http, "PUT", "/groups/70036", {"org_unit_name": "Manhattan Office"})
        group = await read(http, "/groups/70036")
    assert group["org_unit_parent_id"] == 60001
    assert group["city"] is None
    assert group["billing_id"] is None


async def test_a_group_cannot_be_moved_below_itself() -> None:
    async with logged_in() as http:
        await ask(http, "PATCH", "/groups/65000", {"org_unit_parent_id": 70036}, expect=400)


async def test_only_an_empty_group_is_deleted() -> None:
    async with logged_in() as http:
        for identifier in (60001, 65000, 70035, 70037):
            await ask(http, "DELETE", f"/groups/{identifier}", expect=400)
        await ask(http, "POST", "/groups", GROUP_EXAMPLE)
        assert await ask(http, "DELETE", "/groups/70100") == {"orgUnitId": 70100}
        assert (await read(http, "/groups/70100"))["org_unit_status"] == "inactive"
        await ask(http, "PATCH", "/groups/70100", {"city": "Albany"})
        assert (await read(http, "/groups/70100"))["org_unit_status"] == "inactive"
