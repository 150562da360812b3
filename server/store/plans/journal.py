"""The journal of plans in the store; each change and its audit row are one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, insert, select, union_all, update
from sqlalchemy.engine import Connection, RowMapping

from guard.action import Action, State
from guard.allowances.allowance import Cover, approver
from guard.errors import AlreadySettled, Expired, Frozen, NotTheSameCall, OutcomePending
from guard.operators.approval import Approval
from guard.operators.demand import NO_DEMAND, Demand
from guard.plans.journal import StepPlace
from guard.plans.plan import CAN_RUN, Amount, Plan, PlanState, Step, Terms, amounts_of, digest_of_plan, totals_of
from guard.receipts.contents import OF_PLAN, ONE_APPROVAL, content_of_plan
from guard.rules.budget import Cap, Hold, require_room, require_room_for_all
from guard.rules.quote import Quote
from server.store.actions import action_of, find_open, make_searchable, request_detail, row_of
from server.store.allowances.uses import begin_step_use, release_step_uses, release_use, take_uses
from server.store.engine import Database
from server.store.key_values import FROZEN, get_value
from server.store.operators.approvals import add_approval, approvals_of, decided_by, detail_of
from server.store.plans.reserved import release, reserve
from server.store.processes import this_process
from server.store.receipts.book import StoredReceipts
from server.store.reservations import spent_in, take_hold
from server.store.schema import actions, plan_steps, plans
from server.store.sealed.audit import Audit, Entry

_quotes = TypeAdapter(Quote)
_OPEN: Final = [state.value for state in PlanState if state.is_open]
_CAN_RUN: Final = [state.value for state in CAN_RUN]
_ENDS: Final = frozenset({PlanState.DECLINED, PlanState.EXPIRED, PlanState.FAILED, PlanState.DONE})
"""States after which nothing more is sent."""

_CLOSED_STEP: Final = [State.DONE.value, State.REFUSED.value]
_AT_ONCE: Final = 400
"""How many values one query names; SQLite takes a limited number of variables."""


class StoredPlans:
    """Implements `guard.plans.journal.PlanJournal`; raises `JournalUnavailable` if the store cannot be used."""

    def __init__(self, database: Database, audit: Audit, receipts: StoredReceipts) -> None:
        self._database = database
        self._audit = audit
        self._receipts = receipts

    async def propose(self, plan: Plan, undo: Plan | None = None) -> Plan:
        """Store a new plan with its steps and its audit row, or return the one that is open for the same calls.

        `undo` is the plan that undoes it, which is stored with it.
        """

        def work(entry: Entry) -> Any:
            already = _find(entry.connection, plans.c.calls == plan.calls, plans.c.state.in_(_OPEN))
            if already is not None:
                return already
            for one in (plan, undo):
                if one is not None:
                    entry.connection.execute(insert(plans).values(_plan_row(one)))
                    entry.connection.execute(insert(plan_steps), [_step_row(one.id, step) for step in one.steps])
                    self._log(entry, one, _proposal_detail(one))
            return plan

        return await self._audit.write(work, needs_whole_log=True)

    async def find(self, plan_id: str) -> Plan | None:
        """Return the plan with this id, or None."""

        def work(connection: Connection) -> Any:
            return _find(connection, plans.c.id == plan_id)

        return await self._database.read(work)

    async def find_open(self, calls: str) -> Plan | None:
        """Return the plan that is open for these calls, or None."""

        def work(connection: Connection) -> Any:
            self._audit.require_whole_log(connection)
            return _find(connection, plans.c.calls == calls, plans.c.state.in_(_OPEN))

        return await self._database.read(work)

    async def latest(
        self, limit: int, *, states: Collection[PlanState] | None = None, principal: str | None = None
    ) -> list[Plan]:
        """Return up to `limit` plans, newest first, filtered by state and by principal where given."""
        query = select(plans).order_by(plans.c.created_at.desc()).limit(limit)
        if states is not None:
            query = query.where(plans.c.state.in_([state.value for state in states]))
        if principal is not None:
            query = query.where(plans.c.principal == principal)

        def work(connection: Connection) -> Any:
            rows = (connection.execute(query)).mappings().all()
            return [_whole(connection, row) for row in rows]

        return await self._database.read(work)

    async def proposed_between(self, since: datetime, until: datetime) -> list[Plan]:
        """Return the plans that were proposed between two times, the oldest first; none that undoes another one."""
        proposed = (plans.c.created_at >= since) & (plans.c.created_at < until)
        query = select(plans).where(proposed, plans.c.undoes.is_(None)).order_by(plans.c.created_at)

        def work(connection: Connection) -> Any:
            return [_whole(connection, row) for row in connection.execute(query).mappings().all()]

        return await self._database.read(work)

    async def open_steps(self, digests: Collection[str]) -> Mapping[str, StepPlace]:
        """Return the steps of open plans that make one of these calls and were not sent, by their digest."""
        wanted = sorted(digests)
        found: dict[str, StepPlace] = {}

        def work(connection: Connection) -> Any:
            for start in range(0, len(wanted), _AT_ONCE):
                query = (
                    select(plan_steps.c.digest, plan_steps.c.plan_id, plan_steps.c.position)
                    .join(plans, plans.c.id == plan_steps.c.plan_id)
                    .where(plan_steps.c.digest.in_(wanted[start : start + _AT_ONCE]), plans.c.state.in_(_OPEN))
                    .where(plan_steps.c.action_id.is_(None), plan_steps.c.is_struck.is_(False))
                )
                for digest, plan_id, position in connection.execute(query):
                    found[digest] = StepPlace(plan_id, position)
            return found

        return await self._database.read(work)

    async def place_of(self, action_id: str) -> StepPlace | None:
        """Return the step that an action carried out, or None."""
        query = select(plan_steps.c.plan_id, plan_steps.c.position).where(plan_steps.c.action_id == action_id)

        def work(connection: Connection) -> Any:
            row = (connection.execute(query)).first()
            return StepPlace(*row) if row else None

        return await self._database.read(work)

    async def actions_of(self, plan_id: str) -> Mapping[int, Action]:
        """Return the last action of each step that has one, by its position."""
        query = (
            select(plan_steps.c.position.label("step_position"), actions)
            .join(actions, actions.c.id == plan_steps.c.action_id)
            .where(plan_steps.c.plan_id == plan_id)
            .order_by(plan_steps.c.position)
        )

        def work(connection: Connection) -> Any:
            rows = (connection.execute(query)).mappings().all()
            return {
                row["step_position"]: action_of({name: row[name] for name in row if name != "step_position"})
                for row in rows
            }

        return await self._database.read(work)

    async def approve(
        self,
        plan_id: str,
        *,
        by: str,
        at: datetime,
        caps: Sequence[Cap],
        struck: Collection[int] = (),
        due_at: datetime | None = None,
        approval: Approval | None = None,
        demand: Demand = NO_DEMAND,
    ) -> Plan | None:
        """Record a yes and reserve what the steps cost, in one transaction.

        `due_at` is from when the server carries it out. The plan that undoes it is approved with it. `approval` is an
        operator's; while others are missing by `demand`, the plan still waits and nothing is reserved.
        Returns None if the plan does not wait for an answer, or is too old at that time.

        Raises:
            OverBudget: A cap leaves no room for the total.
            Frozen: The operator froze every guarded action.
            MayNotApprove: The operator is disabled, or approved it before.
        """

        def work(entry: Entry) -> Plan | None:
            if not _waits(entry.connection, plan_id, at):
                return None
            changes: dict[str, Any] = {"decided_by": by, "decided_at": at, "due_at": due_at}
            if approval is not None:
                add_approval(entry.connection, approval)
                given = approvals_of(entry.connection, plan_id)
                names = [one.operator.name for one in given]
                so_far: dict[str, Any] = {"approvers": names, "approvers_needed": demand.people}
                if demand.missing(names):
                    return self._count_approval(entry, plan_id, so_far, approval)
                changes |= {**so_far, "decided_by": decided_by(given)}
            if struck:
                _strike(entry.connection, plan_id, plan_steps.c.position.in_(struck))
                if (undo := _undo_of(entry.connection, plan_id)) is not None:
                    _strike(entry.connection, undo.id, plan_steps.c.undoes.in_(struck))
            left_out = {"struck": sorted(struck)} if struck else {}
            return self._approve(entry, plan_id, changes, caps, left_out, approval)

        return await self._audit.write(work, needs_whole_log=True)

    async def approvals_of(self, about: str) -> Sequence[Approval]:
        """Return what operators who are still enabled approved of a plan, oldest first."""
        return await self._database.read(lambda connection: approvals_of(connection, about))

    async def approve_by_allowances(
        self,
        plan: Plan,
        covers: Mapping[int, Cover],
        *,
        at: datetime,
        caps: Sequence[Cap],
        due_at: datetime | None = None,
    ) -> Plan | None:
        """Approve a plan under allowances that cover its steps, and count every step there, in one transaction.

        `covers` are the allowances for each step that needs one, by its position. None as for `approve`.

        Raises:
            AllowanceGone: A step finds no room, so nothing was counted and the plan still waits.
            OverBudget, Frozen: As `approve`.
        """

        def work(entry: Entry) -> Plan | None:
            if not _waits(entry.connection, plan.id, at):
                return None
            taken = take_uses(entry.connection, plan, covers, at)
            for position, allowance_id in taken.items():
                at_step = update(plan_steps).where(_at(StepPlace(plan.id, position)))
                entry.connection.execute(at_step.values(allowance_id=allowance_id))
            changes = {"decided_by": approver(list(taken.values())), "decided_at": at, "due_at": due_at}
            counted = {"allowances": {str(one): taken[one] for one in taken}}
            return self._approve(entry, plan.id, changes, caps, counted)

        return await self._audit.write(work, needs_whole_log=True)

    def _count_approval(self, entry: Entry, plan_id: str, so_far: Mapping[str, Any], approval: Approval) -> Plan | None:
        """Record one of several operators' yes to a plan, which still waits."""
        entry.connection.execute(update(plans).where(plans.c.id == plan_id).values(so_far))
        waiting = _find(entry.connection, plans.c.id == plan_id)
        if waiting is not None:
            principal, detail = waiting.principal, detail_of(approval)
            row = self._audit.append(entry, ONE_APPROVAL, action_id=plan_id, principal=principal, detail=detail)
            self._receipts.add(entry, row, content_of_plan(waiting, approval))
        return waiting

    def _approve(
        self,
        entry: Entry,
        plan_id: str,
        changes: Mapping[str, Any],
        caps: Sequence[Cap],
        detail: Mapping[str, Any],
        approval: Approval | None = None,
    ) -> Plan:
        """Move a plan that waits to approved, with the plan that undoes it, and reserve what their steps cost."""
        connection, at, due_at = entry.connection, changes["decided_at"], changes["due_at"]
        _refuse_if_frozen(connection)
        _move(connection, plan_id, {PlanState.PROPOSED}, PlanState.APPROVED, changes)
        approved = _with_digest_of_rest(connection, plan_id)
        totals = totals_of([*approved.chosen, *approved.chosen_undo])
        require_room_for_all(spent_in(connection, caps, at), totals)
        reserve(connection, plan_id, approved.chosen, at)
        facts = {"decided_by": changes["decided_by"], "digest": approved.digest, "total": _total(approved.chosen)}
        facts |= {"due_at": due_at.isoformat()} if due_at else {}
        signed: Mapping[str, Any] = detail_of(approval) if approval is not None else {}
        self._log(entry, approved, {**facts, **signed, **detail}, approval)
        if (undo := _undo_of(connection, plan_id)) is not None:
            self._approve_undo(entry, undo, changes, at)
        return approved

    async def move(self, plan_id: str, allowed: Collection[PlanState], to: PlanState, **changes: Any) -> Plan | None:
        """Move a plan from one of the allowed states, and return it; None if it is in none of them.

        What is still reserved is released where nothing more will be sent.
        """

        def work(entry: Entry) -> Any:
            if not _move(entry.connection, plan_id, allowed, to, changes):
                return None
            if to in _ENDS:
                _release_rest(entry.connection, plan_id)
            moved = _find(entry.connection, plans.c.id == plan_id)
            if moved is not None:
                self._log(entry, moved, {name: changes[name] for name in _AUDITED if changes.get(name)})
                if moved.undo_id is not None and to in _ENDS and all(step.action_id is None for step in moved.steps):
                    self._close_undo(entry, moved)
            return moved

        return await self._audit.write(work)

    async def begin_step(
        self,
        place: StepPlace,
        action: Action,
        *,
        same_call: Collection[str],
        hold: Hold,
        caps: Sequence[Cap],
        at: datetime,
    ) -> Action:
        """Take a step's turn, turn its reservation into its hold, and write the intent, in one transaction.

        Raises:
            NotTheSameCall: The plan is not approved any more, or the step was struck.
            Expired: The time for its steps is over.
            OutcomePending: The step, or another one of this plan, is under way or has an unknown outcome.
            AlreadySettled: Exactly this was done meanwhile by a call outside the plan.
            OverBudget: A cap leaves no room.
            Frozen: The operator froze every guarded action.
            AllowanceGone: The step was approved under an allowance that was revoked meanwhile, is over or used up.
        """

        def work(entry: Entry) -> Any:
            connection = entry.connection
            _refuse_if_frozen(connection)
            asked_at = _require_turn(connection, place, at)
            _require_none_under_way(connection, place.plan_id)
            _require_not_done_elsewhere(connection, place.plan_id, same_call, since=asked_at)
            row = _take_turn(connection, place, action.id)
            self._close_same_call(entry, action.digest, place)
            release(connection, place.plan_id, [row])
            if row["allowance_id"] is not None:
                begin_step_use(connection, place, action, row["allowance_id"], at)
            if hold.amount is not None:
                require_room(spent_in(connection, caps, at), hold.amount)
                take_hold(connection, action.id, hold.provider, hold.amount, at, account=hold.account)
            _move(connection, place.plan_id, CAN_RUN, PlanState.RUNNING, {"outcome": None})
            values = row_of(action) | {"state": State.SENDING.value, "sent_at": at, "owner": this_process()}
            begun = (connection.execute(insert(actions).values(values).returning(*actions.c))).mappings().one()
            make_searchable(connection, action)
            detail = {**request_detail(action), "plan": place.plan_id, "step": place.position}
            taken = action_of(begun)
            self._audit.append(
                entry,
                State.SENDING.value,
                action_id=action.id,
                principal=action.principal,
                detail=detail | {"decided_by": action.decided_by},
                about=taken,
            )
            return taken

        return await self._audit.write(work, needs_whole_log=True)

    async def due(self, now: datetime) -> list[tuple[str, datetime]]:
        """Return the ids of the actions and plans that the server is to carry out by now, and since when."""
        approved = (actions.c.state == State.APPROVED.value) & (actions.c.due_at <= now)
        open_plans = plans.c.state.in_(_CAN_RUN) & (plans.c.due_at <= now)
        query = union_all(
            select(actions.c.id, actions.c.due_at).where(approved), select(plans.c.id, plans.c.due_at).where(open_plans)
        )

        def work(connection: Connection) -> Any:
            return [(item, due_at) for item, due_at in connection.execute(query)]

        return await self._database.read(work)

    async def set_due(self, plan_id: str, due_at: datetime | None) -> None:
        """Set from when the server goes on with a plan that it carries out; None where it does no more."""
        await self._database.write(
            lambda connection: connection.execute(update(plans).where(plans.c.id == plan_id).values(due_at=due_at))
        )

    async def return_turn(self, place: StepPlace, action_id: str) -> None:
        """Unbind an action that did not count from its step, which waits for its turn again."""

        def work(connection: Connection) -> Any:
            bound = update(plan_steps).where(_at(place), plan_steps.c.action_id == action_id)
            connection.execute(bound.values(action_id=None))

        await self._database.write(work)

    async def refuse_step(self, place: StepPlace, why: str) -> None:
        """Record why a step was not sent, and release what is reserved for it."""
        at_step = _at(place)

        def work(entry: Entry) -> Any:
            connection = entry.connection
            row = (connection.execute(select(plan_steps).where(at_step))).mappings().one()
            connection.execute(update(plan_steps).where(at_step).values(refusal=why))
            release(connection, place.plan_id, [row])
            release_step_uses(connection, place.plan_id, [place.position])
            plan = _find(connection, plans.c.id == place.plan_id)
            if plan is not None:
                detail = {"step": place.position, "why": why}
                self._audit.append(entry, "step not sent", action_id=plan.id, principal=plan.principal, detail=detail)

        return await self._audit.write(work)

    def _approve_undo(self, entry: Entry, undo: Plan, changes: Mapping[str, Any], at: datetime) -> None:
        """Approve the plan that undoes another one, with the steps that are left, and reserve what they cost."""
        connection = entry.connection
        _move(connection, undo.id, {PlanState.PROPOSED}, PlanState.APPROVED, {**changes, "due_at": undo.at})
        approved = _with_digest_of_rest(connection, undo.id)
        reserve(connection, undo.id, approved.chosen, at)
        detail = {"decided_by": changes["decided_by"], "digest": approved.digest, "undoes": undo.undoes}
        self._log(entry, approved, detail)

    def _close_undo(self, entry: Entry, plan: Plan) -> None:
        """Close the plan that undoes another one of which nothing was sent."""
        connection, undo_id = entry.connection, plan.undo_id or ""
        changes = {"outcome": f"Nothing of {plan.id} was sent.", "finished_at": plan.finished_at}
        if _move(connection, undo_id, {PlanState.PROPOSED, *CAN_RUN}, PlanState.EXPIRED, changes):
            _release_rest(connection, undo_id)
            closed = _find(connection, plans.c.id == undo_id)
            if closed is not None:
                self._log(entry, closed, {"outcome": changes["outcome"]})

    def _close_same_call(self, entry: Entry, digest: str, place: StepPlace) -> None:
        """Close the action of the same call that waits or is approved by itself: this step does it.

        Raises:
            OutcomePending: It is under way, or its outcome is unknown.
        """
        found = find_open(entry.connection, digest)
        if found is None:
            return
        if found.state in {State.SENDING, State.UNKNOWN}:
            raise OutcomePending(f"The same call is {found.state.value} as {found.id}; it is not sent a second time.")
        why = f"Carried out as {place}."
        closing = update(actions).where(actions.c.id == found.id)
        entry.connection.execute(closing.values(state=State.EXPIRED.value, outcome=why))
        release_use(entry.connection, found.id)
        closed = replace(found, state=State.EXPIRED, outcome=why)
        self._audit.append(
            entry,
            State.EXPIRED.value,
            action_id=found.id,
            principal=found.principal,
            detail={"outcome": why},
            about=closed,
        )

    def _log(self, entry: Entry, plan: Plan, detail: Mapping[str, Any], approval: Approval | None = None) -> None:
        """Add the audit row of a plan, and its receipt where its state has one."""
        row = self._audit.append(
            entry, f"plan {plan.state.value}", action_id=plan.id, principal=plan.principal, detail=detail, about=plan
        )
        if plan.state in OF_PLAN:
            self._receipts.add(entry, row, content_of_plan(plan, approval))


_AUDITED: Final = ("decided_by", "outcome", "decline_reason")


def _refuse_if_frozen(connection: Connection) -> None:
    if get_value(connection, FROZEN) is not None:
        raise Frozen("The operator froze every guarded action; nothing was sent.")


def _waits(connection: Connection, plan_id: str, at: datetime) -> bool:
    """Return True if a plan waits for an answer, and is not too old at that time."""
    query = select(plans.c.id).where(
        plans.c.id == plan_id, plans.c.state == PlanState.PROPOSED.value, plans.c.expires_at > at
    )
    return connection.execute(query).first() is not None


def _require_turn(connection: Connection, place: StepPlace, at: datetime) -> datetime:
    """Return when a plan was proposed that may be carried out now."""
    query = select(plans.c.state, plans.c.created_at, plans.c.runs_until).where(plans.c.id == place.plan_id)
    row = (connection.execute(query)).first()
    if row is None or row.state not in _CAN_RUN:
        raise NotTheSameCall(f"{place.plan_id} is not approved (any more); nothing was sent.")
    if row.runs_until <= at:
        raise Expired(f"The time for {place.plan_id} ended at {row.runs_until:%H:%M} UTC; nothing was sent.")
    found: datetime = row.created_at
    return found


def _require_none_under_way(connection: Connection, plan_id: str) -> None:
    """Refuse a step while another one of its plan is under way or unknown: steps follow one after the other."""
    query = (
        select(plan_steps.c.position, actions.c.id, actions.c.state)
        .join(actions, actions.c.id == plan_steps.c.action_id)
        .where(plan_steps.c.plan_id == plan_id, actions.c.state.not_in(_CLOSED_STEP))
        .limit(1)
    )
    row = (connection.execute(query)).first()
    if row is not None:
        raise OutcomePending(f"Step {row.position} of {plan_id} is {row.state} as {row.id}; nothing else was sent.")


def _require_not_done_elsewhere(
    connection: Connection, plan_id: str, digests: Collection[str], *, since: datetime
) -> None:
    """Refuse a call that was done outside the plan after the plan was proposed: nobody was told of that."""
    own = select(plan_steps.c.action_id).where(plan_steps.c.plan_id == plan_id, plan_steps.c.action_id.is_not(None))
    query = select(actions.c.id).where(
        actions.c.digest.in_(digests),
        actions.c.state == State.DONE.value,
        actions.c.finished_at > since,
        actions.c.id.not_in(own),
    )
    found = (connection.execute(query)).scalar()
    if found is not None:
        raise AlreadySettled(f"Exactly this was done as {found} after the plan was proposed; it is not done again.")


def _take_turn(connection: Connection, place: StepPlace, action_id: str) -> RowMapping:
    """Bind an action to its step, once; return the step as it was."""
    row = (connection.execute(select(plan_steps).where(_at(place)))).mappings().first()
    if row is None or row["is_struck"]:
        raise NotTheSameCall(f"{place} was left out by whoever approved the plan; nothing was sent.")
    if row["action_id"] is not None:
        raise OutcomePending(
            f"{place} had its turn as {row['action_id']}, by another call of run_plan; nothing was sent here."
        )
    connection.execute(update(plan_steps).where(_at(place)).values(action_id=action_id, refusal=None))
    return row


def _at(place: StepPlace) -> ColumnElement[bool]:
    return (plan_steps.c.plan_id == place.plan_id) & (plan_steps.c.position == place.position)


def _with_digest_of_rest(connection: Connection, plan_id: str) -> Plan:
    """Bind the plan to the steps that were not struck, and return it."""
    plan = _find(connection, plans.c.id == plan_id)
    if plan is None:
        raise LookupError(plan_id)
    digest = digest_of_plan(plan.chosen, Terms.of(plan), plan.chosen_undo)
    if digest != plan.digest:
        connection.execute(update(plans).where(plans.c.id == plan_id).values(digest=digest))
    return replace(plan, digest=digest)


def _move(
    connection: Connection,
    plan_id: str,
    allowed: Collection[PlanState],
    to: PlanState,
    changes: Mapping[str, Any],
    *conditions: ColumnElement[bool],
) -> bool:
    states = [state.value for state in allowed]
    moving = update(plans).where(plans.c.id == plan_id, plans.c.state.in_(states), *conditions)
    return (connection.execute(moving.values(state=to.value, **changes))).rowcount > 0


def _find(connection: Connection, *conditions: ColumnElement[bool]) -> Plan | None:
    row = (connection.execute(select(plans).where(*conditions))).mappings().first()
    return _whole(connection, row) if row else None


def _whole(connection: Connection, row: RowMapping) -> Plan:
    """Return the plan of a row, with its steps and those of its undo."""
    undo = _steps_of(connection, row["undo_id"]) if row["undo_id"] else ()
    return _plan(row, _steps_of(connection, row["id"]), undo)


def _undo_of(connection: Connection, plan_id: str) -> Plan | None:
    """Return the plan that undoes another one; None where it has none."""
    return _find(connection, plans.c.undoes == plan_id)


def _strike(connection: Connection, plan_id: str, left_out: ColumnElement[bool]) -> None:
    connection.execute(update(plan_steps).where(plan_steps.c.plan_id == plan_id, left_out).values(is_struck=True))


def _release_rest(connection: Connection, plan_id: str) -> None:
    query = select(plan_steps).where(plan_steps.c.plan_id == plan_id, plan_steps.c.reserved > 0)
    release(connection, plan_id, (connection.execute(query)).mappings().all())
    release_step_uses(connection, plan_id)


def _steps_of(connection: Connection, plan_id: str) -> Sequence[RowMapping]:
    query = select(plan_steps).where(plan_steps.c.plan_id == plan_id).order_by(plan_steps.c.position)
    return (connection.execute(query)).mappings().all()


def _plan_row(plan: Plan) -> dict[str, Any]:
    values = {name: getattr(plan, name) for name in plans.columns.keys()}  # noqa: SIM118 - columns are no dict
    return values | {"state": plan.state.value, "notes": list(plan.notes), "approvers": list(plan.approvers)}


def _step_row(plan_id: str, step: Step) -> dict[str, Any]:
    values = asdict(step) | {"given": dict(step.given), "arguments": dict(step.arguments)}
    quoted = _quotes.dump_python(step.quote, mode="json")
    return values | {"plan_id": plan_id, "quote": quoted, "reserved": 0, "reserved_at": None}


def _plan(row: RowMapping, steps: Sequence[RowMapping], undo: Sequence[RowMapping]) -> Plan:
    values: dict[str, Any] = dict(row)
    values |= {"state": PlanState(row["state"]), "notes": tuple(row["notes"])}
    values |= {"approvers": tuple(row["approvers"])}
    return Plan(**values, steps=tuple(_step(step) for step in steps), undo=tuple(_step(step) for step in undo))


def _step(row: RowMapping) -> Step:
    left_out = {"plan_id", "reserved", "reserved_at"}
    values: dict[str, Any] = {name: value for name, value in row.items() if name not in left_out}
    values["quote"] = _quotes.validate_python(values["quote"])
    return Step(**values)


def _proposal_detail(plan: Plan) -> Mapping[str, Any]:
    """Return what the audit says of a plan that is proposed: everything that its approval would cover."""
    steps = [{"operation": step.operation, "account": step.account, "arguments": step.arguments} for step in plan.steps]
    facts = {"title": plan.title, "digest": plan.digest, "on_failure": plan.on_failure, "channel": plan.channel}
    times = {"at": plan.at, "until": plan.until}
    facts |= {name: moment.isoformat() for name, moment in times.items() if moment is not None}
    facts |= {"undoes": plan.undoes} if plan.undoes else {}
    facts |= {"reason": plan.reason} if plan.reason else {}
    return {**facts, "total": _total(plan.steps), "steps": steps}


def _total(steps: Sequence[Step]) -> list[str]:
    return [f"{amount.money} at {_payer(amount)}" for amount in amounts_of(steps)]


def _payer(amount: Amount) -> str:
    return amount.provider if amount.account == amount.provider else f"{amount.provider}, account {amount.account}"
