"""Login, single-use refresh tokens, revocation, lifetimes and the login limit."""

from tests.sandbox.convirza.account import ADMIN, control, inner, log_in, logged_in, open_sandbox, read


async def test_login_answers_the_documented_pair_without_an_envelope() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
    assert set(pair) == {
        "access_token",
        "refresh_token",
        "frontend_token",
        "token_type",
        "expires_in",
        "refresh_expires_in",
        "user",
    }
    assert pair["token_type"] == "Bearer"
    assert pair["expires_in"] == "2026-05-25T12:00:00.000Z"
    assert pair["refresh_expires_in"] == "2026-11-14T12:00:00.000Z"
    assert len(str(pair["frontend_token"])) == 32
    assert pair["user"] == {"user_id": 84784, "email": ADMIN[0], "role_id": 1, "org_unit_id": 60001}


async def test_a_wrong_password_is_refused() -> None:
    async with open_sandbox() as http:
        answer = await http.post("/convirza/oauth/token", json={"email": ADMIN[0], "password": "guess"})
    assert answer.status_code == 401
    assert answer.json()["requestId"]


async def test_a_deleted_user_cannot_log_in() -> None:
    async with open_sandbox() as http:
        credentials = {"email": "former@bluewater.example", "password": "Molar-4420"}
        answer = await http.post("/convirza/oauth/token", json=credentials)
    assert answer.status_code == 401


async def test_login_takes_json_and_no_form() -> None:
    async with open_sandbox() as http:
        answer = await http.post("/convirza/oauth/token", data={"email": ADMIN[0], "password": ADMIN[1]})
    assert answer.status_code == 400


async def test_the_eleventh_login_within_a_minute_is_refused_and_works_a_minute_later() -> None:
    async with open_sandbox() as http:
        for _ in range(10):
            await log_in(http)
        refused = await http.post("/convirza/oauth/token", json={"email": ADMIN[0], "password": ADMIN[1]})
        assert refused.status_code == 429
        await control(http, "/clock", {"seconds": 61})
        await log_in(http)


async def test_refreshing_is_not_counted_as_a_login() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        for _ in range(12):
            answer = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
            assert answer.status_code == 200
            pair = answer.json()


async def test_a_refresh_token_works_once() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        first = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert first.status_code == 200
        replayed = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert replayed.status_code == 401
        next_one = await http.post(
            "/convirza/oauth/refresh-token", json={"refresh_token": first.json()["refresh_token"]}
        )
        assert next_one.status_code == 200


async def test_a_refresh_ends_the_old_access_token() -> None:
    async with logged_in() as http:
        pair = await log_in(http)
        answer = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert (await http.get("/convirza/v3/auth/profile")).status_code == 401
        http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        assert inner(await read(http, "/auth/profile"), "user")["email"] == ADMIN[0]


async def test_a_refresh_whose_answer_was_lost_has_still_used_the_token_up() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        fault = {"kind": "status", "provider": "convirza", "path": "refresh", "status": 502, "after_effect": True}
        await control(http, "/faults", fault)
        lost = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert lost.status_code == 502
        again = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert again.status_code == 401


async def test_revoking_an_access_token_leaves_the_refresh_token() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        body = {"token": pair["access_token"], "token_type": "access"}
        del http.headers["authorization"]
        assert (await http.post("/convirza/oauth/revoke-token", json=body)).status_code == 200
        http.headers["authorization"] = f"Bearer {pair['access_token']}"
        assert (await http.get("/convirza/v3/auth/profile")).status_code == 401
        answer = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert answer.status_code == 200


async def test_revoking_is_idempotent() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        body = {"token": pair["refresh_token"], "token_type": "refresh"}
        for _ in range(2):
            assert (await http.post("/convirza/oauth/revoke-token", json=body)).status_code == 200
        answer = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert answer.status_code == 401


async def test_revoking_needs_one_of_the_two_token_types() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        body = {"token": pair["access_token"], "token_type": "bearer"}
        assert (await http.post("/convirza/oauth/revoke-token", json=body)).status_code == 400


async def test_an_access_token_lives_seven_days_from_its_last_use() -> None:
    async with logged_in() as http:
        for _ in range(3):
            await control(http, "/clock", {"seconds": 6 * 86400})
            await read(http, "/auth/profile")
        await control(http, "/clock", {"seconds": 7 * 86400})
        assert (await http.get("/convirza/v3/auth/profile")).status_code == 401


async def test_a_refresh_token_dies_after_180_days() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        await control(http, "/clock", {"seconds": 180 * 86400})
        answer = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert answer.status_code == 401


async def test_the_control_ends_access_tokens_and_no_refresh_token() -> None:
    async with open_sandbox() as http:
        pair = await log_in(http)
        assert await control(http, "/convirza/expire-access-tokens", {}) == {"expired": 1}
        assert (await http.get("/convirza/v3/auth/profile")).status_code == 401
        answer = await http.post("/convirza/oauth/refresh-token", json={"refresh_token": pair["refresh_token"]})
        assert answer.status_code == 200


async def test_a_reset_ends_every_token() -> None:
    async with logged_in() as http:
        await control(http, "/reset", {})
        assert (await http.get("/convirza/v3/auth/profile")).status_code == 401
