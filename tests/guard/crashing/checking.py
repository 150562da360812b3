"""What must hold after every kill, and what must hold of the store after all of them."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from guard.action import State
from server.store.sealed.hash_chain import Verdict
from server.store.store import open_store
from tests.guard.crashing.calls import Call
from tests.guard.crashing.processes import Repeated
from tests.guard.crashing.steps import Step
from tests.guard.crashing.trials import Trial

HOLDS: Final[Mapping[State, Collection[str | None]]] = {
    State.PROPOSED: {None},
    State.APPROVED: {None},
    State.DECLINED: {None},
    State.EXPIRED: {None},
    State.SENDING: {"held", None},
    State.UNKNOWN: {"held", None},
    State.DONE: {"settled", None},
    State.REFUSED: {"released", None},
}
"""How the money of an action may stand; a call that costs nothing holds none."""

NOT_SENT: Final = {None, State.PROPOSED, State.APPROVED}
SENT: Final = {State.SENDING, State.UNKNOWN, State.DONE, State.REFUSED}


def complaints(trial: Trial, call: Call) -> list[str]:
    """Everything that is wrong with a trial."""
    found = trial.found
    return [
        *_about_effects(trial),
        *_about_states(found, trial.reached, never_refutable=call.never_refutable),
        *_about_the_repeated_call(found, "impossible" if call.works_once else "asked"),
        *_about_holds(found, costs=call.costs),
    ]


def _about_effects(trial: Trial) -> Iterator[str]:
    states = [state for state, _ in trial.found["holds"].values()]
    done, unknown = states.count(State.DONE), states.count(State.UNKNOWN)
    if not done <= trial.effects <= done + unknown:
        yield f"carried out {trial.effects} times, but on the record are {states}"
    approvals = trial.found["yeses"] + (Step.APPROVED in trial.reached or trial.found["state"] not in NOT_SENT)
    if trial.found["state"] == State.APPROVED:
        approvals = trial.found["yeses"] + 1
    if trial.effects > approvals:
        yield f"carried out {trial.effects} times with {approvals} approvals"


def _about_states(found: dict[str, Any], reached: list[str], *, never_refutable: bool) -> Iterator[str]:
    if found["state"] == State.SENDING:
        yield "the next process took a call for under way whose process is gone"
    if Step.INTENT in reached and found["state"] in NOT_SENT:
        yield f"the intent was on the record, and now the action is {found['state']}"
    if found["state"] == State.REFUSED:
        yield "it was called refused while the request may still have been on its way"
    if found["later"] == State.UNKNOWN and not never_refutable:
        yield "a read could have told what became of it"
    for state, outcome in ((found["state"], found["outcome"]), (found["later"], found["later_outcome"])):
        if state == State.UNKNOWN and "Check with voicetel_" not in outcome:
            yield f"the outcome is unknown, and nothing says what to look at: {outcome!r}"


def _about_the_repeated_call(found: dict[str, Any], when_done: Repeated) -> Iterator[str]:
    expected = "sent" if found["state"] in NOT_SENT else when_done if found["state"] == State.DONE else "told"
    if found["repeated"] != expected:
        was = f"{found['repeated']} ({found['words']})"
        yield f"{found['state']}: the same call should have been {expected}, but was {was}"
    if found["repeated"] == "told" and "not sent a second time" not in found["words"]:
        yield f"the refusal of the same call does not say why: {found['words']!r}"
    if found["repeated"] == expected == "told":
        later = {State.DONE: when_done, State.REFUSED: "sent", State.UNKNOWN: "told"}[State(found["later"])]
        if found["repeated_later"] != later:
            yield f"later {found['later']}: the same call should have been {later}, but was {found['repeated_later']}"


def _about_holds(found: dict[str, Any], *, costs: bool) -> Iterator[str]:
    for action, (state, hold) in found["holds"].items():
        if hold not in HOLDS[State(state)] or (costs and hold is None and State(state) in SENT):
            yield f"{action} is {state}, and its money is {hold}"


def integrity(store: Path) -> str:
    """Return the result of SQLite's integrity check of a store's file."""
    connection = sqlite3.connect(store)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


async def audited(folder: Path) -> Verdict:
    """Whether the chain of a store is whole, and every row of a decision or an outcome has its receipt."""
    record = open_store(f"sqlite:///{folder / 'ringfence.db'}", folder)
    try:
        await record.receipts.verify()
        return await record.audit.verify()
    finally:
        await record.database.close()
