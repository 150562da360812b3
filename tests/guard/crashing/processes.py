"""What the two processes of a trial do: the one that is killed, and the next one on the same store."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Literal

import anyio
import httpx2
from sqlalchemy import select

from clients.operation import Operation
from guard.action import Action, Principal, State, digest_of
from guard.errors import GuardRefusal, NotPossibleNow
from guard.pipeline import Guard
from guard.reconcile import GRACE
from guard.verification_hint import outcome_text
from server.services import Services
from server.settings.model import Settings
from server.store.schema import actions, holds
from tests.clocks import ShiftedClock
from tests.guard.crashing.steps import OVER, STARTED, Signals, SteppedClient, SteppedJournal
from tests.sandbox_control import NO_CERTIFICATES
from tools.operation_catalog import RegisteredOperations

USER: Final = Principal("local:user")
PERSON: Final = "a person"
PAST_GRACE: Final = GRACE + timedelta(seconds=1)

Repeated = Literal["sent", "asked", "told", "impossible"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the next process found."""

    state: str | None
    """Of the interrupted action right after the kill; None where nothing was on the record."""

    outcome: str
    repeated: Repeated
    """What the same call brought then: it was sent, a person was asked again, or the reason why not was told.

    `impossible` if that reason is the state at the provider.
    """

    words: str
    """What was asked or told."""

    later: str | None
    """State of the interrupted action once a request cannot be on its way any more."""

    later_outcome: str
    repeated_later: Repeated | None
    """What the same call brought then, where it was only told why not before."""

    holds: dict[str, tuple[str, str | None]]
    """State of each action of this call, and of the money held for it."""

    yeses: int
    """How often a person said yes to this call in this process."""


async def call_until_killed(settings: Settings, operation: Operation[Any], signals: Signals) -> None:
    """Make one approved call, and wait to be killed once it is settled."""
    services = Services(settings, given_http=_http())
    guard = _guard(services, signals)
    signals.tell(STARTED)
    action = await guard.propose(operation, USER)
    if action.state is State.PROPOSED:
        action = await guard.approve(action.id, by=PERSON)
    await guard.execute(action, operation)
    signals.tell(OVER)
    await anyio.sleep_forever()


async def find_out(settings: Settings, operation: Operation[Any], quiet: Callable[[], None]) -> Finding:
    """Be the next process: look what became of the call, and make it again as a user would."""
    clock = ShiftedClock()
    services = Services(settings, given_http=_http(), clock=clock)
    try:
        guard, journal = services.guard, services.store.journal
        await guard.reconciler.run()
        mine = await _actions_like(services, operation)
        first = mine[0] if mine else None
        repeated, words, yeses = await _repeat(guard, operation)
        repeated_later = None
        if first is not None and first.state in {State.SENDING, State.UNKNOWN}:
            quiet()
            clock.ahead = PAST_GRACE
            repeated_later, _, more = await _repeat(guard, operation)
            yeses += more
        later = await journal.find(first.id) if first else None
        finding = Finding(
            state=first.state.value if first else None,
            outcome=outcome_text(first, RegisteredOperations()) if first else "",
            repeated=repeated,
            words=words,
            later=later.state.value if later else None,
            later_outcome=outcome_text(later, RegisteredOperations()) if later else "",
            repeated_later=repeated_later,
            holds=await _holds(services, operation),
            yeses=yeses,
        )
        if later is not None and later.state is State.UNKNOWN:  # as `ringfence actions resolve` does
            await journal.move(later.id, {State.UNKNOWN}, State.DONE, outcome="Closed by the operator.")
        return finding
    finally:
        await services.close()


def _http() -> httpx2.AsyncClient:
    """Return an HTTP client without certificates: loading them would take half of a child's time."""
    return httpx2.AsyncClient(verify=NO_CERTIFICATES, timeout=30)


def _guard(services: Services, signals: Signals) -> Guard:
    """Build the guard of these services with a journal and clients that signal each step."""
    return Guard(
        replace(
            services.guard_dependencies,
            journal=SteppedJournal(services.store, signals),
            accounts={name: SteppedClient(client, signals) for name, client in services.clients.items()},
        )
    )


async def _repeat(guard: Guard, operation: Operation[Any]) -> tuple[Repeated, str, int]:
    """Make the same call again; the person approves it, unless it would repeat what was done."""
    try:
        action = await guard.propose(operation, USER)
        words = " ".join(action.quote.warnings)
        yeses = 0
        if action.state is State.PROPOSED:
            if "xactly this" in words:
                await guard.decline(action.id, by=PERSON)
                return "asked", words, 0
            action = await guard.approve(action.id, by=PERSON)
            yeses = 1
        await guard.execute(action, operation)
        return "sent", words, yeses
    except NotPossibleNow as refusal:
        return "impossible", str(refusal), 0
    except GuardRefusal as refusal:
        return "told", str(refusal), 0


async def _actions_like(services: Services, operation: Operation[Any]) -> list[Action]:
    """Return the actions of exactly this call, oldest first."""
    record = services.store
    digest = digest_of(operation, account=services.clients["voicetel"].account, principal=USER)
    query = select(actions.c.id).where(actions.c.digest == digest).order_by(actions.c.created_at)
    found = [await record.journal.find(row["id"]) for row in await record.database.fetch(query)]
    return [action for action in found if action is not None]


async def _holds(services: Services, operation: Operation[Any]) -> dict[str, tuple[str, str | None]]:
    mine = {action.id: action.state.value for action in await _actions_like(services, operation)}
    query = select(holds.c.action_id, holds.c.state).where(holds.c.action_id.in_(mine))
    held: dict[str, str] = {row["action_id"]: row["state"] for row in await services.store.database.fetch(query)}
    return {action_id: (state, held.get(action_id)) for action_id, state in mine.items()}
