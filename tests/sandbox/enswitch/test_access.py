"""Logging in, tokens, roles, rate plans, tenancy, and credentials that should not be in a URL."""

import httpx2
import pytest

from sandbox.serving import serve_sandbox
from tests.sandbox.enswitch.doors import Door, Parameters, enswitch, read

LIST = "numbers/list"


def login(door: Door, who: str) -> dict[str, str]:
    return {name: str(door.people[who][name]) for name in ("auth_username", "auth_password")}


async def test_username_and_password_in_a_form_are_accepted() -> None:
    async with enswitch() as door:
        reply = await door.post(LIST, login(door, "customer"))
        assert reply.code == "200"
        assert await door.control("enswitch/leaks") == {"count": 0, "requests": []}


@pytest.mark.parametrize(
    "credentials",
    [
        {"auth_username": "bluewater.admin", "auth_password": "wrong"},
        {"auth_username": "bluewater.admin"},
        {"auth_token": "corrupt"},
        {},
    ],
)
async def test_wrong_credentials_answer_401_inside_http_200(credentials: dict[str, str]) -> None:
    async with enswitch() as door:
        reply = await door.post(LIST, credentials)
    assert (reply.status, reply.codes) == (200, ("401",))


async def test_a_token_from_user_login_works_until_it_expires() -> None:
    async with enswitch() as door:
        data = (await door.post("user/login", {**login(door, "customer"), "token": 1})).fields
        assert data["auth_token_expiry"] == 3600
        assert "password" not in data
        token = {"auth_token": str(data["auth_token"])}
        await door.advance(3599)
        assert (await door.post(LIST, token)).code == "200"
        await door.advance(1)
        assert (await door.post(LIST, token)).code == "401"


async def test_a_token_that_never_expires_has_no_expiry_time() -> None:
    async with enswitch() as door:
        await door.set(token_lifetime=0)
        data = (await door.call("user/login", {"token": 1})).fields
    assert "auth_token_expires" not in data


async def test_switching_gives_a_token_of_the_other_person() -> None:
    async with enswitch() as door:
        data = (await door.call("user/switch", {"id": 302, "token": 1})).fields
        assert data["username"] == "dr.rey"
        reply = await door.post("calls/hangup", {"auth_token": str(data["auth_token"]), "uniqueid": "seed.live"})
        assert reply.code == "402"
        assert (await door.call("user/switch", {"id": 401})).code == "404"


@pytest.mark.parametrize("who", ["wrong_address", "deleted_customer"])
async def test_a_locked_address_and_a_deleted_customer_answer_401(who: str) -> None:
    async with enswitch() as door:
        assert (await door.call(LIST, who=who)).code == "401"


async def test_402_is_the_role_and_403_the_rate_plan() -> None:
    async with enswitch() as door:
        route: Parameters = {"plan": 3, "called_prefix": "011"}
        assert (await door.call("plans/routes/create", route, who="customer")).codes == ("402",)
        assert (await door.call("plans/routes/create", route, who="plan_denied")).codes == ("403",)


async def test_a_plans_maximum_of_a_feature_answers_403() -> None:
    async with enswitch() as door:
        for name in ("Billing", "Nurses"):
            assert (await door.call("queues/create", {"name": name})).code == "200"
        assert (await door.call("queues/create", {"name": "One too many"})).code == "403"


async def test_another_customers_rows_do_not_exist() -> None:
    async with enswitch() as door:
        assert (await door.call("phones/get", {"name": "ng-desk"})).code == "404"
        assert (await door.call("numbers/update", {"number": "12065550188", "dtype": "hangup"})).code == "404"
        reply = await door.call("numbers/list", {"customer": 4})
        assert (reply.code, reply.keys) == ("400", ("customer",))
        assert (await door.call("numbers/list", {"customer": 4}, who="reseller")).code == "200"
        assert (await door.call("numbers/list", {"customer": 1}, who="reseller")).code == "400"


async def test_a_new_privilege_opens_what_the_role_forbade() -> None:
    async with enswitch() as door:
        call: Parameters = {"snumber": "bw-rey", "cnumber": "19175550161"}
        assert (await door.call("calls/make", call, who="user")).code == "402"
        grant: Parameters = {"role": 5, "privilege": "actions", "access": 1}
        assert (await door.call("roles/access/set", grant, who="admin")).code == "204"
        assert (await door.call("calls/make", call, who="user")).code == "204"


async def test_anybody_may_check_whether_a_person_exists_and_learns_no_more() -> None:
    async with enswitch() as door:
        reply = await door.call("people/get", {"username": "dr.rey", "check": 1}, who=None)
        assert reply.data == {"id": 302}
        assert (await door.call("people/get", {"username": "nobody", "check": 1}, who=None)).code == "404"
        assert (await door.call("people/get", {"username": "dr.rey"}, who=None)).code == "401"


async def test_without_credentials_only_unassigned_numbers_are_seen() -> None:
    async with enswitch() as door:
        assert (await door.call("numbers/get", {"number": "12015550120"}, who=None)).code == "200"
        assert (await door.call("numbers/get", {"number": "12015550142"}, who=None)).code == "404"
        assert (await door.call("plans/list", {"signup": 1}, who=None)).code == "200"
        assert (await door.call("plans/list", who=None)).code == "401"


async def test_credentials_in_a_url_work_and_are_counted_without_their_values() -> None:
    async with enswitch() as door:
        reply = await door.get(
            "phones/get", "auth_username=bluewater.admin;auth_password=bluewater-admin-2026;name=bw-rey;password=1"
        )
        assert reply.fields["password"] == "bw-rey-sip-secret"
        leaks = await door.control("enswitch/leaks")
    assert leaks == {
        "count": 1,
        "requests": [
            {
                "at": "2026-05-18T12:00:00Z",
                "function": "phones/get",
                "method": "GET",
                "parameters": ["auth_username", "auth_password"],
            }
        ],
    }


async def test_deletes_may_be_sent_by_get() -> None:
    async with enswitch() as door:
        token = door.people["reseller"]["auth_token"]
        assert (await door.get("plans/routes/delete", f"auth_token={token}&id=41")).code == "204"
        assert [row["id"] for row in await door.table("plan_routes")] == [42]


async def test_all_problems_come_in_one_answer() -> None:
    async with enswitch() as door:
        reply = await door.call("plans/routes/create", {"allow": 7, "media": "video", "x": 1}, who="reseller")
    assert set(reply.codes) == {"400"}
    assert set(reply.keys) == {"allow", "media", "x", "called_prefix", "plan"}


async def test_a_parameter_given_twice_is_refused() -> None:
    async with enswitch() as door:
        token = door.people["customer"]["auth_token"]
        reply = await door.get("numbers/get", f"auth_token={token}&number=12015550142&number=12015550143")
    assert (reply.code, reply.keys) == ("400", ("number",))


@pytest.mark.parametrize(
    "query",
    [
        {"amount": "20", "id": "3"},
        {"amount": "20", "description": "test", "id": "3", "transaction": "topup"},
        {"amount": "0.5", "currency": "USD", "id": "3", "transaction": "credit"},
    ],
)
async def test_a_public_client_is_answered_as_it_expects(query: dict[str, str]) -> None:
    """The requests of aleyrizvi/enswitch-go, which reads `code` as text, and takes any other HTTP status for an error.

    It sends GET without a slash at the end, names JSON as the type of a body that is not there, and joins pairs with &.
    """
    credentials = {"auth_password": "harborline-admin-2026", "auth_username": "harborline.admin"}
    async with enswitch() as door:
        answer = await door.http.get(
            "/enswitch/api/json/customers/balance/add",
            params={**credentials, **query},
            headers={"Content-Type": "Application/JSON", "User-Agent": "Enswitch-GO"},
        )
        assert answer.status_code == 200
        assert answer.json() == {"responses": [{"code": "204", "key": "", "message": "OK"}]}


async def test_a_path_is_a_function_with_or_without_a_slash_and_json_is_no_form() -> None:
    async with enswitch() as door:
        token = {"auth_token": door.people["customer"]["auth_token"]}
        assert read(await door.http.post("/enswitch/api/json/numbers/list", data=token)).code == "200"
        assert (await door.http.post("/enswitch/api/json/numbers/explode/")).status_code == 404
        assert (await door.http.delete("/enswitch/api/json/numbers/list/")).status_code == 405
        assert read(await door.http.post("/enswitch/api/json/numbers/list/", json=token)).code == "400"


async def test_codes_may_be_integers_and_statuses_may_mirror_them() -> None:
    async with enswitch() as door:
        await door.set(integer_codes=True, mirror_status=True)
        reply = await door.call("phones/get", {"name": "nothing"})
        assert (reply.status, reply.codes) == (404, (404,))
        assert (await door.call("phones/unregister", {"name": "bw-rey"})).codes == (204,)


async def test_a_reset_brings_back_the_seed_and_its_tokens() -> None:
    async with enswitch() as door:
        before = await door.control("enswitch/tables")
        await door.set(version="4.0")
        await door.http.post("/_control/reset")
        assert (await door.call("people/delete", {"id": 302})).code == "204"
        await door.http.post("/_control/reset")
        assert await door.control("enswitch/tables") == before


async def test_it_answers_on_a_real_socket() -> None:
    async with serve_sandbox() as url, httpx2.AsyncClient(base_url=url) as http:
        people = (await http.get("/_control/providers")).json()["enswitch"]["people"]
        form = {"auth_token": people["customer"]["auth_token"], "number": "12015550142"}
        reply = read(await http.post("/enswitch/api/json/numbers/get/", data=form))
    assert (reply.status, reply.code) == (200, "200")
    assert (reply.fields["dtype"], reply.fields["dnumber"]) == ("queue", "801")
