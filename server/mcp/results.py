"""Builds the results of calls: compact text without nulls, the same as structured content, and what to do next."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel

from clients.errors import Refused, TelephonyError
from clients.fields import is_secret
from clients.operation import Exchange
from clients.redaction import redact
from clients.spec import Spec
from guard.action import Action, State
from guard.errors import GuardRefusal
from guard.messages import approval_prompt, argument_lines, status_line
from guard.settlement import Receipt
from guard.verification_hint import outcome_text
from server.mcp.tabular import compact, render
from server.mcp.untrusted import Untrusted, fence_action, fence_fields, fence_marked
from tools.actions.handlers import action_row
from tools.arguments import Paging
from tools.builtin import Reply
from tools.operation_catalog import RegisteredOperations

UNREAD_SHOWN: Final = 6


def answer_result(spec: Spec, exchange: Exchange[Any], paging: Paging, untrusted: Untrusted) -> CallToolResult:
    """Build the result of a read. Text from outside is fenced."""
    content, notes = _content(spec, exchange.answer, paging, untrusted)
    if exchange.attempts == 0:
        notes.append(f"Cached at {exchange.received_at:%H:%M} UTC, because the provider limits calls per hour.")
    notes += _unread_note(exchange.unread)
    nothing = "Nothing is set." if spec.effect.is_plain_read else "Done."
    return _result(content, notes, nothing=nothing, rows=spec.rows or _only_list(content))


def receipt_result(
    spec: Spec, receipt: Receipt[Any], paging: Paging, untrusted: Untrusted, *, note: str = ""
) -> CallToolResult:
    """Build the result of a guarded call that was carried out. `note` is what the user should know besides."""
    action = receipt.action
    if receipt.error is not None:
        return _failed_action(receipt, receipt.error, untrusted)
    content, notes = (
        _content(spec, receipt.answer, paging, untrusted) if isinstance(receipt.answer, BaseModel) else ({}, [])
    )
    if receipt.kept_secrets:
        notes.append(_secrets_note(receipt))
    notes += [*_unread_note(receipt.unread), *_unwritten_note(receipt), *([note] if note else [])]
    head = f"Done: {spec.title} ({action.id})."
    facts = {"action": action.id, "state": action.state.value, **content}
    return _result(facts, [head, *notes], head_first=True, rows=spec.rows)


def pending_result(action: Action, *, where: str, untrusted: Untrusted) -> CallToolResult:
    """Build the result of a call that waits for a person outside the client; nothing was sent."""
    question = approval_prompt(*fence_action(action, untrusted))
    text = (
        f"NOT SENT. A person has to approve this first:\n{question}\n\n{where} "
        "Then make exactly the same call again. Tell the user; do not look for another way."
    )
    text += f"\n{untrusted.note}" if untrusted.is_used else ""
    return CallToolResult(
        content=[TextContent(text=text)],
        structured_content={"action": action.id, "state": action.state.value, "approve": where},
        is_error=True,
    )


def refused_result(refusal: GuardRefusal) -> CallToolResult:
    """Build the error of a call that the guard refused."""
    return problem(f"{redact(str(refusal))} {refusal.advice}", kind=type(refusal).__name__)


def error_result(error: TelephonyError, untrusted: Untrusted) -> CallToolResult:
    """Build the error of a call that was not guarded and failed at the provider."""
    more = _details(error)
    note = f" {untrusted.note}" if untrusted.is_used else ""
    return problem(f"{redact(str(error))} {error.advice}{note}", kind=type(error).__name__, more=more)


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
    if reply.text is not None:
        return CallToolResult(content=[TextContent(text=reply.text)], structured_content=content)
    notes = [untrusted.note] if untrusted.is_used else []
    return _result(content, [*notes, *reply.notes], rows=reply.rows)


def action_result(action: Action, untrusted: Untrusted) -> CallToolResult:
    """Build the result that shows one action. The provider's answer is left out: the receipt showed it, fenced."""
    action, quoted = fence_action(action, untrusted)
    lines = [action.title, *argument_lines(action.arguments), *action.quote.lines(quoted), status_line(action)]
    outcome = outcome_text(action, RegisteredOperations()) or None
    lines += [outcome] if outcome else []
    lines += [untrusted.note] if untrusted.is_used else []
    facts = {"arguments": dict(action.arguments), "outcome": outcome, "before": action.before or None}
    content = {name: value for name, value in {**action_row(action), **facts}.items() if value is not None}
    return CallToolResult(content=[TextContent(text="\n".join(lines))], structured_content=content)


def _only_list(content: Mapping[str, Any]) -> str | None:
    """Return the key of the only list in an answer; None where there is none or more than one."""
    lists = [name for name, value in content.items() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None


def _secrets_note(receipt: Receipt[Any]) -> str:
    names = ", ".join(receipt.kept_secrets)
    return f"Kept from this conversation: {names}. The operator sees it with `ringfence secrets {receipt.action.id}`."


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


def _failed_action(receipt: Receipt[Any], error: TelephonyError, untrusted: Untrusted) -> CallToolResult:
    action = receipt.action
    partly = action.state is State.DONE
    status = f"\nAction {action.id} was done in part: see `details`." if partly else f"\n{status_line(action)}"
    if receipt.kept_secrets:
        status += f"\n{_secrets_note(receipt)}"
    status += "".join(f"\n{note}" for note in _unwritten_note(receipt))
    more = {"action": action.id, "state": action.state.value, **_details(error)}
    status += f"\n{untrusted.note}" if untrusted.is_used else ""
    outcome = outcome_text(action, RegisteredOperations()) if action.state is State.UNKNOWN else redact(str(error))
    return problem(f"{outcome} {error.advice}{status}", kind=type(error).__name__, more=more)


def _details(error: TelephonyError) -> dict[str, Any]:
    return {"details": error.details} if isinstance(error, Refused) and error.details else {}


def dump(answer: BaseModel, untrusted: Untrusted) -> dict[str, Any]:
    """Dump an answer without its secrets, and with text from outside fenced."""
    hidden = {name for name, field in type(answer).model_fields.items() if is_secret(field.annotation)}
    return fence_fields(answer, answer.model_dump(mode="json", exclude_none=True, exclude=hidden), untrusted)


def _content(spec: Spec, answer: BaseModel, paging: Paging, untrusted: Untrusted) -> tuple[dict[str, Any], list[str]]:
    notes: list[str] = []
    more: dict[str, Any] = {}
    if paging.provider_paged is not None:
        more = {"next_cursor": cursor} if (cursor := paging.provider_paged.next_cursor(answer)) else {}
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
    content: dict[str, Any],
    notes: list[str],
    *,
    rows: str | None,
    head_first: bool = False,
    nothing: str = "Done.",
) -> CallToolResult:
    body = [render(content, rows)] if content else []
    head, rest = (notes[:1], notes[1:]) if head_first else ([], notes)
    text = "\n".join([*head, *body, *rest]) or nothing
    return CallToolResult(content=[TextContent(text=text)], structured_content=content)
