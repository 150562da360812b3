"""Sessions in the store: sealed, shared, and never in the way."""

from pathlib import Path

from server.store.store import open_store
from tests.clients.convirza_accounts import end_access_tokens, sandboxes, user
from tools.convirza.operations.tags import ListTags


def _address(folder: Path) -> str:
    return f"sqlite:///{folder / 'ringfence.db'}"


async def test_a_session_outlives_the_process_and_cannot_be_read_from_the_file(tmp_path: Path) -> None:
    first = open_store(_address(tmp_path), tmp_path)
    await first.tokens.put("convirza-1", "refresh-token-of-dana")
    await first.database.close()
    second = open_store(_address(tmp_path), tmp_path)
    assert await second.tokens.get("convirza-1") == "refresh-token-of-dana"
    assert "refresh-token-of-dana" not in str(await second.key_values.get("session:convirza-1"))
    await second.tokens.drop("convirza-1")
    assert await second.tokens.get("convirza-1") is None
    await second.database.close()


async def test_a_session_sealed_with_another_key_costs_a_login(tmp_path: Path) -> None:
    first = open_store(_address(tmp_path), tmp_path / "one")
    await first.tokens.put("convirza-1", "refresh-token-of-dana")
    await first.database.close()
    second = open_store(_address(tmp_path), tmp_path / "other")
    assert await second.tokens.get("convirza-1") is None
    await second.database.close()


async def test_a_store_that_cannot_be_written_stops_no_call(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    record = open_store(_address(blocked), tmp_path)
    async with sandboxes() as sandbox, user(sandbox, tokens=record.tokens) as client:
        assert (await client.send(ListTags())).total == 4
        await end_access_tokens(sandbox)
        assert (await client.send(ListTags())).total == 4


async def test_a_rotated_pair_is_in_the_store(tmp_path: Path) -> None:
    record = open_store(_address(tmp_path), tmp_path)
    async with sandboxes() as sandbox:
        async with user(sandbox, tokens=record.tokens) as client:
            await client.send(ListTags())
            await end_access_tokens(sandbox)
            await client.send(ListTags())
        async with user(sandbox, tokens=record.tokens) as restarted:
            await restarted.send(ListTags())
        assert len(await sandbox.requests(path="/oauth/token")) == 1
    await record.database.close()
