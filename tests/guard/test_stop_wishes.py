"""Whoever wants no more messages is heard, in whichever words and whichever way the text comes to us."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from clients.shared.inbound_texts import InboundText
from guard.rules.optout_keywords import Wish, read_wish
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from server.store.store import Store, open_store
from tests.connecting import Person, connect, server_for
from tests.operator_side import OperatorSide
from tests.sandbox_control import Sandbox, sandboxes
from tools.convirza.operations.conversations import ListSmsConversations, SmsConversations
from tools.routee.operations.sms import ListMessages, Messages
from tools.voicetel.operations.messaging import ListMessages as ListVoiceTelMessages
from tools.voicetel.operations.messaging import Messages as VoiceTelMessages

MARCUS = "+19175550161"

SURE = (
    "Stop. Thank you", "STOP STOP", "stop texting me", "STOP\n--\nJohn Smith\nAcme Inc.", "Stop\nJohn Smith",
    "Stop\n\nSent from my iPhone", "ARRET", "Arrêt", "arrêt svp", "S T O P", "s.t.o.p.", "please STOP now, thanks!",
    "Please stop sending me messages", "take me off your list", "Remove me from your list please", "unsubscribe me",
    "don't text me again", "please do not contact me anymore", "OPT ME OUT", "opt-out", "No more texts please", "TD",
    "Bonjour, arrêtez les SMS", "no más por favor", "Danke, abmelden bitte", "\uff33\uff34\uff2f\uff30", "sto\u200bp",
)  # fmt: skip
UNCLEAR = (
    "🛑", "SOTP", "stoooop", "Stop by tomorrow?", "Can you stop by at 5?", "Stop\nby the office tomorrow", "stop start",
    "Don't stop texting me", "wrong number", "cancel my appointment", "I would like you to stop this nonsense today",
    "You keep sending this to my grandmother, please do not text her",
    "Unsubscribe my husband as well as me and my son",
)  # fmt: skip
NOTHING = (
    "", "hello", "ok thanks", "Thanks", "I want to cancel my appointment on Friday at three", "who is this",
    "I am at the end of the road now", "stopped yesterday", "yes",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        *((text, Wish.STOP) for text in SURE),
        *((text, Wish.UNCLEAR) for text in UNCLEAR),
        *((text, Wish.START) for text in ("START", "Unstop", "start please")),
        *((text, None) for text in NOTHING),
    ],
)
def test_what_a_text_says_about_further_messages(text: str, wish: Wish | None) -> None:
    assert read_wish(text) is wish


SHOWN: Mapping[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "voicetel": (
        "voicetel/inbound",
        {"source": MARCUS[2:], "destination": "2015550142"},
        "voicetel_list_messages",
        {"number": "+12015550142"},
    ),
    "routee": (
        "routee/inbound",
        {"from": MARCUS, "to": "+447520630142"},
        "routee_list_messages",
        {"since": "2000-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"},
    ),
    "convirza": (
        "convirza/texts",
        {"source": MARCUS[2:], "phone_number": "2015550201"},
        "convirza_list_sms_conversations",
        {},
    ),
    "enswitch": (
        "enswitch/messages",
        {"mailbox": "201", "type": "text", "callerid": MARCUS[1:]},
        "enswitch_list_messages",
        {"mailbox": "201"},
    ),
}
"""How a text comes in at a provider, and the read that shows it."""

WORDS = {"voicetel": "text", "routee": "message", "convirza": "text", "enswitch": "transcription"}


async def _come_in(sandbox: Sandbox, provider: str, text: str) -> tuple[str, dict[str, Any]]:
    """Let a text of Marcus come in; the tool and the arguments that show it."""
    path, body, tool, arguments = SHOWN[provider]
    if provider == "routee":
        now = datetime.now(UTC)
        arguments = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}
    async with httpx2.AsyncClient() as http:
        answer = await http.post(f"{sandbox.url}/_control/{path}", json=body | {WORDS[provider]: text})
        assert answer.is_success, answer.text
    return tool, arguments


@pytest.mark.parametrize("provider", sorted(SHOWN))
async def test_a_stop_that_a_read_shows_counts_without_an_inbox(provider: str, tmp_path: Path) -> None:
    async with sandboxes() as sandbox:
        client, operator = _session(sandbox, tmp_path, Person())
        tool, arguments = await _come_in(sandbox, provider, "Stop. Thank you")
        async with client:
            await _read(client, tool, arguments)
            await _read(client, tool, arguments)
            assert MARCUS in await operator.opted_out()
            refused = await _text_marcus(client)
            assert "opted out of messages and calls; nothing was sent" in refused
            rows = [row for row in await operator.audit_rows() if row["event"] == "opted out"]
            assert len([row for row in rows if MARCUS[2:] in row["detail"]["number"]]) == 1


async def test_what_may_be_a_wish_stands_in_the_next_question_until_the_operator_judged_it(tmp_path: Path) -> None:
    person = Person("decline")
    async with sandboxes() as sandbox:
        client, operator = _session(sandbox, tmp_path, person, policy={"paid": "allow"})
        tool, arguments = await _come_in(sandbox, "voicetel", "Can you stop this at once, whoever you are")
        async with client:
            await _read(client, tool, arguments)
            assert MARCUS not in await operator.opted_out()
            await _text_marcus(client)
            assert f"{MARCUS} wrote what may be a wish to get no more messages or calls." in person.questions[-1]
            assert "at once, whoever" not in person.questions[-1], "text from outside stands in no question"
            listed = (await operator.run("optouts", "requests")).output
            assert f"{MARCUS}  may want no more messages, texted voicetel: 'Can you stop this at once" in listed
            assert "1 to read" in (await operator.run("optouts", "list")).output
            await operator.opt_out(MARCUS)
            assert "Nothing to read." in (await operator.run("optouts", "requests")).output
            assert "opted out" in await _text_marcus(client)


def _session(sandbox: Sandbox, folder: Path, person: Person, **more: Any) -> tuple[Client, OperatorSide]:
    base = settings_class().model_validate({"state_folder": folder, "toolsets": ["all"], **more})
    settings = for_sandbox(base, sandbox.url)
    _, server = server_for(settings)
    return connect(server, person=person), OperatorSide(settings.state_folder)


async def _read(client: Client, tool: str, arguments: dict[str, Any]) -> None:
    shown = await client.call_tool(tool, arguments)
    assert not shown.is_error, shown.content


async def _text_marcus(client: Client) -> str:
    words = {"from_number": "+12015550142", "to_number": MARCUS, "text": "We open at nine."}
    content: dict[str, Any] = (await client.call_tool("voicetel_send_message", words)).structured_content or {}
    return str(content.get("message", ""))


def test_what_we_sent_ourselves_is_no_wish() -> None:
    ours = {"direction": "Outbound", "from": "Bluewater", "to": MARCUS, "body": "Reply STOP to opt out"}
    theirs = {"direction": "Inbound", "from": MARCUS, "to": "+306900000000", "body": "STOP", "messageId": "m-1"}
    read = ListMessages(since=datetime.now(UTC) - timedelta(days=1), until=datetime.now(UTC))
    received = read.inbound_texts(Messages.model_validate({"content": [ours, theirs]}))
    assert [(text.sender, text.text, text.message) for text in received] == [(MARCUS, "STOP", "m-1")]
    record = {"value": {"direction": "out", "number": MARCUS[2:], "message": "STOP"}, "key": ["1", "1764500000"]}
    said = VoiceTelMessages.model_validate({"messages": [record]})
    assert ListVoiceTelMessages(number="+12015550142").inbound_texts(said) == ()
    thread = {"source": MARCUS[1:], "phone_number": "12015550142", "message": "STOP", "sms_type": "outgoing"}
    assert ListSmsConversations().inbound_texts(SmsConversations.model_validate({"conversation": [thread]})) == ()


async def test_a_text_counts_once_and_not_again_after_the_operator_removed_the_opt_out(tmp_path: Path) -> None:
    store = _store(tmp_path)
    at = datetime.now(UTC) - timedelta(hours=1)
    first, other = InboundText(MARCUS, "STOP", message="m-1"), InboundText(MARCUS, "Stop please", message="m-0", at=at)
    try:
        await store.optouts.take_in("voicetel", [first])
        assert await store.optouts.among([MARCUS]) == [MARCUS]
        await store.optouts.remove(MARCUS, by="the operator")
        await store.optouts.take_in("voicetel", [first, other])
        assert await store.optouts.among([MARCUS]) == []
        later = InboundText(MARCUS, "STOP", message="m-2", at=datetime.now(UTC) + timedelta(minutes=1))
        await store.optouts.take_in("voicetel", [later])
        assert await store.optouts.among([MARCUS]) == [MARCUS]
    finally:
        await store.database.close()


async def test_a_start_and_a_stop_of_no_number_wait_for_the_operator(tmp_path: Path) -> None:
    store = _store(tmp_path)
    try:
        texts = [InboundText("PIZZA", "STOP", message="a"), InboundText(MARCUS, "UNSTOP", message="b")]
        await store.optouts.take_in("routee", [*texts, InboundText(None, "stop", message="c")])
        waiting = {(one.sender, one.wish) for one in await store.optouts.requests()}
        assert waiting == {("PIZZA", Wish.STOP), (MARCUS, Wish.START), ("(no sender shown)", Wish.STOP)}
        assert await store.optouts.unclear([MARCUS]) == []
        assert await store.optouts.dismiss("PIZZA", by="the operator")
        assert not await store.optouts.dismiss("PIZZA", by="the operator")
        assert await store.optouts.count_requests() == 2
    finally:
        await store.database.close()


def _store(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
