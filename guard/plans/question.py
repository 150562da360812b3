"""The question about a plan, in words for people: the job, its total, like steps together, and what to check.

A form shows every step with its exact arguments, or the plan is approved elsewhere: nobody approves what was cut off.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from guard.injection.reasons import in_marks
from guard.messages import before_lines, requester, shown
from guard.money import Money
from guard.plans.plan import Plan, Step, amounts_of, places
from guard.plans.references import KEY, is_reference
from guard.plans.timed.schedule import moment_in_words
from guard.rules.budget import Cap, Room
from guard.rules.quote import PER

MOST_IN_FORM: Final = 3000
"""Characters of the steps that a form shows in full; more is read on the page or the command line."""

_GROUPS_SHOWN: Final = 6
_STEPS_SHOWN: Final = 4
_NOTES_SHOWN: Final = 8
_VALUE_SHOWN: Final = 160


def plan_prompt(
    plan: Plan, quoted: Callable[[str], str] = str, *, in_full: bool | None = None, with_budgets: bool = False
) -> str:
    """Word the question: what the job is, what it costs, every step or a summary, and what the approval covers.

    `quoted` fences notes that may repeat text from outside, for readers who are shown that between markers. `in_full`
    shows every step; left out, it does where they fit a form. `with_budgets` says what is left of each cap, to readers
    who may see what others spend.
    """
    whole = fits_form([*plan.steps, *plan.undo]) if in_full is None else in_full
    lines = [
        f"{_count(len(plan.chosen), 'call')} as one job?",
        f"The assistant calls it: {in_marks(plan.title)}",
        *([f"and gives as the reason: {in_marks(plan.reason)}"] if plan.reason else []),
        "",
        *when_lines(plan),
        *price_lines(plan.chosen),
        *(budget_lines([*plan.chosen, *plan.chosen_undo]) if with_budgets else []),
        *(f"Note: {quoted(note)}" for note in plan.notes),
        *note_lines(plan.chosen, quoted, in_full=whole),
        "",
        *step_lines(plan.chosen, in_full=whole),
        "",
        *undo_lines(plan, in_full=whole),
        IN_ORDER[plan.on_failure] + duration(plan.seconds),
        f"Requested by {requester(plan.principal)}. Your approval covers exactly these "
        f"{_count(len(plan.chosen), 'call')}{' and their undo' if plan.undo else ''} ({plan.id}), in this order, each "
        f"once. Answer until {plan.expires_at:%H:%M} UTC; {last_moment(plan)}",
    ]
    return "\n".join(lines)


IN_ORDER: Final = {
    "stop": "If a step fails, those after it are not sent.",
    "continue": "If a step fails, the others are sent all the same.",
}


def when_lines(plan: Plan) -> list[str]:
    """Say when a plan runs and when it is undone; empty where it has no times."""
    if plan.at is None and plan.until is None:
        return []
    runs = [f"Runs on {moment_in_words(plan.at, plan.zone)}."] if plan.at else []
    undone = [f"Undone by itself on {moment_in_words(plan.until, plan.zone)}."] if plan.until else []
    return [*runs, *undone, NEEDS_WORKER]


NEEDS_WORKER: Final = "This server, or `ringfence work`, must be running then."


def last_moment(plan: Plan) -> str:
    """Say after which moment nothing of a plan is sent any more, as the end of a sentence."""
    if plan.at is None and plan.until is None:
        return f"nothing is sent after {plan.runs_until:%H:%M} UTC."
    but = "but the undo " if plan.until else ""
    return f"nothing {but}is sent after {plan.runs_until:%Y-%m-%d %H:%M} UTC."


def undo_lines(plan: Plan, *, in_full: bool) -> list[str]:
    """Word the calls that undo a plan by themselves; empty where it has no time for that."""
    if not plan.chosen_undo or plan.until is None:
        return []
    head = f"Then, on {moment_in_words(plan.until, plan.zone)}, unless somebody changed it meanwhile:"
    return [head, *step_lines(plan.chosen_undo, in_full=in_full), ""]


def fits_form(steps: Sequence[Step]) -> bool:
    """Return True if every step can be shown with its exact arguments in a client's form."""
    return sum(len(line) + 1 for line in step_lines(steps, in_full=True)) <= MOST_IN_FORM


def price_lines(steps: Sequence[Step]) -> list[str]:
    """Word what steps cost together, by account, currency and period, with the balance after it."""
    lines: list[str] = []
    amounts = amounts_of(steps)
    for amount in amounts:
        accounts = {other.account for other in amounts if other.provider == amount.provider}
        where = f" on account {amount.account}" if len(accounts) > 1 else ""
        place = (amount.provider, amount.account)
        counted = [step for step in steps if (step.provider, step.made_on) == place and step.quote.amount]
        charged_by = next((step.quote.charged_by for step in counted if step.quote.charged_by), amount.provider)
        most = "at most " if amount.is_bound else ""
        lines.append(f"{charged_by} charges {most}{amount.money} in all{PER[amount.per]}{where}, {_sources(counted)}.")
        lines += _balance_after(counted, amount.money.currency)
    unknown = [step for step in steps if step.quote.unknown]
    if unknown:
        lines.append(f"Price unknown of {places(unknown)}: {unknown[0].quote.unknown}")
    return lines or ["Free, as far as the documentation says."]


def total_in_words(steps: Sequence[Step]) -> str:
    """Say what steps cost together, in a few words: `at most 3.84 EUR and an unknown price`."""
    known = [f"{'at most ' if one.is_bound else ''}{one.money}{PER[one.per]}" for one in amounts_of(steps)]
    unknown = ["an unknown price"] if any(step.quote.unknown for step in steps) else []
    return " and ".join([*known, *unknown]) or "no charge"


def step_lines(steps: Sequence[Step], *, in_full: bool) -> list[str]:
    """Word the steps, like ones together: what all of a group have is said once."""
    lines: list[str] = []
    groups = _groups(steps)
    for group in groups if in_full else groups[:_GROUPS_SHOWN]:
        lines += _group_lines(group, in_full=in_full)
    if not in_full and len(groups) > _GROUPS_SHOWN:
        left = sum(len(group) for group in groups[_GROUPS_SHOWN:])
        lines.append(f"and {_count(left, 'step')} more, on the approval page")
    return lines


def _groups(steps: Sequence[Step]) -> list[list[Step]]:
    """Return runs of steps that follow each other and make the same kind of call."""
    groups: list[list[Step]] = []
    for step in steps:
        last = groups[-1][-1] if groups else None
        alike = last is not None and (last.operation, last.account, last.arguments.keys()) == (
            step.operation,
            step.account,
            step.arguments.keys(),
        )
        if alike:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _group_lines(group: Sequence[Step], *, in_full: bool) -> list[str]:
    first = group[0]
    label = f" (called {first.label})" if first.label else ""
    if len(group) == 1:
        head = f"{first.position}. {first.title}{label}"
        arguments = [f"   {name}: {_value(value, in_full)}" for name, value in first.arguments.items()]
        return [head, *arguments, *_before(first, in_full)]
    common = {
        name: value for name, value in first.arguments.items() if all(step.arguments[name] == value for step in group)
    }
    lines = [f"{first.position}-{group[-1].position}. {first.title}, {len(group)} times"]
    lines += [f"   {name}: {_value(value, in_full)}" for name, value in common.items()]
    shown_steps = group if in_full else group[:_STEPS_SHOWN]
    for step in shown_steps:
        own = {name: value for name, value in step.arguments.items() if name not in common}
        lines.append(f"   {step.position}. " + _own_arguments(own, in_full))
        lines += _before(step, in_full)
    if len(shown_steps) < len(group):
        lines.append(f"   and {len(group) - len(shown_steps)} more like these, on the approval page")
    return lines


def _before(step: Step, in_full: bool) -> list[str]:
    """Return the state that a step changes; a summary leaves it to the page."""
    return [f"   {line}" for line in before_lines(step.before)] if in_full else []


def _own_arguments(own: Mapping[str, Any], in_full: bool) -> str:
    if not own:
        return "the same"
    return "; ".join(f"{name}: {_value(value, in_full)}" for name, value in own.items())


def _value(value: Any, in_full: bool) -> str:
    text = f"from the answer to {value[KEY]}" if is_reference(value) else shown(value)
    if in_full or len(text) <= _VALUE_SHOWN:
        return text
    return f"{text[:_VALUE_SHOWN]}… ({len(text)} characters, in full on the approval page)"


def note_lines(steps: Sequence[Step], quoted: Callable[[str], str], *, in_full: bool) -> list[str]:
    """Return the notes of all steps, each with the steps that have it."""
    by_note: dict[str, list[Step]] = {}
    for step in steps:
        for note in step.quote.warnings:
            by_note.setdefault(note, []).append(step)
    listed = list(by_note.items())
    kept = listed if in_full else listed[:_NOTES_SHOWN]
    lines = [f"Note on {places(having)}: {quoted(note)}" for note, having in kept]
    left = len(listed) - len(kept)
    return lines + ([f"and {_count(left, 'note')} more, on the approval page"] if left else [])


def _sources(steps: Sequence[Step]) -> str:
    """Say what is charged and where the prices come from, where that is the same for all."""
    items = {step.quote.item for step in steps}
    sources = {step.quote.source for step in steps}
    quantity = sum(step.quote.quantity for step in steps)
    [item] = items if len(items) == 1 else [""]
    counted = f"{quantity} {item if quantity == 1 else item + 's'}" if item else _count(len(steps), "call")
    [source] = sources if len(sources) == 1 else ["the prices of its steps"]
    return f"for {counted}, from {source}"


def _balance_after(steps: Sequence[Step], currency: str) -> list[str]:
    balance = next((step.quote.balance for step in steps if step.quote.balance), None)
    if balance is None or balance.available.currency != currency:
        return []
    now = f"Balance: {balance.available} as of {balance.as_of:%Y-%m-%d %H:%M} UTC"
    at_once = [step.quote.amount for step in steps if step.quote.amount and step.quote.per != "call"]
    left = balance.available
    for amount in at_once:
        left = left - amount
    return [f"{now}; {left} after all of them." if at_once else f"{now}."]


def budget_lines(steps: Sequence[Step]) -> list[str]:
    """Say what is left of each cap before and after all steps that count against it."""
    found: dict[Cap, Room] = {}
    for step in steps:
        for room in step.quote.room:
            # Steps are checked side by side, so the least that one of them saw is what is left.
            known = found.get(room.cap)
            found[room.cap] = room if known is None or room.left.is_at_most(known.left) else known
    return [room.line(_counted_against(cap, steps)) for cap, room in found.items()]


def _counted_against(cap: Cap, steps: Sequence[Step]) -> Money:
    counted = [
        step.quote.amount.amount
        for step in steps
        if step.quote.amount and cap.covers(step.provider, step.made_on, step.quote.amount.currency)
    ]
    return Money(sum(counted, Decimal(0)), cap.limit.currency)


def duration(seconds: int) -> str:
    """Say how long the limits of a provider make a plan take, as a further sentence; empty where they do not."""
    if not seconds:
        return ""
    span = f"{round(seconds / 60)} minutes" if seconds >= 120 else f"{seconds} seconds"
    return f" All of it takes {span} or more, because the provider limits how often it may be called."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
