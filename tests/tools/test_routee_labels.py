"""Texts that name a contact's labels: neither form is certain, and neither goes out unseen."""

from pathlib import Path
from typing import Any

import pytest

from clients.errors import InvalidRequest
from clients.operation import Operation
from sandbox.routee.seed import VIBER_SENDER
from tests.clients.routee_accounts import Provider, answered_by, success
from tests.connecting import Person
from tests.tools.routee_session import open_session, text_of
from tools.routee.operations.campaigns import SendCampaign, UpdateCampaign
from tools.routee.operations.failover import SendFailover
from tools.routee.operations.viber import SendViber
from tools.routee.operations.viber_campaigns import SendViberCampaign
from tools.routee.personal_texts import fill_in, labels_in

GREEK = "+306970000555"
BRACED, PLAIN = "Hi [~{firstName}]", "Hi [~firstName]"
JOHN = "5e2ac872-b1a0-5d12-9137-6d2def8ca6e6"


def _calls(text: str) -> list[Operation[Any]]:
    """Return a call of each kind whose text may name labels."""
    plan: dict[str, Any] = {"sender": "Bluewater", "to": [GREEK], "text": text, "when": "now"}
    viber: dict[str, Any] = {"sender_id": VIBER_SENDER, "text": text}
    return [
        SendCampaign.model_validate(plan),
        UpdateCampaign.model_validate({**plan, "campaign_id": "c-1"}),
        SendViber.model_validate({**viber, "to": GREEK}),
        SendViberCampaign.model_validate({**viber, "to": [GREEK], "when": "now"}),
        SendFailover.model_validate({"steps": [{**viber, "channel": "Viber", "to": GREEK}]}),
    ]


@pytest.mark.parametrize("text", [BRACED, PLAIN, f"{BRACED} and {PLAIN}"])
def test_either_form_of_a_label_is_warned_of(text: str) -> None:
    for call in _calls(text):
        assert any("not certain" in told for told in call.warnings()), call
        assert any("longer or shorter" in told for told in call.warnings()), call


@pytest.mark.parametrize("text", ["Hi [firstName]", "Hi ~firstName", "Hi [~]", "Hi [~{}]", "Hi {firstName}"])
def test_other_brackets_are_no_labels(text: str) -> None:
    assert labels_in(text) == []
    assert not any("not certain" in told for call in _calls(text) for told in call.warnings())


def test_a_text_is_filled_in_whichever_form_it_uses() -> None:
    values = {"firstName": "Eleni", "visits": 3}
    assert fill_in("Hi [~{firstName}], visit [~visits] [~{none}].", values) == "Hi Eleni, visit 3 ."


@pytest.mark.parametrize(("form", "wrong", "right"), [("[~{label}]", PLAIN, BRACED), ("[~label]", BRACED, PLAIN)])
async def test_an_account_whose_form_is_set_refuses_the_other_before_anything_is_sent(
    form: str, wrong: str, right: str
) -> None:
    provider = Provider(success({"trackingId": "t-1"}))
    async with answered_by(provider, label_form=form) as client:
        for call in _calls(wrong):
            with pytest.raises(InvalidRequest, match="Nothing was sent"):
                await client.send(call)
        assert provider.calls == []
        for call in _calls(right):
            await client.send(call)
    assert len(provider.calls) == len(_calls(right))


async def test_the_question_says_that_the_form_is_not_certain_and_what_one_recipient_gets(tmp_path: Path) -> None:
    plan: dict[str, Any] = {"sender": "Bluewater", "contacts": [JOHN], "when": "now"}
    async with open_session(tmp_path, person=Person("decline")) as session:
        for text in (BRACED, PLAIN):
            await session.attempt("send_campaign", **plan, text=text + " " * 40 + "Bring [~{lastVisit}]. " + "-" * 80)
            assert "is not certain" in session.question
            assert "Filled in for +19175550161 it takes 1 part(s)" in session.question
            assert "John" not in session.question


async def test_the_setting_is_heeded_before_anybody_is_asked(tmp_path: Path) -> None:
    async with open_session(tmp_path, person=Person("decline"), label_form="[~label]") as session:
        refused = await session.attempt("send_campaign", sender="Bluewater", to=[GREEK], text=BRACED, when="now")
        assert refused.is_error
        assert "write [~firstName]" in text_of(refused)
        assert session.person.questions == []
