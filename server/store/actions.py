"""The guard's journal in the store; each change and its audit row are one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from guard.action import Action, ArchivedAction, State
from guard.allowances.allowance import Cover, allowance_of, approver, is_allowance
from guard.errors import Frozen
from guard.operators.approval import Approval
from guard.operators.demand import Demand
from guard.receipts.contents import ENDS, OF_ACTION, ONE_APPROVAL, Booked, content_of_action
from guard.rules.budget import Cap, Hold, Spent, require_room
from guard.rules.quote import Quote
from server.store.allowances.uses import release_use, require_standing, settle_use, take_use
from server.store.engine import Database
from server.store.key_values import FROZEN, get_value
from server.store.operators.approvals import add_approval, approvals_of, decided_by, detail_of
from server.store.processes import is_gone, this_process
from server.store.receipts.book import StoredReceipts
from server.store.reservations import locks_on_money, money_of, release_hold, settle_hold, spent_in, take_hold
from server.store.schema import action_texts, actions, archived, holds, plan_steps
from server.store.sealed.audit import Audit, Entry
from server.store.searchable import searchable_row
from server.store.transactions.locks import Locks
from server.store.transactions.statements import Statement, is_one_of

_quotes = TypeAdapter(Quote)
_OPEN = [state.value for state in State if state.is_open]
_NOT_MADE = {State.DECLINED, State.EXPIRED, State.REFUSED}
_ACTION = Statement(select(actions).where(actions.c.id == bindparam("of_id")))
_ARCHIVED = Statement(select(archived.c.archive, archived.c.principal).where(archived.c.id == bindparam("of_id")))
_OPEN_ACTION = Statement(
    select(actions).where(actions.c.digest == bindparam("of_digest"), is_one_of(actions.c.state, _OPEN))
)
_ANSWERED = Statement(
    select(actions).where(
        actions.c.digest == bindparam("of_digest"),
        is_one_of(actions.c.state, [State.DONE, State.DECLINED]),
        (actions.c.finished_at >= bindparam("since")) | (actions.c.decided_at >= bindparam("since")),
    )
)
_OF_SERVER = (
    (actions.c.digest == bindparam("of_digest"))
    & actions.c.due_at.is_not(None)
    & is_one_of(actions.c.state, [State.DONE, State.REFUSED, State.EXPIRED])
)
_NEWS = Statement(select(actions).where(_OF_SERVER, actions.c.decided_at >= bindparam("since")))
_TAKE_NEWS = Statement(update(actions).where(_OF_SERVER).values(due_at=None))
_ADD = Statement(insert(actions))
_ADD_TEXT = Statement(insert(action_texts))
_AUDITED = ("decided_by", "outcome", "up_to", "decline_reason")
_BOOKED = Statement(
    select(holds.c.billionths, holds.c.currency, plan_steps.c.plan_id, plan_steps.c.position)
    .select_from(actions)
    .outerjoin(holds, holds.c.action_id == actions.c.id)
    .outerjoin(plan_steps, plan_steps.c.action_id == actions.c.id)
    .where(actions.c.id == bindparam("of_id"))
)


class StoredJournal:
    """Implements `guard.journal.Journal`; every method raises `JournalUnavailable` if the store cannot be used."""

    def __init__(self, database: Database, audit: Audit, receipts: StoredReceipts) -> None:
        self._database = database
        self._audit = audit
        self._receipts = receipts

    async def propose(self, action: Action, *, decided: Mapping[str, Any] | None = None) -> Action:
        """Store a new action and its audit row, or return the one that is open for the same digest.

        With `decided` it is stored as approved, with an audit row for that, too.
        """
        stored = replace(action, state=State.APPROVED, **decided) if decided is not None else action

        def store(entry: Entry) -> Action:
            already = find_open(entry.connection, action.digest)
            if already is not None:
                return already
            _ADD.run(entry.connection, row_of(stored))
            make_searchable(entry.connection, stored)
            self._log(entry, action, request_detail(action))
            if decided is not None:
                self._log(entry, stored, _audited(decided))
            return stored

        locks = Locks.on(f"call {action.digest}")
        return await self._audit.write(store, needs_whole_log=True, locks=locks)

    async def find(self, action_id: str) -> Action | None:
        """Return the action with this id, or None."""
        rows = await self._database.find(_ACTION, {"of_id": action_id})
        return action_of(rows[0]) if rows else None

    async def find_archived(self, subject_id: str) -> ArchivedAction | None:
        """Return where an archived action or plan of this id is; None if it is not archived."""

        def look(connection: Connection) -> ArchivedAction | None:
            row = _ARCHIVED.first(connection, {"of_id": subject_id})
            if row is None:
                return None
            files, number = self._audit.archived(connection).files, int(row["archive"])
            if not 0 < number <= len(files):
                return None
            return ArchivedAction(subject_id, row["principal"], files[number - 1].name)

        return await self._database.read(look)

    async def find_open(self, digest: str) -> Action | None:
        """Return the action that is open for this digest, or None.

        A new call begins with this, so it is refused here if rows of the audit log are missing.
        """

        def look(connection: Connection) -> Action | None:
            self._audit.require_whole_log(connection)
            return find_open(connection, digest)

        return await self._database.read(look, as_of_now=True)

    async def last_answered(self, digest: str, since: datetime) -> Action | None:
        """Return the last action of this digest that was carried out or declined since then, or None."""
        rows = await self._database.find(_ANSWERED, {"of_digest": digest, "since": since})
        found = [action_of(row) for row in rows]
        return max(found, key=lambda action: action.finished_at or action.decided_at or since, default=None)

    async def take_news(self, digest: str, since: datetime) -> Action | None:
        """Return, once, the action of this digest that the server carried out or closed since then by itself.

        Whoever asked for it knows then; the next call of the same is a new one.
        """
        which = {"of_digest": digest, "since": since}
        if not await self._database.find(_NEWS, which):
            return None

        def take(connection: Connection) -> Action | None:
            found = [action_of(row) for row in _NEWS.all(connection, which)]
            _TAKE_NEWS.run(connection, {"of_digest": digest})
            return max(found, key=lambda action: action.decided_at or since, default=None)

        return await self._database.write(take)

    async def move(self, action_id: str, allowed: Collection[State], to: State, **changes: Any) -> Action | None:
        """Move an action from one of the allowed states, and return it; None if it is in none of them.

        Its hold is settled when it is done, and released when it was refused.
        """

        def change(entry: Entry) -> Action | None:
            moved = self._change(entry.connection, action_id, allowed, to, changes)
            if moved is not None:
                if to in {State.DONE, State.REFUSED}:
                    release_hold(entry.connection, action_id, to="settled" if to is State.DONE else "released")
                self._log(entry, moved, _audited(changes))
            return moved

        return await self._audit.write(change, needs_whole_log=to is State.APPROVED, locks=Locks.on())

    async def approve_by_operator(self, approval: Approval, demand: Demand, **changes: Any) -> Action | None:
        """Record an operator's yes to an action that waits, and approve it once as many have as are demanded.

        Returns the action, which still waits while others are missing; None if it does not wait any more.

        Raises:
            MayNotApprove: The operator is disabled, or approved it before.
        """

        def approve(entry: Entry) -> Action | None:
            connection, about = entry.connection, approval.statement.about
            waits = (actions.c.id == about) & (actions.c.state == State.PROPOSED.value)
            if (
                connection.execute(select(actions.c.id).where(waits, actions.c.expires_at > approval.at)).first()
                is None
            ):
                return None
            add_approval(connection, approval)
            given = approvals_of(connection, about)
            names = [one.operator.name for one in given]
            so_far: dict[str, Any] = {"approvers": names, "approvers_needed": demand.people}
            if demand.missing(names):
                row = connection.execute(update(actions).where(waits).values(so_far).returning(*actions.c))
                waiting = action_of(row.mappings().one())
                principal, detail = waiting.principal, detail_of(approval)
                row_of_audit = self._audit.append(
                    entry, ONE_APPROVAL, action_id=about, principal=principal, detail=detail, about=waiting
                )
                self._receipts.add(entry, row_of_audit, content_of_action(waiting, Booked(), approval))
                return waiting
            decided = {"decided_by": decided_by(given), "decided_at": approval.at, **so_far, **changes}
            return self._move(entry, about, {State.PROPOSED}, State.APPROVED, decided, approval=approval)

        return await self._audit.write(approve, needs_whole_log=True)

    async def approvals_of(self, about: str) -> Sequence[Approval]:
        """Return what operators who are still enabled approved of an action or plan, oldest first."""
        return await self._database.read(lambda connection: approvals_of(connection, about))

    async def approve_by_allowance(self, action: Action, cover: Cover, at: datetime) -> Action | None:
        """Approve an action that waits under the first allowance with room, and count it there, in one transaction.

        None if it does not wait any more, or no allowance that stands at that time has room for it.
        """

        def approve(entry: Entry) -> Action | None:
            taken = take_use(entry.connection, action, cover, at)
            if taken is None:
                return None
            changes = {"decided_by": approver([taken]), "decided_at": at}
            approved = self._move(entry, action.id, {State.PROPOSED}, State.APPROVED, changes, in_time_at=at)
            if approved is None:
                release_use(entry.connection, action.id)
            return approved

        return await self._audit.write(approve, needs_whole_log=True)

    async def begin(self, action_id: str, *, hold: Hold, caps: Sequence[Cap], at: datetime) -> Action | None:
        """Take the approval, hold the money and mark the action as being sent, in one transaction.

        Returns None if the action is not approved, or no longer valid at that time.

        Raises:
            OverBudget: A cap leaves no room.
            Frozen: The operator froze every guarded action.
            AllowanceGone: It was approved under an allowance that was revoked meanwhile, or is over.
        """

        def take_approval(entry: Entry) -> Action | None:
            connection = entry.connection
            if get_value(connection, FROZEN) is not None:
                raise Frozen("The operator froze every guarded action; nothing was sent.")
            if hold.amount is not None:
                require_room(spent_in(connection, caps, at), hold.amount)
            changes = {"sent_at": at, "owner": this_process()}
            begun = self._change(connection, action_id, {State.APPROVED}, State.SENDING, changes, in_time_at=at)
            if begun is None:
                return None
            if (allowance_id := allowance_of(begun.decided_by)) is not None:
                require_standing(connection, allowance_id, at)
            if hold.amount is not None:
                take_hold(connection, action_id, hold.provider, hold.amount, at, account=hold.account)
            self._log(entry, begun, _audited(changes))
            return begun

        return await self._audit.write(take_approval, needs_whole_log=True, locks=locks_on_money(hold, caps))

    async def settle(self, action_id: str, hold: Hold) -> None:
        """Replace the amount held for an action by the amount spent."""

        def replace_amount(connection: Connection) -> None:
            settle_hold(connection, action_id, hold)
            settle_use(connection, action_id, hold.amount)

        await self._database.write(replace_amount, locks=locks_on_money(hold))

    async def spent(self, caps: Sequence[Cap], now: datetime) -> list[Spent]:
        """Return what is held and settled in the window of each cap, by calendar days in UTC."""
        return await self._database.read(lambda connection: spent_in(connection, caps, now), at_one_moment=False)

    async def abandoned(self, before: datetime) -> list[Action]:
        """Return the actions being sent whose process has ended.

        Where that cannot be checked, return those that were sent before `before`.
        """
        query = select(actions).where(actions.c.state == State.SENDING.value)
        return [action_of(row) for row in await self._database.fetch(query) if _is_abandoned(row, before)]

    async def latest(
        self,
        limit: int,
        *,
        states: Collection[State] | None = None,
        principal: str | None = None,
        skip: int = 0,
    ) -> list[Action]:
        """Return up to `limit` actions, newest first, filtered by state and by principal where given.

        `skip` is how many of the newest are left out, as on the second page of a list.
        """
        query = select(actions).order_by(actions.c.created_at.desc()).limit(limit).offset(skip)
        if states is not None:
            query = query.where(actions.c.state.in_([state.value for state in states]))
        if principal is not None:
            query = query.where(actions.c.principal == principal)
        return [action_of(row) for row in await self._database.fetch(query)]

    async def note(self, event: str, *, action_id: str | None, principal: str, detail: Mapping[str, Any]) -> None:
        """Add a decision that moved no action to the audit log."""
        await self._audit.note(event, action_id=action_id, principal=principal, detail=detail)

    async def is_frozen(self) -> bool:
        """Return True if the operator froze every guarded action."""
        frozen = await self._database.read(lambda connection: get_value(connection, FROZEN), at_one_moment=False)
        return frozen is not None

    def _move(
        self,
        entry: Entry,
        action_id: str,
        allowed: Collection[State],
        to: State,
        changes: Mapping[str, Any],
        *,
        in_time_at: datetime | None = None,
        approval: Approval | None = None,
    ) -> Action | None:
        """Move an action, with its audit row."""
        moved = self._change(entry.connection, action_id, allowed, to, changes, in_time_at=in_time_at)
        if moved is not None:
            self._log(entry, moved, _audited(changes) | dict(detail_of(approval) if approval else {}), approval)
        return moved

    def _change(
        self,
        connection: Connection,
        action_id: str,
        allowed: Collection[State],
        to: State,
        changes: Mapping[str, Any],
        *,
        in_time_at: datetime | None = None,
    ) -> Action | None:
        """Change the state of an action; `in_time_at` is when it must still be valid, where that matters.

        Its audit row comes last in the transaction, because all writers wait for the end of the audit log.
        """
        moving = _move_from(frozenset(allowed), in_time=in_time_at is not None)
        which: dict[str, Any] = {"of_id": action_id} | ({"moved_at": in_time_at} if in_time_at is not None else {})
        row = moving.first(connection, {"state": to.value, **_stored(changes), **which})
        if row is None:
            return None
        moved = action_of(row)
        if to in _NOT_MADE and is_allowance(moved.decided_by):
            release_use(connection, action_id)
        return moved

    def _log(self, entry: Entry, action: Action, detail: Mapping[str, Any], approval: Approval | None = None) -> None:
        """Add the audit row of an action, and its receipt where its state has one."""
        row = self._audit.append(
            entry, action.state.value, action_id=action.id, principal=action.principal, detail=detail, about=action
        )
        if action.state in OF_ACTION:
            booked = _booked(entry.connection, action.id) if action.state in ENDS else Booked()
            self._receipts.add(entry, row, content_of_action(action, booked, approval))


@cache
def _move_from(allowed: frozenset[State], *, in_time: bool) -> Statement:
    """Return the statement that changes an action in one of these states, and only one that is valid still."""
    moving = update(actions).where(actions.c.id == bindparam("of_id"), is_one_of(actions.c.state, sorted(allowed)))
    if in_time:
        moving = moving.where(actions.c.expires_at > bindparam("moved_at"))
    return Statement(moving.returning(*actions.c))


def _audited(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log says of changes of an action."""
    quote = changes.get("quote")
    said = dict(changes) | ({"up_to": str(quote.up_to)} if isinstance(quote, Quote) and quote.up_to else {})
    return {name: said[name] for name in _AUDITED if said.get(name)}


def _is_abandoned(row: RowMapping, before: datetime) -> bool:
    """Return True if the owning process is dead, or, where that cannot be checked, if it sent before `before`."""
    gone = is_gone(row["owner"])
    return row["sent_at"] < before if gone is None else gone


def request_detail(action: Action) -> Mapping[str, Any]:
    """Return what the audit log says of a call that is requested."""
    price = str(action.quote.amount) if action.quote.amount else action.quote.unknown or "none"
    facts = {"operation": action.operation, "account": action.account, "digest": action.digest}
    facts |= {"account_name": action.made_on} if action.made_on != action.provider else {}
    facts |= {"reason": action.reason} if action.reason else {}
    return {**facts, "arguments": action.arguments, "price": price, "channel": action.channel}


def _booked(connection: Connection, action_id: str) -> Booked:
    """Return what is booked for an action, and the step of a plan that it carried out."""
    row = _BOOKED.first(connection, {"of_id": action_id})
    if row is None:
        return Booked()
    booked = money_of(row["billionths"], row["currency"]) if row["currency"] else None
    return Booked(booked, row["plan_id"], row["position"])


def find_open(connection: Connection, digest: str) -> Action | None:
    """Return the action that is open for a digest, or None."""
    row = _OPEN_ACTION.first(connection, {"of_digest": digest})
    return action_of(row) if row else None


def row_of(action: Action) -> dict[str, Any]:
    """Return an action as a row of its table."""
    quoted = _quotes.dump_python(action.quote, mode="json")
    return asdict(action) | {"quote": quoted, "state": action.state.value, "arguments": dict(action.arguments)}


def make_searchable(connection: Connection, action: Action) -> None:
    """Store what a search finds an action by."""
    row = searchable_row(
        action_id=action.id,
        created_at=action.created_at,
        operation=action.operation,
        title=action.title,
        arguments=action.arguments,
    )
    _ADD_TEXT.run(connection, row)


def _stored(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return changes of an action as its columns hold them."""
    quote = changes.get("quote")
    return changes if quote is None else {**changes, "quote": _quotes.dump_python(quote, mode="json")}


def action_of(row: RowMapping | Mapping[str, Any]) -> Action:
    """Return the action of a row."""
    values: dict[str, Any] = {name: value for name, value in row.items() if name != "owner"}
    values["quote"] = _quotes.validate_python(values["quote"])
    values["state"] = State(values["state"])
    values["approvers"] = tuple(values["approvers"])
    return Action(**values)
