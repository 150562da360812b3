"""Operators with a name: enrolment, sign-in, signed approvals, roles, and rules that demand several people."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from guard.action import Action, State
from guard.money import Money
from guard.operators.demand import ApprovalRule, Approvers
from guard.operators.roles import LOCAL, Role
from guard.rules.quote import Quote
from guard.rules.rules import Rules
from server.console.pages import PageOptions
from server.console.passkeys.audit_check import check_signatures
from server.store.store import Store, open_store
from tests.operator_side import PASSCODE, OperatorSide
from tests.record_file import change
from tests.server.console.authenticator import Authenticator
from tests.server.console.browsing import (
    START,
    Browser,
    FixedClock,
    browser,
    opened_record,
    operator,
    page_over,
    proposed,
    state_of,
    token_in,
    words_of,
)
from tests.server.console.operators import BASE, HOST, at, enrol, sign_and_send, sign_in

TWO = Rules(approvers=Approvers((ApprovalRule(place="approvals.rules[0]", people=2),)))


@pytest.fixture
async def record(tmp_path: Path) -> AsyncGenerator[Store]:
    async with opened_record(tmp_path) as store:
        yield store


def page(record: Store, *, rules: Rules | None = None, clock: FixedClock | None = None) -> Any:
    options = PageOptions(rules=rules or Rules())
    return page_over(record, clock=clock, address=BASE, options=options)


async def add(record: Store, name: str, role: Role = Role.APPROVER, subject: str | None = None) -> str:
    """Add an operator; return the secret of the enrolment link."""
    await record.operators.add(name, role, by="a test", at=START, subject=subject)
    return await record.operators.open_enrolment(name, by="a test", at=START)


async def approve(tab: Browser, action: Action, key: Authenticator | None, **fields: str) -> httpx2.Response:
    """Approve an action as the page's script does: ask what to sign, sign it, send the form."""
    shown = (await tab.open(f"/{action.id}")).text
    fields = {"token": token_in(shown), **fields}
    if key is not None:
        return await sign_and_send(tab, f"/{action.id}", key, **fields)
    return await tab.send(f"/{action.id}/approve", credential="", **fields)


@asynccontextmanager
async def signed_in(
    record: Store,
    name: str,
    role: Role = Role.APPROVER,
    *,
    rules: Rules | None = None,
    clock: FixedClock | None = None,
    subject: str | None = None,
) -> AsyncGenerator[tuple[Browser, Authenticator]]:
    """Open a browser of a new operator who has enrolled a passkey."""
    key = Authenticator(BASE, HOST)
    async with at(page(record, rules=rules, clock=clock)) as tab:
        answer = await enrol(tab, await add(record, name, role, subject), key)
        assert answer.status_code == 303, answer.text
        yield tab, key


async def test_an_operator_enrols_signs_in_and_approves_with_a_passkey(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna") as (tab, key):
        await tab.press("/sign-out")
        assert (await tab.open()).status_code == 401
        assert (await sign_in(tab, key)).status_code == 303
        assert (await approve(tab, action, key)).status_code == 303
        after = words_of(await tab.open(f"/{action.id}"))
    found = await record.journal.find(action.id)
    assert found is not None
    assert (found.state, found.decided_by, found.approvers) == (
        State.APPROVED,
        "anna, on the approval page",
        ("anna",),
    )
    assert f"signed with a passkey for {HOST}" in after


async def test_an_operator_with_a_passkey_approves_nothing_without_it(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna") as (tab, _):
        refused = await approve(tab, action, None)
    assert refused.status_code == 409
    assert "You approve with your passkey" in refused.text
    assert await state_of(record, action) is State.PROPOSED


async def test_a_signature_counts_for_its_own_action_and_choices_alone(record: Store) -> None:
    first, second = await proposed(record), await proposed(record)
    async with signed_in(record, "anna") as (tab, key):
        token = token_in((await tab.open(f"/{first.id}")).text)
        options = (await tab.send(f"/{first.id}/sign", token=token)).json()
        for path, more in ((f"/{second.id}/approve", {}), (f"/{first.id}/approve", {"run": "server"})):
            answer = await tab.send(path, token=token, credential=key.get(options), **more)
            assert answer.status_code == 409, answer.text
            assert "does not fit" in answer.text
        assert (await tab.send(f"/{first.id}/approve", token=token, credential=key.get(options))).status_code == 303
    assert await state_of(record, second) is State.PROPOSED


@pytest.mark.parametrize(
    "spoiled",
    [
        {"origin": "https://approvals.example.org"},
        {"rp_id": "example.org"},
        {"is_verified": False},
        {"count": -1},
        {"id": b"another passkey"},
    ],
    ids=["another origin", "another host name", "without PIN or finger", "a copy that counts from zero", "another id"],
)
async def test_a_signature_that_does_not_fit_is_refused(record: Store, spoiled: dict[str, Any]) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna") as (tab, key):
        key.get({"challenge": ""})
        assert (await sign_in(tab, key)).status_code == 303
        for name, value in spoiled.items():
            setattr(key, name, value)
        assert (await approve(tab, action, key)).status_code == 409
    assert await state_of(record, action) is State.PROPOSED


async def test_a_signature_of_another_operator_is_refused(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna") as (tab, _), signed_in(record, "ben") as (_, other):
        assert (await approve(tab, action, other)).status_code == 409
    assert await state_of(record, action) is State.PROPOSED


async def test_a_sign_in_works_once(record: Store) -> None:
    async with signed_in(record, "anna") as (tab, key):
        options = await tab.send("/sign-in/options")
        fields = {"challenge": options.headers["Ringfence-Challenge"], "credential": key.get(options.json())}
        assert (await tab.send("/sign-in/passkey", wanted="", **fields)).status_code == 303
        assert (await tab.send("/sign-in/passkey", wanted="", **fields)).status_code == 401


async def test_a_link_enrols_one_passkey_and_ends_after_a_day(record: Store) -> None:
    clock = FixedClock()
    secret = await add(record, "anna")
    async with at(page(record, clock=clock)) as tab:
        assert (await enrol(tab, "guessed", Authenticator(BASE, HOST))).status_code == 403
        clock.at = START + timedelta(hours=25)
        assert (await enrol(tab, secret, Authenticator(BASE, HOST))).status_code == 403
        fresh = await record.operators.open_enrolment("anna", by="a test", at=clock.at)
        assert (await enrol(tab, fresh, Authenticator(BASE, HOST))).status_code == 303
        assert (await enrol(tab, fresh, Authenticator(BASE, HOST))).status_code == 403
    assert len(await record.operators.passkeys_of("anna")) == 1


async def test_a_disabled_operator_is_signed_out_and_what_was_approved_counts_no_more(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna") as (tab, key):
        await approve(tab, action, key)
        await record.operators.disable("anna", by="a test", at=START)
        assert (await tab.open()).status_code == 401
        assert (await sign_in(tab, key)).status_code == 401
    assert await record.journal.approvals_of(action.id) == []


async def test_a_session_does_not_outlive_a_passkey_and_approve_unsigned(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna") as (tab, _):
        token = token_in((await tab.open(f"/{action.id}")).text)
        [lost] = await record.operators.passkeys_of("anna")
        await record.operators.remove_passkey(lost.id, by="a test", at=START)
        assert (await tab.send(f"/{action.id}/approve", token=token, credential="")).status_code == 401
    assert await state_of(record, action) is State.PROPOSED


async def test_a_disabled_local_operator_allows_nothing_on_the_command_line_either(operator: OperatorSide) -> None:
    await operator.opt_out("+12015550199")  # makes the store
    await operator.set_passcode()
    assert (await operator.run("operators", "disable", LOCAL, typed=f"{PASSCODE}\n")).exit_code == 0
    until = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    limits = ("--count", "5/day", "--money", "1.00 USD/day", "--until", until)
    where = ("--where", "from_number any", "--where", "to_number = +12015550123", "--where", "text any")
    words = ("allowances", "add", "voicetel_send_message", "--for", "token:bot", *where, *limits)
    refused = await operator.run(*words, typed=f"{PASSCODE}\n")
    assert refused.exit_code == 2
    assert "The local operator is disabled" in " ".join(refused.output.split())
    assert await operator.list_allowances() == []


async def test_two_different_operators_have_to_approve(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna", rules=TWO) as (tab, key):
        assert (await approve(tab, action, key)).status_code == 303
        assert await state_of(record, action) is State.PROPOSED
        waiting = words_of(await tab.open(f"/{action.id}"))
        assert "Approved by anna; 1 more operator has to approve." in waiting
        assert f'action="/approvals/{action.id}/approve"' not in waiting
        again = await tab.send(f"/{action.id}/approve", token=token_in(waiting), credential="")
        assert again.status_code == 409
    async with signed_in(record, "ben", rules=TWO) as (tab, key):
        assert (await approve(tab, action, key)).status_code == 303
    found = await record.journal.find(action.id)
    assert found is not None
    assert (found.state, found.decided_by) == (State.APPROVED, "anna and ben, on the approval page")
    assert found.approvers == ("anna", "ben")


async def test_the_same_operator_counts_once_however_often_the_form_comes(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna", rules=TWO) as (tab, key):
        assert (await approve(tab, action, key)).status_code == 303
        token = token_in((await tab.open()).text)
        options = (await tab.send(f"/{action.id}/sign", token=token)).json()
        again = await tab.send(f"/{action.id}/approve", token=token, credential=key.get(options))
    assert again.status_code == 409
    assert "anna approved" in again.text
    assert await state_of(record, action) is State.PROPOSED


async def test_the_passcode_is_none_of_two_people(record: Store) -> None:
    action = await proposed(record)
    async with operator(record, options=PageOptions(rules=TWO)) as tab:
        refused = await tab.press(f"/{action.id}/approve", on=f"/{action.id}")
    assert refused.status_code == 409
    assert "Two different operators have to approve this on the approval page" in words_of(refused)
    assert await state_of(record, action) is State.PROPOSED


async def test_the_second_operator_approves_the_same_amount(record: Store) -> None:
    unknown = Quote(unknown="VoiceTel publishes no rate for this")
    action = await proposed(record, quote=unknown)
    async with signed_in(record, "anna", rules=TWO) as (tab, key):
        assert (await approve(tab, action, key, up_to="2.50")).status_code == 303
    async with signed_in(record, "ben", rules=TWO) as (tab, key):
        refused = await approve(tab, action, key, up_to="250.00")
        assert refused.status_code == 409
        assert "anna approved" in refused.text
        assert "up to 2.50 USD" in refused.text
        assert (await approve(tab, action, key, up_to="2.50")).status_code == 303
    found = await record.journal.find(action.id)
    assert found is not None
    assert found.quote.up_to == Money(found.quote.up_to.amount, "USD") if found.quote.up_to else False


async def test_nobody_approves_what_their_own_token_asks(record: Store) -> None:
    rules = Rules(approvers=Approvers(owners={"token:bot": "anna"}))
    action = await proposed(record, principal="token:bot")
    async with signed_in(record, "anna", rules=rules) as (tab, key):
        refused = await approve(tab, action, key)
        assert refused.status_code == 409
        assert "nobody approves what they ask for themselves" in refused.text
    async with signed_in(record, "ben", rules=rules) as (tab, key):
        assert (await approve(tab, action, key)).status_code == 303


async def test_nobody_approves_what_their_own_account_asks(record: Store) -> None:
    issuer = "https://id.example.com/realms/company"
    action = await proposed(record, principal=f"oauth:{issuer} 00u1")
    async with signed_in(record, "anna", subject=f"{issuer} 00u1") as (tab, key):
        refused = await approve(tab, action, key)
        assert refused.status_code == 409
        assert "nobody approves what they ask for themselves" in refused.text
    async with signed_in(record, "ben", subject=f"{issuer} 00u2") as (tab, key):
        assert (await approve(tab, action, key)).status_code == 303


async def test_two_people_approve_for_an_account_only_once_the_settings_say_whose_it_is(record: Store) -> None:
    account = "oauth:https://id.example.com 00u1"
    action = await proposed(record, principal=account)
    async with signed_in(record, "ben", rules=TWO) as (tab, key):
        refused = await approve(tab, action, key)
        assert refused.status_code == 409
        assert "http.oauth.owners" in refused.text
    known = Rules(approvers=Approvers(TWO.approvers.rules, owners={account: "anna"}))
    async with signed_in(record, "carol", rules=known) as (tab, key):
        assert (await approve(tab, action, key)).status_code == 303


async def test_a_rule_names_who_may_approve(record: Store) -> None:
    only = ApprovalRule(place="approvals.rules[0]", operators=frozenset({"ben"}))
    rules = Rules(approvers=Approvers((only,)))
    action = await proposed(record)
    async with signed_in(record, "anna", rules=rules) as (tab, key):
        refused = await approve(tab, action, key)
        assert refused.status_code == 409
        assert "One of ben has to approve this" in words_of(refused)
    async with signed_in(record, "ben", rules=rules) as (tab, key):
        assert (await approve(tab, action, key)).status_code == 303


async def test_a_viewer_reads_and_stops_and_answers_nothing(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "vera", Role.VIEWER) as (tab, _):
        shown = await tab.open(f"/{action.id}")
        assert shown.status_code == 200
        assert "/approve" not in shown.text
        token = token_in(shown.text)
        for path in (f"/{action.id}/approve", f"/{action.id}/decline", f"/{action.id}/sign", "/unfreeze"):
            assert (await tab.send(path, token=token)).status_code == 403, path
        assert (await tab.send("/freeze", token=token)).status_code == 303
    assert await state_of(record, action) is State.PROPOSED


@pytest.mark.parametrize("role", list(Role))
async def test_every_form_of_the_page_says_who_may_send_it(record: Store, role: Role) -> None:
    allowed = {Role.VIEWER: 1, Role.APPROVER: 2, Role.ADMIN: 3}
    forms = {"/operators/disable": 3, "/allowances/new": 3, "/allowances/al_nothing/revoke": 2, "/unfreeze": 2}
    async with signed_in(record, "anna", role) as (tab, _):
        token = token_in((await tab.open()).text)
        for path, needed in forms.items():
            answer = await tab.send(path, token=token)
            assert (answer.status_code == 403) == (allowed[role] < needed), f"{role} {path} {answer.status_code}"


async def test_a_passkey_signs_each_call_by_itself_and_never_several_together(record: Store) -> None:
    calls = [await proposed(record, title=f"Order number {place}") for place in range(2)]
    ticked = {one.id: one.digest for one in calls}
    async with signed_in(record, "anna") as (tab, _):
        listed = await tab.open()
        assert "Your passkey signs each call by itself" in listed.text
        assert "Approve the ticked ones" not in listed.text
        token = token_in(listed.text)
        refused = await tab.send("/together", token=token, answer="approve", **ticked)
        assert (refused.status_code, "Nothing was recorded" in refused.text) == (409, True)
        assert [await state_of(record, one) for one in calls] == [State.PROPOSED] * 2
        assert (await tab.send("/together", token=token, answer="decline", **ticked)).status_code == 303
    assert [await state_of(record, one) for one in calls] == [State.DECLINED] * 2


async def test_several_answered_together_still_need_everybody_whom_the_rules_name(record: Store) -> None:
    calls = [await proposed(record, title=f"Order number {place}") for place in range(2)]
    ticked = {one.id: one.digest for one in calls}
    async with operator(record, options=PageOptions(rules=TWO)) as tab:
        token = token_in((await tab.open()).text)
        for _ in range(2):
            await tab.send("/together", token=token, answer="approve", **ticked)
    assert [await state_of(record, one) for one in calls] == [State.PROPOSED] * 2


async def test_the_page_of_operators_lists_and_ends_sessions(record: Store) -> None:
    async with signed_in(record, "anna", Role.ADMIN) as (admin, _), signed_in(record, "ben") as (tab, _):
        listed = words_of(await admin.open("/operators"))
        assert "My phone (passkey for approvals.example.com)" in listed
        mine = words_of(await tab.open("/operators"))
        assert len(re.findall(r'name="session"', mine)) == 1
        found = [one for one in await record.sessions.open(START) if one.operator == "ben"]
        ended = await admin.send("/operators/end-session", token=token_in(listed), session=found[0].id)
        assert ended.status_code == 303
        assert (await tab.open()).status_code == 401
        others = [one for one in await record.sessions.open(START) if one.operator == "anna"]
        assert len(others) == 1


async def test_an_operator_ends_no_session_of_another(record: Store) -> None:
    async with signed_in(record, "anna", Role.ADMIN) as (admin, _), signed_in(record, "ben") as (tab, _):
        found = [one for one in await record.sessions.open(START) if one.operator == "anna"]
        token = token_in((await tab.open()).text)
        assert (await tab.send("/operators/end-session", token=token, session=found[0].id)).status_code == 403
        assert (await admin.open()).status_code == 200


async def test_the_passcode_signs_nobody_in_once_the_local_operator_is_disabled(record: Store) -> None:
    await record.operators.disable(LOCAL, by="a test", at=START)
    async with browser(page_over(record)) as tab:
        refused = await tab.sign_in()
    assert refused.status_code == 403
    assert "The passcode signs nobody in here any more" in words_of(refused)


async def test_a_passkey_needs_a_host_name(record: Store) -> None:
    secret = await add(record, "anna")
    async with browser(page_over(record)) as tab:
        answer = await tab.send("/enrol/options", secret=secret)
    assert answer.status_code == 409
    assert "open http://localhost:8766" in answer.json()["problem"]


async def test_an_allowance_is_signed_with_the_passkey_for_its_very_terms(record: Store) -> None:
    until = f"{START + timedelta(days=30):%Y-%m-%d}"
    terms = {"operation": "voicetel_send_message", "principal": "token:bot", "count": "5/day", "until": until}
    terms |= {"conditions": "from_number any\nto_number = +12015550123\ntext any", "money": "1.00 USD/day"}
    async with signed_in(record, "anna", Role.ADMIN) as (tab, key):
        form = (await tab.open("/allowances/new")).text
        found = re.search(r'name="id" value="(al_\w+)"', form)
        assert found, form
        fields = {**terms, "id": found[1], "token": token_in(form), "do": "save"}
        assert (await tab.send("/allowances/new", **fields)).status_code == 409
        options = (await tab.send("/allowances/new/sign", **fields)).json()
        wider = fields | {"count": "500/day"}
        assert (await tab.send("/allowances/new", credential=key.get(options), **wider)).status_code == 409
        assert await record.allowances.latest(5) == []
        assert (await tab.send("/allowances/new", credential=key.get(options), **fields)).status_code == 303
        again = await tab.send("/allowances/new", credential=key.get(options), **fields)
        assert again.status_code == 409
    assert [one.id for one in await record.allowances.latest(5)] == [found[1]]
    verdict = check_signatures([row async for row in record.audit.rows()])
    assert (verdict.signed, verdict.problems) == (1, ())


async def test_audit_verify_names_an_approval_that_was_altered(tmp_path: Path, operator: OperatorSide) -> None:
    folder = tmp_path / "state"
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        first, second = await proposed(record), await proposed(record)
        async with signed_in(record, "anna") as (tab, key):
            await approve(tab, first, key)
            await approve(tab, second, key)
    finally:
        await record.database.close()
    whole = await operator.run("audit", "verify")
    assert "Signed by passkeys that were enrolled for it: 2 approvals." in whole.output
    exported = folder / "audit.jsonl"
    await operator.run("audit", "export", str(exported))
    await change(
        folder,
        "UPDATE approvals SET statement = replace(statement, ?, 'another digest') WHERE about = ?",
        first.digest,
        first.id,
    )
    altered = await operator.run("audit", "verify")
    assert altered.exit_code == 1
    assert f"anna's approval of {first.id} in the store is not the one on the audit log." in altered.output
    lines = exported.read_text(encoding="utf-8").replace('"run_by_server": false', '"run_by_server": true', 1)
    exported.write_text(lines, encoding="utf-8")
    forged = await operator.run("audit", "verify", str(exported))
    assert forged.exit_code == 1
    assert f"anna's approval of {first.id}: The signature does not fit" in " ".join(forged.output.split())


async def test_the_audit_holds_what_was_signed(record: Store) -> None:
    action = await proposed(record)
    async with signed_in(record, "anna") as (tab, key):
        await approve(tab, action, key)
    rows = [row async for row in record.audit.rows()]
    [approved] = [json.loads(row["detail"]) for row in rows if row["event"] == "approved"]
    [enrolled] = [json.loads(row["detail"]) for row in rows if row["event"] == "passkey enrolled"]
    assert approved["assertion"]["key"] == enrolled["passkey"]
    assert approved["statement"]["digest"] == action.digest
    assert "[hidden]" not in json.dumps([approved, enrolled])
