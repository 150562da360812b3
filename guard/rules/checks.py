"""Pre-flight checks of one call: they refuse it or make the decision stricter, never milder."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clients.effects import Effect
from clients.operation import Operation, is_dry_run
from clients.phone_numbers import valid_form
from clients.telemetry.spans import traced
from guard.action import Principal, arguments_of
from guard.dependencies import CheckDependencies
from guard.errors import Denied, Frozen
from guard.injection.taint import OutsideSource, texts_in
from guard.money import Money
from guard.operators.demand import NO_DEMAND, Demand, PricedCall
from guard.rules.budget import Room, applicable, require_room, room_in
from guard.rules.compliance import check_opt_outs, unclear_wish_note
from guard.rules.departure import departure_notes
from guard.rules.policy import Decision
from guard.rules.quote import Quote
from guard.rules.recipients import Recipients, later_members_note
from guard.rules.repetition import Repetition

_NUMBER = re.compile(r"\+?[0-9]{7,15}")


@dataclass(frozen=True, slots=True)
class Assessment:
    """The decision after every check, and notes for whoever approves."""

    decision: Decision
    notes: tuple[str, ...] = ()
    demanded: Decision = Decision.ALLOW
    """The strictest that this very call demands, whatever policy says of its kind. No allowance reaches over it."""

    room: tuple[Room, ...] = ()
    """What the caps leave that its price counts against; none where that is not known."""

    found: Decision = Decision.ALLOW
    """The part of `demanded` that no rule decides, but what was read about the call: it stays under other rules."""

    approvers_needed: int = 1
    """How many different operators have to approve it."""

    def demanding(self, decision: Decision, *notes: str) -> "Assessment":
        """Return the same assessment where something about this very call demands a decision, with notes on why."""
        stricter, demanded = max(self.decision, decision), max(self.demanded, decision)
        return replace(self, decision=stricter, notes=(*self.notes, *notes), demanded=demanded)

    def finding(self, decision: Decision, *notes: str) -> "Assessment":
        """Do as `demanding`, where what was read about the call demands it, whatever the rules."""
        return replace(self.demanding(decision, *notes), found=max(self.found, decision))


class Checks:
    """Pre-flight checks: frozen, policy, destinations, budget, duplicates, bulk, text from outside."""

    def __init__(self, dependencies: CheckDependencies) -> None:
        self._journal = dependencies.journal
        self._rules = dependencies.rules
        self._optouts = dependencies.optouts
        self._taint = dependencies.taint
        self._own_numbers = dependencies.own_numbers
        self._clock = dependencies.clock
        self._sent_at = dependencies.sent_at
        self._commands = dependencies.commands
        self._repetition = Repetition(dependencies)

    async def refuse_early(self, operation: Operation[Any], account: str) -> None:
        """Refuse what no answer could allow on an account, before the provider is asked for a price.

        Raises:
            Frozen, Denied, DestinationRefused: The call may not be made.
        """
        spec = operation.spec
        if await self._journal.is_frozen():
            raise Frozen("The operator froze every guarded action; nothing was sent.")
        ruling = self._rules.policy_at(account).ruling(spec)
        if ruling.decision is Decision.DENY:
            raise Denied(f"{spec.title} is forbidden by the operator's policy ({ruling.rule}); nothing was sent.")
        await self.refuse_numbers(operation, operation.destinations())

    async def refuse_numbers(self, operation: Operation[Any], numbers: Sequence[str]) -> None:
        """Refuse a call that reaches somebody it may not reach.

        Raises:
            DestinationRefused: One of the numbers may not be called or texted, or not when this goes out.
        """
        self._rules.destinations.check(numbers)
        await self.refuse_recipients(operation, numbers)

    async def refuse_members(self, operation: Operation[Any], found: Recipients) -> None:
        """Refuse a paid call that reaches, through a group or list, somebody it may not reach.

        Raises:
            DestinationRefused: One of the members may not be called or texted, or not when this goes out.
        """
        if Effect.PAID in operation.spec.effect:
            await self.refuse_numbers(operation, found.numbers)

    async def refuse_recipients(self, operation: Operation[Any], numbers: Sequence[str]) -> None:
        """Refuse a paid call to somebody who opted out or for whom it is night when it goes out.

        Raises:
            DestinationRefused: It reaches such a number.
        """
        if numbers and Effect.PAID in operation.spec.effect:
            now = self._sent_at or self._clock.now()
            for moment in operation.scheduled_at() or (now,):
                self._rules.compliance.check_hour(numbers, max(moment, now))
            await check_opt_outs(numbers, self._optouts)

    @traced("guard: check rules and caps")
    async def assess(
        self,
        operation: Operation[Any],
        account: str,
        audience: Recipients,
        priced: Quote,
        same_call: Sequence[str],
        principal: Principal,
        *,
        from_record: bool = False,
        reserved: Money | None = None,
    ) -> Assessment:
        """Decide about a call that may be made on an account, with notes on what makes the decision stricter.

        `same_call` are its digest and those of the same call with a telephone written otherwise. `from_record` is true
        for the undo of an action: its arguments come from the record, so none of them is text from outside. `reserved`
        is money that is set aside for the call already.

        Raises:
            OverBudget, Denied: It is too expensive, or its price cannot be known and policy refuses that.
        """
        is_dry = is_dry_run(operation)
        policy = self._rules.policy_at(account)
        by_price, why, room = await self._price(operation, account, priced, reserved)
        found = Assessment(
            policy.decide_dry_run(operation.spec) if is_dry else policy.decide(operation.spec), room=room
        )
        for stricter, note in (
            (by_price, why),
            (Decision.ALLOW, "") if is_dry else await self._repetition.check(operation, same_call),
            (Decision.ALLOW, "") if is_dry else self._bulk(operation, audience, priced.recipients),
        ):
            found = found.demanding(stricter, *([note] if note else []))
        for stricter, note in (
            (Decision.ALLOW, "") if from_record else await self._text_from_outside(operation, principal),
            await self._unclear_wishes(operation, audience),
        ):
            found = found.finding(stricter, *([note] if note else []))
        if (demand := self._demand(operation, account, priced)).is_special:
            found = replace(found.demanding(Decision.PAGE, demand.in_words), approvers_needed=demand.people)
        later = later_members_note(operation)
        notes = departure_notes(operation.scheduled_at(), (*operation.destinations(), *audience.numbers))
        return found.demanding(Decision.ALLOW, *([later] if later else []), *notes)

    def ask_without_undo(self, operation: Operation[Any], before: Any, assessment: Assessment) -> Assessment:
        """Ask about a plain write if the state before it, as it was read, leads to no call that restores it.

        What undoes the making of something is known by its answer only, so a write without a state before stays as
        policy decided it.
        """
        if not operation.spec.effect.is_plain_write or operation.before() is None:
            return assessment
        undo = operation.undo(before, None)
        if undo.verdict == "full":
            return assessment
        note = f"This cannot be undone completely: {undo.lost}"
        return assessment.finding(Decision.ASK, note)

    def _demand(self, operation: Operation[Any], account: str, priced: Quote) -> Demand:
        """Return what an approval of the call needs by itself; a plan may need more."""
        if operation.spec.effect.is_plain_read or is_dry_run(operation):
            return NO_DEMAND
        return self._rules.approvers.demand([PricedCall(operation.spec, account, priced.most)])

    async def _price(
        self, operation: Operation[Any], account: str, priced: Quote, reserved: Money | None
    ) -> tuple[Decision, str, tuple[Room, ...]]:
        provider = operation.spec.provider.name
        if priced.costs_nothing:
            return Decision.ALLOW, "", ()
        most = priced.most
        if most is None:
            return *self._unpriced(operation, account, priced), ()
        caps = applicable(self._rules.caps, provider, account, most.currency)
        if not caps and self._rules.caps_money_at(provider, account):
            return *self._uncapped(most), ()
        spent = await self._journal.spent(caps, self._clock.now())
        require_room(spent, most, reserved=reserved)
        return Decision.ALLOW, "", room_in(spent)

    def _unpriced(self, operation: Operation[Any], account: str, priced: Quote) -> tuple[Decision, str]:
        """Decide about a call whose price nobody knows and for which nobody named the most that it may cost."""
        provider = operation.spec.provider.name
        decision = self._rules.for_unknown_price(provider, account)
        if decision is Decision.DENY:
            raise Denied(
                f"The price is unknown ({priced.unknown}), and an unknown price is refused; nothing was sent. "
                f"The operator can set a worst case in [prices] for {operation.spec.tool_name}."
            )
        if self._rules.needs_bound(provider, account):
            return decision, "A budget cap applies, so whoever approves this names the most that it may cost."
        return decision, "No budget cap can hold this call, because its price is unknown."

    def _uncapped(self, amount: Money) -> tuple[Decision, str]:
        """Decide about a price in a currency that no cap is in: an argument of the call may have named it."""
        decision = self._rules.for_uncapped_price()
        if decision is Decision.DENY:
            raise Denied(
                f"This costs {amount}, and no budget cap is in {amount.currency}; nothing was sent. "
                f"The operator can add a [[budget]] with currency {amount.currency}."
            )
        return decision, f"No budget cap can hold this call, because none is in {amount.currency}."

    async def _unclear_wishes(self, operation: Operation[Any], audience: Recipients) -> tuple[Decision, str]:
        """Have a person look at a paid call to somebody who may have wanted no more of them."""
        numbers = (*operation.destinations(), *audience.numbers)
        if not numbers or Effect.PAID not in operation.spec.effect:
            return Decision.ALLOW, ""
        note = self._commands.complete(await unclear_wish_note(numbers, self._optouts))
        return (Decision.ASK if note else Decision.ALLOW), note

    def _bulk(self, operation: Operation[Any], audience: Recipients, touched: int | None) -> tuple[Decision, str]:
        if touched is None:
            return Decision.PAGE, (
                f"NOT EVERY RECIPIENT COULD BE CHECKED: {audience.unknown}. How many they are, where they are and who "
                "opted out is not known."
            )
        if touched <= self._rules.compliance.bulk_limit or operation.spec.effect.is_plain_read:
            shown = (
                f"This reaches {_numbers(touched)}, members of groups and lists included." if audience.numbers else ""
            )
            return Decision.ALLOW, shown
        return Decision.PAGE, f"This touches {_numbers(touched)} or recipients at once."

    async def _text_from_outside(self, operation: Operation[Any], principal: Principal) -> tuple[Decision, str]:
        if operation.spec.effect.is_plain_read:
            return Decision.ALLOW, ""
        arguments = arguments_of(operation)
        ours = _ours(operation.destinations(), arguments)
        found = await self._taint.found_in(principal, arguments, ours=ours)
        if found and Effect.PAID not in operation.spec.effect:
            own = await self._own_among(texts_in([arguments[name] for name in found if name in arguments]))
            found = await self._taint.found_in(principal, arguments, ours=[*ours, *own]) if own else found
        return (Decision.ASK, _outside_note(found)) if found else (Decision.ALLOW, "")

    async def _own_among(self, texts: Iterable[str]) -> list[str]:
        """Return the texts that are nothing but a number of ours."""
        numbers = {text: number for text in texts if _NUMBER.fullmatch(text) and (number := _e164(text)) is not None}
        if not numbers:
            return []
        own = await self._own_numbers.find(numbers.values())
        return [text for text, number in numbers.items() if number in own]


def _e164(text: str) -> str | None:
    return valid_form(text if text.startswith("+") else f"+{text}")


def _numbers(count: int) -> str:
    return f"{count} number{'' if count == 1 else 's'}"


def _outside_note(found: Mapping[str, OutsideSource]) -> str:
    """Name the arguments that repeat text from outside, and where each text was read."""
    by_source: dict[OutsideSource, list[str]] = {}
    for name, source in found.items():
        by_source.setdefault(source, []).append(f"`{name}`")
    parts = [
        f"{' and '.join(names)} {'repeats' if len(names) == 1 else 'repeat'} text from outside, "
        f"read with {source.tool} on {source.at:%Y-%m-%d at %H:%M} UTC"
        for source, names in by_source.items()
    ]
    return f"{'; '.join(parts)}. Did you ask for it?"


def _ours(destinations: Collection[str], arguments: Mapping[str, Any]) -> list[str]:
    """Of a call that goes somewhere, the numbers that it does not go to: those it is made from, or about."""
    if not destinations:
        return []
    values = [value for value in arguments.values() if isinstance(value, str) and _NUMBER.fullmatch(value)]
    return [value for value in values if value not in destinations]
