"""Phone numbers: search, order, release; the paths and bodies are inferred."""

from tests.sandbox.convirza.account import ask, charges, control, items, logged_in, read


async def test_a_search_shows_own_numbers_with_an_identifier_and_carrier_numbers_without() -> None:
    async with logged_in() as http:
        data = await read(http, "/phone-numbers/available?area_code=512&limit=3")
    assert items(data, "numbers") == [
        {"number_id": 45108, "number": "5125550208", "source": 10001},
        {"number_id": None, "number": "5125802000", "source": 20002},
        {"number_id": None, "number": "5125802041", "source": 20002},
    ]
    assert data["total"] == 41


async def test_an_ordered_number_costs_at_once_and_can_be_routed() -> None:
    async with logged_in() as http:
        order = {"number_id": None, "number": "5125802000", "source": 20002}
        data = await ask(http, "POST", "/phone-numbers", order, expect=201)
        assert data == {"number": {"phone_number_id": 67890, "phone_number": "5125802000"}}
        assert await charges(http) == [("number_order", 1, "1.00")]
        route = {"provisioned_route_name": "Radio - Austin", "org_unit_id": 70038, "phone_numbers": [data["number"]]}
        await ask(http, "POST", "/provisioned-routes", route, expect=201)
        assert (await read(http, "/phone-numbers/provisioned"))["total"] == 7


async def test_a_number_can_be_ordered_once() -> None:
    async with logged_in() as http:
        await ask(http, "POST", "/phone-numbers", {"number": "5125802000"}, expect=201)
        await ask(http, "POST", "/phone-numbers", {"number": "5125802000"}, expect=400)
        await control(http, "/convirza/gone", {"numbers": ["5125802041"]})
        await ask(http, "POST", "/phone-numbers", {"number": "5125802041"}, expect=400)
        await ask(http, "POST", "/phone-numbers", {"number": "+15125802082"}, expect=400)
        await ask(http, "POST", "/phone-numbers", {"number": "5125550208", "number_id": 45108}, expect=400)
        assert len(await charges(http)) == 1


async def test_a_reserved_number_is_released_for_good() -> None:
    async with logged_in() as http:
        assert await ask(http, "DELETE", "/phone-numbers/reserved/45108") == {"released": [45108]}
        assert (await read(http, "/phone-numbers/assigned"))["total"] == 8
        assert (await read(http, "/phone-numbers/available?area_code=5125550208"))["total"] == 0


async def test_a_number_in_use_or_of_somebody_else_is_not_released() -> None:
    async with logged_in() as http:
        await ask(http, "DELETE", "/phone-numbers/reserved/45101", expect=400)
        await ask(http, "DELETE", "/phone-numbers/reserved/45201", expect=404)
        assert (await read(http, "/phone-numbers/assigned"))["total"] == 9
