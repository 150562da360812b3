"""Builds the results of calls, each in two forms: compact text, and structured content that says the same.

Some clients show their model the text, others the structured content instead of it. So either form stands alone:
`outcome` (in an error `message`), `question`, `approve`, `next` and `notes` of the structured content are sentences
of the text, and long lists have a compact form in both.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel

from clients.effects import Effect
from clients.errors import Refused, TelephonyError
from clients.fields import secret_fields
from clients.operation import Exchange
from clients.redaction import redact
from clients.spec import Spec
from guard.action import Action, State
from guard.errors import Declined, GuardRefusal
from guard.messages import approval_prompt, argument_lines, headline, status_line
from guard.operator_commands import OperatorCommands
from guard.plans.faults import BadPlan
from guard.plans.plan import Plan
from guard.settlement import Receipt
from guard.verification_hint import outcome_text
from server.mcp.card.content import action_facts, with_facts
from server.mcp.out_of_band import Place
from server.mcp.recipient_lists import names_number, shorten_recipients
from server.mcp.tabular import both_forms, compact, tabulate
from server.mcp.untrusted import OPERATOR_NOTE, Untrusted, fence_action, fence_fields, fence_marked, fence_reasons
from tools.actions.handlers import action_row
from tools.arguments import Paging
from tools.builtin import Reply
from tools.operation_catalog import RegisteredOperations
from tools.overview.age import kept_since

UNREAD_SHOWN: Final = 6
NOT_SENT: Final = "NOT SENT. A person has to approve this first"
MAKE_AGAIN: Final = "Then make exactly the same call again. Tell the user; do not look for another way."

DECLINED_BECAUSE: Final = "The operator wrote why"

OWN_FIELDS: Final = frozenset({"outcome", "question", "approve", "next", "notes", "action", "state"})
"""What structured content says beside an answer. No answer has fields of these names."""


def answer_result(spec: Spec, exchange: Exchange[Any], paging: Paging, untrusted: Untrusted) -> CallToolResult:
    """Build the result of a read. Text from outside is fenced."""
    content, notes = _content(spec, exchange.answer, paging, untrusted)
    if exchange.attempts == 0:
        notes.append(f"{kept_since(exchange.received_at)}, because the provider limits calls per hour.")
    notes += _unread_note(exchange.unread)
    nothing = "Nothing is set." if spec.effect.is_plain_read else "Done."
    return _result(content, notes=notes, rows=spec.rows or _only_list(content), nothing=nothing)


def receipt_result(
    spec: Spec,
    receipt: Receipt[Any],
    paging: Paging,
    untrusted: Untrusted,
    commands: OperatorCommands,
    *,
    note: str = "",
) -> CallToolResult:
    """Build the result of a guarded call that was carried out. `note` is what the user should know besides."""
    action = receipt.action
    if receipt.error is not None:
        return _failed_action(receipt, receipt.error, untrusted, commands)
    content, notes = (
        _content(spec, receipt.answer, paging, untrusted) if isinstance(receipt.answer, BaseModel) else ({}, [])
    )
    if receipt.kept_secrets:
        notes.append(_secrets_note(receipt, commands))
    notes += [*_unread_note(receipt.unread), *_unwritten_note(receipt), *([note] if note else [])]
    if Effect.OUTWARD in spec.effect:
        content = shorten_recipients(content, whole=_where_recipients_are(action))
    facts = {"action": action.id, "state": action.state.value, **content}
    result = _result(facts, outcome=f"Done: {spec.title} ({action.id}).", notes=notes, rows=spec.rows)
    return _with_facts(result, action)


def _with_facts(result: CallToolResult, action: Action) -> CallToolResult:
    """Return a result with what a card shows about its action. No model is shown that, so nothing is remembered."""
    untrusted = Untrusted()
    return with_facts(result, action_facts(*fence_action(action, untrusted), untrusted))


def _where_recipients_are(action: Action) -> str:
    """Name the read that shows all recipients of a call: its record where they are arguments, else the provider's."""
    lists = [cast("list[object]", value) for value in action.arguments.values() if isinstance(value, list)]
    if any(names_number(item) for items in lists for item in items):
        return f"get_action (action_id={action.id})"
    reads = RegisteredOperations().related_reads(action.operation)
    return reads[0] if reads else f"get_action (action_id={action.id})"


def pending_result(
    action: Action, *, where: Place, untrusted: Untrusted, earlier: Action | None = None, with_budgets: bool
) -> CallToolResult:
    """Build the result of a call that waits for a person outside the client; nothing was sent.

    `earlier` is the action of the same call that was declined shortly before with a reason.
    """
    shown, quoted = fence_action(action, untrusted)
    question = approval_prompt(shown, quoted, with_budgets=with_budgets)
    before = fence_reasons(earlier, untrusted) if earlier is not None else None
    no = [f"{DECLINED_BECAUSE} {before.id} was declined: {before.decline_reason}"] if before is not None else []
    notes = [*no, *([untrusted.note] if untrusted.is_used else [])]
    text = "\n".join([f"{NOT_SENT}:\n{question}\n\n{where.sentence} {MAKE_AGAIN}", *notes])
    waiting = {"action": action.id, "state": action.state.value, "question": question, "approve": where.sentence}
    result = CallToolResult(
        content=[TextContent(text=text)],
        structured_content=_structured(waiting | {"next": MAKE_AGAIN}, outcome=f"{NOT_SENT}.", notes=notes),
        is_error=True,
    )
    return with_facts(result, action_facts(shown, quoted, untrusted, where, with_budgets=with_budgets))


def with_heading(result: CallToolResult, heading: str) -> CallToolResult:
    """Return a result that begins with a sentence; in the structured content it is the first note."""
    said: dict[str, Any] = result.structured_content or {}
    notes = {"notes": [heading, *said.get("notes", [])]}
    content = [TextContent(text=heading), *result.content]
    return result.model_copy(update={"content": content, "structured_content": said | notes})


def refused_result(refusal: GuardRefusal, commands: OperatorCommands) -> CallToolResult:
    """Build the error of a call that the guard refused."""
    more: dict[str, Any] = {}
    said = ""
    if isinstance(refusal, Declined) and refusal.reason:
        fence = Untrusted()
        more = {"decline_reason": fence.fence(redact(refusal.reason), is_own=True)}
        said = f" {DECLINED_BECAUSE}: {more['decline_reason']} {OPERATOR_NOTE.format(tag=fence.tag)}"
    if isinstance(refusal, BadPlan) and refusal.kinds:
        more = {"faults": refusal.kinds}
    text = commands.complete(f"{redact(str(refusal))} {refusal.advice}")
    refused = problem(f"{text}{said}", kind=type(refusal).__name__)
    content: dict[str, Any] = refused.structured_content or {}
    return refused.model_copy(update={"structured_content": content | more})


def error_result(error: TelephonyError, untrusted: Untrusted, commands: OperatorCommands) -> CallToolResult:
    """Build the error of a call that was not guarded and failed at the provider."""
    more = _details(error)
    note = f" {untrusted.note}" if untrusted.is_used else ""
    advice = commands.complete(error.advice)
    return problem(f"{redact(str(error))} {advice}{note}", kind=type(error).__name__, more=more)


def problem(text: str, *, kind: str, more: Mapping[str, Any] | None = None) -> CallToolResult:
    """Build an error that the model can act on."""
    lines = [text] + ([compact(more)] if more else [])
    return CallToolResult(
        content=[TextContent(text="\n".join(lines))],
        structured_content={"error": kind, "message": text, **(more or {})},
        is_error=True,
    )


def reply_result(reply: Reply, untrusted: Untrusted) -> CallToolResult:
    """Build the result of a built-in tool."""
    if reply.error is not None:
        return problem(reply.text or "", kind=reply.error, more=reply.content)
    content: dict[str, Any] = fence_marked(reply.content, untrusted)
    notes = [*([untrusted.note] if untrusted.is_used else []), *reply.notes]
    if reply.text is not None:
        text = "\n".join([reply.text, *notes])
        structured = _structured(tabulate(content, reply.rows), notes=notes)
        return CallToolResult(content=[TextContent(text=text)], structured_content=structured)
    return _result(content, notes=notes, rows=reply.rows)


def action_result(action: Action, untrusted: Untrusted, receipts: Sequence[str] = ()) -> CallToolResult:
    """Build the result that shows one action, with the ids of its signed receipts.

    The provider's answer is left out: the result of the call showed it, fenced.
    """
    action, quoted = fence_action(action, untrusted)
    quote, status = action.quote.lines(quoted), status_line(action)
    outcome = outcome_text(action, RegisteredOperations())
    notes = [untrusted.note] if untrusted.is_used else []
    lines = [headline(action), *argument_lines(action.arguments), *quote, *reason_lines(action), status]
    lines += [*([outcome] if outcome else []), *receipts_line(receipts), *notes]
    facts = {"title": action.title, "arguments": dict(action.arguments), "quote": quote, "status": status}
    reasons = {"reason": action.reason or None, "decline_reason": action.decline_reason}
    shown = {**action_row(action), **facts, **reasons, "before": action.before or None, "receipts": [*receipts] or None}
    content = {name: value for name, value in shown.items() if value is not None}
    result = CallToolResult(
        content=[TextContent(text="\n".join(lines))],
        structured_content=_structured(content, outcome=outcome, notes=notes),
    )
    return with_facts(result, action_facts(action, quoted, untrusted))


def receipts_line(receipts: Sequence[str]) -> list[str]:
    """Name the signed receipts of an action or a plan, which the operator can hand to others."""
    return [f"Receipts: {', '.join(receipts)}."] if receipts else []


def reason_lines(action: Action | Plan) -> list[str]:
    """Word the reasons that were given with a fenced action or plan, one line each."""
    asked = [f"The assistant gave as the reason: {action.reason}"] if action.reason else []
    return asked + ([f"{DECLINED_BECAUSE}: {action.decline_reason}"] if action.decline_reason else [])


def _only_list(content: Mapping[str, Any]) -> str | None:
    """Return the key of the only list in an answer; None where there is none or more than one."""
    lists = [name for name, value in content.items() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None


def _secrets_note(receipt: Receipt[Any], commands: OperatorCommands) -> str:
    names = ", ".join(receipt.kept_secrets)
    command = commands.line("secrets", receipt.action.id)
    return f"Kept from this conversation: {names}. The operator sees it with `{command}`."


def _unread_note(unread: Sequence[str]) -> list[str]:
    """Name what the provider answered in a form that cannot be read; the rest is the answer."""
    if not unread:
        return []
    more = f" and {len(unread) - UNREAD_SHOWN} more" if len(unread) > UNREAD_SHOWN else ""
    return [f"Left out, because it is not in a form that can be read: {', '.join(unread[:UNREAD_SHOWN])}{more}."]


def _unwritten_note(receipt: Receipt[Any]) -> list[str]:
    """Report what the store could not record yet: only this process knows it until the store can be written."""
    if not receipt.unwritten:
        return []
    return [f"Not on the record yet: {receipt.unwritten} It is written as soon as the store can be written again."]


def _failed_action(
    receipt: Receipt[Any], error: TelephonyError, untrusted: Untrusted, commands: OperatorCommands
) -> CallToolResult:
    action = receipt.action
    partly = action.state is State.DONE
    status = f"\nAction {action.id} was done in part: see `details`." if partly else f"\n{status_line(action)}"
    if receipt.kept_secrets:
        status += f"\n{_secrets_note(receipt, commands)}"
    status += "".join(f"\n{note}" for note in _unwritten_note(receipt))
    more = {"action": action.id, "state": action.state.value, **_details(error)}
    status += f"\n{untrusted.note}" if untrusted.is_used else ""
    outcome = outcome_text(action, RegisteredOperations()) if action.state is State.UNKNOWN else redact(str(error))
    advice = commands.complete(error.advice)
    result = problem(f"{outcome} {advice}{status}", kind=type(error).__name__, more=more)
    return _with_facts(result, action)


def _details(error: TelephonyError) -> dict[str, Any]:
    return {"details": error.details} if isinstance(error, Refused) and error.details else {}


def dump(answer: BaseModel, untrusted: Untrusted) -> dict[str, Any]:
    """Dump an answer without its secrets, and with text from outside fenced."""
    hidden = secret_fields(type(answer))
    return fence_fields(answer, answer.model_dump(mode="json", exclude_none=True, exclude=set(hidden)), untrusted)


def _content(spec: Spec, answer: BaseModel, paging: Paging, untrusted: Untrusted) -> tuple[dict[str, Any], list[str]]:
    notes: list[str] = []
    more: dict[str, Any] = {}
    if paging.provider_paged is not None:
        more = {"next_cursor": cursor} if (cursor := paging.provider_paged.next_cursor(answer)) else {}
        answer = paging.provider_paged.narrow(answer)
    elif spec.rows is not None:
        answer, more = _select_rows(answer, spec.rows, paging)
    content = dump(answer, untrusted) | more
    if "next_cursor" in more:
        total = f"{content['total']} in all; " if "total" in content else ""
        notes.append(f"{total}call again with cursor={more['next_cursor']!r} for more.")
    if untrusted.is_used:
        notes.append(untrusted.note)
    return content, notes


def _select_rows(answer: BaseModel, rows: str, paging: Paging) -> tuple[BaseModel, dict[str, Any]]:
    everything = cast("list[object]", getattr(answer, rows))
    end = paging.offset + paging.limit
    if paging.offset == 0 and end >= len(everything):
        return answer, {"total": len(everything)}
    shown = answer.model_copy(update={rows: everything[paging.offset : end]})
    more: dict[str, Any] = {"total": len(everything)}
    return shown, more | ({"next_cursor": str(end)} if end < len(everything) else {})


def _result(
    content: Mapping[str, Any],
    *,
    outcome: str = "",
    notes: Sequence[str] = (),
    rows: str | None = None,
    nothing: str = "Done.",
) -> CallToolResult:
    """Build both forms of a result: what came of it, the content, and what to know besides."""
    outcome = outcome or ("" if content or notes else nothing)
    body, structure = both_forms(content, rows) if content else ("", {})
    text = "\n".join([*([outcome] if outcome else []), *([body] if body else []), *notes])
    structured = _structured(structure, outcome=outcome, notes=notes)
    return CallToolResult(content=[TextContent(text=text)], structured_content=structured)


def _structured(content: Mapping[str, Any], *, outcome: str = "", notes: Sequence[str] = ()) -> dict[str, Any]:
    """Build structured content that says what the text says."""
    said = {"outcome": outcome} if outcome else {}
    return {**said, **content, **({"notes": list(notes)} if notes else {})}
