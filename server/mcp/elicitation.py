"""Elicitation: asks the person at the client to approve an action, in both protocol eras.

Since 2026-07-28 the question is part of the result, and the client repeats the call with the answer. Before, the
server sends a request of its own while the call waits. An answer counts only for the action whose id the question has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

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
from guard.messages import approval_prompt
from guard.plans.plan import Plan
from guard.plans.question import plan_prompt
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


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked to approve, and its id, which the answer must name."""

    id: str
    title: str
    name: str
    """What is approved, with its id, such as `Action act_7k2m9p4q`."""

    text: str


def question_of(action: Action) -> Question:
    """Word the question about an action."""
    return Question(action.id, action.title, f"Action {action.id}", approval_prompt(action))


def question_of_plan(plan: Plan) -> Question:
    """Word the question about a plan."""
    return Question(plan.id, plan.title, f"Plan {plan.id}", plan_prompt(plan))


NEITHER: Final[Mapping[FormAnswer | None, str]] = {
    FormAnswer.DISMISSED: "The question was dismissed.",
    FormAnswer.EMPTY: "The client accepted without saying yes or no.",
}
"""Answers that leave the question to the operator, in a sentence."""

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {"approve": {"type": "boolean", "title": "Approve", "description": "Carry out exactly this, once."}},
    "required": ["approve"],
}


def can_ask(session: Session) -> bool:
    """Return True when the client can show a form on this request."""
    capabilities = session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None:
        return False
    takes_forms = elicitation.form is not None or elicitation.url is None
    return takes_forms and session.can_be_asked_now


async def ask(session: Session, question: Question) -> FormAnswer | InputRequiredResult:
    """Ask the person now, or return the question for the client to answer with its next call."""
    if session.is_modern:
        form = ElicitRequest(params=ElicitRequestFormParams(message=question.text, requested_schema=FORM))
        return InputRequiredResult(input_requests={_key(question.id): form}, request_state=question.id)
    try:
        result = await session.context.session.elicit_form(question.text, FORM, related_request_id=session.request_id)
    except (MCPError, ValidationError):
        return FormAnswer.FAILED
    return _read(result)


def can_open(session: Session) -> bool:
    """Return True when the client can open a page for its user on this request."""
    capabilities = session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or elicitation.url is None:
        return False
    return session.can_be_asked_now


async def send_to_page(session: Session, question: Question, page: str) -> bool | InputRequiredResult:
    """Ask the client to open the page. Return whether it was opened, or the request that rides on the result."""
    message = f"{question.title}: the operator approves it on the approval page, with a passcode. {question.name}."
    if session.is_modern:
        link = ElicitRequest(params=ElicitRequestURLParams(message=message, url=page))
        return InputRequiredResult(input_requests={_page_key(question.id): link}, request_state=question.id)
    opening = session.context.session.elicit_url(message, page, question.id, related_request_id=session.request_id)
    try:
        return (await opening).action == "accept"
    except (MCPError, ValidationError):
        return False


def page_was_opened(session: Session, question: Question) -> bool | None:
    """Return whether the page of this question was opened; None if the call does not say. It approves nothing."""
    result = session.input_responses.get(_page_key(question.id))
    return result.action == "accept" if isinstance(result, ElicitResult) else None


def answered_action_id(session: Session) -> str | None:
    """Return the id of the action or plan that this call answers. The SDK seals it, so the client cannot choose it."""
    return session.request_state


def read_answer(session: Session, question: Question) -> FormAnswer | None:
    """Return the client's answer to this question; None if the call is no answer to its form.

    A call that comes back from the form without an answer is not asked again: it would come back for ever.
    """
    result = session.input_responses.get(_key(question.id))
    if isinstance(result, ElicitResult):
        return _read(result)
    return None if page_was_opened(session, question) is not None else FormAnswer.FAILED


def _read(result: ElicitResult) -> FormAnswer:
    if result.action == "cancel":
        return FormAnswer.DISMISSED
    if result.action == "decline":
        return FormAnswer.NO
    match (result.content or {}).get("approve"):
        case True:
            return FormAnswer.YES
        case False:
            return FormAnswer.NO
        case _:
            return FormAnswer.EMPTY


def _key(asked_id: str) -> str:
    return f"approve_{asked_id}"


def _page_key(asked_id: str) -> str:
    return f"open_{asked_id}"
