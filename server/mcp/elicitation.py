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
from guard.messages import approval_prompt, headline, is_irreversible
from guard.plans.plan import Plan
from guard.plans.question import plan_prompt
from server.mcp.session import Session


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked to approve, and its id, which the answer must name."""

    id: str
    title: str
    name: str
    """What is approved, with its id, such as `Action act_7k2m9p4q`."""

    text: str
    is_final: bool
    """True for what no call undoes: its form takes two answers."""


def question_of(action: Action, *, with_budgets: bool) -> Question:
    """Word the question about an action; `with_budgets` to those who may see what others spend."""
    text = approval_prompt(action, with_budgets=with_budgets)
    return Question(action.id, headline(action), f"Action {action.id}", text, is_irreversible(action))


def question_of_plan(plan: Plan, *, is_final: bool, with_budgets: bool) -> Question:
    """Word the question about a plan; `is_final` where one of its steps cannot be undone."""
    text = plan_prompt(plan, with_budgets=with_budgets)
    return Question(plan.id, plan.title, f"Plan {plan.id}", text, is_final)


class FormAnswer(Enum):
    """What the client answers to the form. Only YES shows that a person saw it: some clients answer by themselves."""

    YES = "yes"
    NO = "no"
    DISMISSED = "dismissed"
    EMPTY = "empty"
    """Accepted, without saying whether to approve: neither yes nor no."""

    FAILED = "failed"
    """An error, or no answer, from a client that declares that it can ask."""


NEITHER: Final[Mapping[FormAnswer | None, str]] = {
    FormAnswer.DISMISSED: "The question was dismissed.",
    FormAnswer.EMPTY: "The client accepted without saying yes or no.",
}
"""Answers that leave the question to the operator, in a sentence."""

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


async def ask(session: Session, question: Question) -> FormAnswer | InputRequiredResult:
    """Ask the person now, or return the question for the client to answer with its next call."""
    if session.is_modern:
        params = ElicitRequestFormParams(message=question.text, requested_schema=_form_for(question))
        form = ElicitRequest(params=params)
        return InputRequiredResult(input_requests={_key(question.id): form}, request_state=question.id)
    try:
        form_of = _form_for(question)
        result = await session.context.session.elicit_form(
            question.text, form_of, related_request_id=session.request_id
        )
    except (MCPError, ValidationError):
        return FormAnswer.FAILED
    return _read(result, question)


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
        return _read(result, question)
    return None if page_was_opened(session, question) is not None else FormAnswer.FAILED


def _form_for(question: Question) -> dict[str, Any]:
    return FINAL_FORM if question.is_final else FORM


def _read(result: ElicitResult, question: Question) -> FormAnswer:
    if result.action == "cancel":
        return FormAnswer.DISMISSED
    if result.action == "decline":
        return FormAnswer.NO
    content = result.content or {}
    match content.get("approve"):
        case True if question.is_final and content.get("for_good") is not True:
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
