"""Elicitation: asks the person at the client to approve an action, in both protocol eras.

Since 2026-07-28 the question is part of the result, and the client repeats the call with the answer. Before, the
server sends a request of its own while the call waits. An answer counts only for the action whose id the question has.
"""

from enum import Enum
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)
from pydantic import ValidationError

from guard.action import Action
from guard.messages import approval_prompt, headline, is_irreversible
from server.mcp.session import Session


class FormAnswer(Enum):
    """What the client answers to the form. Only YES shows that a person saw it: some clients answer by themselves."""

    YES = "yes"
    NO = "no"
    DISMISSED = "dismissed"
    EMPTY = "empty"
    """Accepted, without saying whether to approve: neither yes nor no."""

    FAILED = "failed"
    """An error, or no answer, from a client that declares that it can ask."""


FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approve": {"type": "boolean", "title": "Approve", "description": "Carry out exactly this call, once."}
    },
    "required": ["approve"],
}

FINAL_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        **FORM["properties"],
        "for_good": {
            "type": "boolean",
            "title": "This cannot be undone",
            "description": "I know that no call restores what it removes.",
        },
    },
    "required": ["approve", "for_good"],
}
"""The form for a call that no call undoes: it takes two answers, of which one alone is no yes."""


def can_ask(session: Session) -> bool:
    """Return True when the client can show a form on this request."""
    capabilities = session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None:
        return False
    takes_forms = elicitation.form is not None or elicitation.url is None
    return takes_forms and session.can_be_asked_now


async def ask(session: Session, action: Action) -> FormAnswer | InputRequiredResult:
    """Ask the person now, or return the question for the client to answer with its next call."""
    if session.is_modern:
        params = ElicitRequestFormParams(message=approval_prompt(action), requested_schema=_form_for(action))
        form = ElicitRequest(params=params)
        return InputRequiredResult(input_requests={_key(action.id): form}, request_state=action.id)
    try:
        result = await session.context.session.elicit_form(
            approval_prompt(action), _form_for(action), related_request_id=session.request_id
        )
    except (MCPError, ValidationError):
        return FormAnswer.FAILED
    return _read(result, action)


def can_open(session: Session) -> bool:
    """Return True when the client can open a page for its user on this request."""
    capabilities = session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or elicitation.url is None:
        return False
    return session.can_be_asked_now


async def send_to_page(session: Session, action: Action, page: str) -> bool | InputRequiredResult:
    """Ask the client to open the page. Return whether it was opened, or the request that rides on the result."""
    message = f"{headline(action)}: the operator approves it on the approval page, with a passcode. Action {action.id}."
    if session.is_modern:
        link = ElicitRequest(params=ElicitRequestURLParams(message=message, url=page))
        return InputRequiredResult(input_requests={_page_key(action.id): link}, request_state=action.id)
    opening = session.context.session.elicit_url(message, page, action.id, related_request_id=session.request_id)
    try:
        return (await opening).action == "accept"
    except (MCPError, ValidationError):
        return False


def page_was_opened(session: Session, action: Action) -> bool | None:
    """Return whether the page of this action was opened; None if the call does not say. It approves nothing."""
    result = session.input_responses.get(_page_key(action.id))
    return result.action == "accept" if isinstance(result, ElicitResult) else None


def answered_action_id(session: Session) -> str | None:
    """Return the id of the action that this call answers. The SDK seals it, so the client cannot choose it."""
    return session.request_state


def read_answer(session: Session, action: Action) -> FormAnswer | None:
    """Return the client's answer for this action; None if the call is no answer to its form.

    A call that comes back from the form without an answer is not asked again: it would come back for ever.
    """
    result = session.input_responses.get(_key(action.id))
    if isinstance(result, ElicitResult):
        return _read(result, action)
    return None if page_was_opened(session, action) is not None else FormAnswer.FAILED


def _form_for(action: Action) -> dict[str, Any]:
    return FINAL_FORM if is_irreversible(action) else FORM


def _read(result: ElicitResult, action: Action) -> FormAnswer:
    if result.action == "cancel":
        return FormAnswer.DISMISSED
    if result.action == "decline":
        return FormAnswer.NO
    content = result.content or {}
    match content.get("approve"):
        case True if is_irreversible(action) and content.get("for_good") is not True:
            return FormAnswer.EMPTY
        case True:
            return FormAnswer.YES
        case False:
            return FormAnswer.NO
        case _:
            return FormAnswer.EMPTY


def _key(action_id: str) -> str:
    return f"approve_{action_id}"


def _page_key(action_id: str) -> str:
    return f"open_{action_id}"
