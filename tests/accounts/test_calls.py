"""Calls on one of several accounts: reads, guarded writes, and what an approval is bound to."""

from pathlib import Path

from tests.accounts.two_accounts import CLINIC, OF_CLINIC, OF_OFFICE, OFFICE, two_accounts
from tests.connecting import Person, connect, content_of, server_for
from tests.sandbox_control import sandboxes


async def test_a_read_shows_the_account_that_it_names(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server) as client:
            for account, number, other in ((OFFICE, OF_OFFICE, OF_CLINIC), (CLINIC, OF_CLINIC, OF_OFFICE)):
                shown = await client.call_tool("voicetel_list_numbers", {"account": account, "limit": 50})
                assert number in str(shown.structured_content)
                assert other not in str(shown.structured_content)


async def test_a_guarded_call_is_made_on_the_account_that_it_names(tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        person = Person()
        _, server = server_for(two_accounts(tmp_path, sandbox.voicetel))
        async with connect(server, person=person) as client:
            sent = await client.call_tool(
                "voicetel_set_forward", {"account": CLINIC, "number": OF_CLINIC, "forward_to": "+12065550199"}
            )
            assert not sent.is_error, sent
        assert "(account clinic)" in person.questions[0].splitlines()[0]
        [request] = await sandbox.writes()
        print(request)
