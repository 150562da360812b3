"""Which calls an allowance may be for at all, what is wrong with its terms, and which arguments fit them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Final, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from clients.effects import Effect
from clients.fields import is_filled_by_server
from clients.operation import Operation, OperationType
from guard.action import arguments_of
from guard.allowances.allowance import Terms
from guard.allowances.conditions import HOW_TO_WRITE, Condition, Relation
from guard.errors import GuardRefusal
from guard.plans.references import why_not

LONGEST: Final = timedelta(days=366)
"""How long an allowance may last: nobody remembers for longer what was allowed."""

MOST_COUNT: Final = 100_000
"""The largest count of a window."""

MOST_VALUES: Final = 5000
"""How many values `one of` may have; every call is compared with all of them."""

_KINDS: Final = ("local", "token", "oauth")


class BadTerms(GuardRefusal):
    """The terms of an allowance do not fit its operation. The message names every fault; nothing was saved."""

    advice = "Correct what is named."

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["The allowance was not saved.", *(f"- {fault}" for fault in faults)]))


@dataclass(frozen=True, slots=True)
class Fitness:
    """What one store and one account let conditions ask for."""

    keeps_texts_days: int | None = None
    """For how many days the texts that come in are kept; None where they are kept for good."""

    groups_at: Collection[str] = ()
    """Names of the providers of which groups can be looked up."""


def why_never(operation: OperationType) -> str | None:
    """Return why no allowance may be for an operation; None where one may."""
    spec = operation.spec
    if spec.effect.is_plain_read:
        return f"{spec.tool_name} only reads, so nobody is asked about it."
    if spec.irreversible:
        return f"{spec.tool_name} cannot be undone, so every call of it is approved by itself."
    if Effect.PRIVILEGED in spec.effect:
        return f"{spec.tool_name} touches credentials, access or consent, so every call of it is approved by itself."
    return None


def arguments_in(operation: OperationType) -> dict[str, FieldInfo]:
    """Return the arguments that a caller gives, by name: all but what the server fills in."""
    return {name: field for name, field in operation.model_fields.items() if not is_filled_by_server(field)}


def check_terms(operation: OperationType, terms: Terms, now: datetime, fitness: Fitness) -> Terms:
    """Return the terms with every value in the form in which a call has it.

    Raises:
        BadTerms: They do not fit the operation; the error names every fault.
    """
    if why := why_never(operation):
        raise BadTerms([why])
    faults = [*_faults_of_terms(operation, terms, now), *_unbound(operation, terms)]
    conditions: list[Condition] = []
    for condition in terms.conditions:
        try:
            conditions.append(_normalize(operation, condition, fitness))
        except ValueError as wrong:
            faults.append(str(wrong))
    if faults:
        raise BadTerms(faults)
    return replace(terms, conditions=tuple(conditions))


def left_out(operation: OperationType, terms: Terms) -> list[str]:
    """Return the arguments that a call has to leave out, because no condition names them."""
    named = {condition.argument for condition in terms.conditions}
    return [name for name in arguments_in(operation) if name not in named]


def needs_lookup(call: Operation[Any], terms: Terms) -> list[tuple[Condition, tuple[str, ...]]]:
    """Return the conditions whose numbers have to be looked up for a call, each with the call's own numbers."""
    arguments = arguments_of(call)
    return [
        (condition, tuple(_texts(arguments.get(condition.argument))))
        for condition in terms.conditions
        if condition.relation in {Relation.TEXTED_US, Relation.IN_GROUP}
    ]


def fits(call: Operation[Any], terms: Terms, known: Mapping[Condition, Collection[str]]) -> bool:
    """Return True if every argument of a call is as the terms demand, or is left out where they do not name it.

    `known` are the numbers that were looked up, by the condition that wants them.
    """
    arguments = arguments_of(call)
    conditions = {condition.argument: condition for condition in terms.conditions}
    for name in type(call).model_fields:
        condition = conditions.get(name)
        if condition is not None:
            if not condition.fits(arguments.get(name), known.get(condition, ())):
                return False
        elif not is_left_out(call, name):
            return False
    return conditions.keys() <= type(call).model_fields.keys()


def is_left_out(call: Operation[Any], name: str) -> bool:
    """Return True if an argument of a call is as it is where nobody gives it, or is filled in by the server always."""
    field, value = type(call).model_fields[name], getattr(call, name)
    if field.is_required():
        return is_filled_by_server(field)
    default = field.get_default(call_default_factory=True, validated_data={})
    return type(value) is type(default) and bool(value == default)


def _faults_of_terms(operation: OperationType, terms: Terms, now: datetime) -> Iterator[str]:
    kind, _, name = terms.principal.partition(":")
    if kind not in _KINDS or not name.strip():
        yield (
            f"{terms.principal[:60]!r} names nobody who asks: write token:NAME for a token's holder, "
            "'oauth:ISSUER SUBJECT' for an account of the company's, or local:USER."
        )
    if terms.until <= now:
        yield f"It would be over: {terms.until:%Y-%m-%d %H:%M} UTC is not in the future."
    if terms.until > now + LONGEST:
        yield f"It lasts for {LONGEST.days} days at most; {terms.until:%Y-%m-%d} is later."
    if not 1 <= terms.count.most <= MOST_COUNT:
        yield f"A count is 1 to {MOST_COUNT}."
    if terms.money is None and Effect.PAID in operation.spec.effect:
        yield f"{operation.spec.tool_name} costs money: say how much in a day, a month or in all, such as 1.00 USD/day."
    named = [condition.argument for condition in terms.conditions]
    for twice in sorted({name for name in named if named.count(name) > 1}):
        yield f"{twice} has several conditions: an argument has one."


def _unbound(operation: OperationType, terms: Terms) -> Iterator[str]:
    """Yield the arguments that every call has and no condition names, with what each of them may decide."""
    named = {condition.argument for condition in terms.conditions}
    for name, field in arguments_in(operation).items():
        if field.is_required() and name not in named:
            decides = why_not(operation, name) is not None
            why = "may decide whom a call reaches, what it does or what it costs" if decides else "says what it acts on"
            yield f"{name} {why}: bind it, or write `{name} any` if every value is meant."


def _normalize(operation: OperationType, condition: Condition, fitness: Fitness) -> Condition:
    """Return a condition with its values as a call has them.

    Raises:
        ValueError: No call can be as it demands. The message says what is allowed.
    """
    name, relation = condition.argument, condition.relation
    arguments = arguments_in(operation)
    if name not in arguments:
        close = get_close_matches(name, list(arguments), n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(arguments) or 'none'}."
        raise ValueError(f"{operation.spec.tool_name} has no argument {name}; {hint}")
    field = arguments[name]
    if relation is Relation.ANY:
        return condition
    if relation is Relation.PREFIX:
        return _prefix(field, condition)
    if relation in {Relation.EQUALS, Relation.ONE_OF}:
        if len(condition.values) > MOST_VALUES:
            raise ValueError(f"{name}: `one of` takes {MOST_VALUES} values at most.")
        return replace(condition, values=tuple(_value(field, name, value) for value in condition.values))
    _require_lookup(operation, field, condition, fitness)
    return condition


def _require_lookup(operation: OperationType, field: FieldInfo, condition: Condition, fitness: Fitness) -> None:
    """Refuse a condition whose numbers nobody can look up.

    Raises:
        ValueError: They cannot be. The message says what is allowed.
    """
    name, kept = condition.argument, fitness.keeps_texts_days
    if not _takes_number(field):
        raise ValueError(f"{name} is no telephone number, so {condition.relation.value!r} cannot be asked of it.")
    if condition.relation is Relation.TEXTED_US and kept is not None and condition.values[0] > kept:
        raise ValueError(f"{name}: texts that come in are kept for {kept} days, so it can ask for no more.")
    if condition.relation is Relation.IN_GROUP and operation.spec.provider.name not in fitness.groups_at:
        known = ", ".join(sorted(fitness.groups_at)) or "no provider"
        raise ValueError(f"{name}: groups can be looked up of {known}; list the numbers with `one of`.")


def _value(field: FieldInfo, name: str, value: Any) -> Any:
    """Return a value as a call has it: of the argument itself, or of an entry where that is a list."""
    whole = _adapter(field.annotation, field.metadata)
    wrong: ValidationError | None = None
    for adapter in (whole, *(_adapter(entry, []) for entry in _entries(field.annotation))):
        for form in (value, *([str(value)] if isinstance(value, int | float) and not isinstance(value, bool) else [])):
            try:
                parsed = adapter.validate_python(form)
            except ValidationError as misfit:
                wrong = misfit if adapter is whole else wrong
            else:
                return adapter.dump_python(parsed, mode="json")
    rule = wrong.errors()[0]["msg"] if wrong else "it does not fit"
    raise ValueError(f"{name} can never be {str(value)[:60]!r}: {rule}.")


def _prefix(field: FieldInfo, condition: Condition) -> Condition:
    start = str(condition.values[0])
    if not start or not any(_is_text(one) for one in (field.annotation, *_entries(field.annotation))):
        raise ValueError(f"{condition.argument} is no text, so nothing begins it. {HOW_TO_WRITE}")
    if _takes_number(field) and not (start.startswith("+") and start[1:].isdigit()):
        raise ValueError(f"No {condition.argument} begins with {start[:20]!r}: numbers are written +12015550123.")
    return replace(condition, values=(start,))


def _adapter(annotation: Any, metadata: Sequence[Any]) -> TypeAdapter[Any]:
    made: Any = cast("Any", Annotated)[(annotation, *metadata)] if metadata else annotation
    adapter: TypeAdapter[Any] = TypeAdapter(made)
    return adapter


def _entries(annotation: Any) -> list[Any]:
    """Return the types of the entries of a list; none for any other type."""
    if get_origin(annotation) is list:
        return list(get_args(annotation))
    if hasattr(annotation, "__metadata__"):
        return _entries(get_args(annotation)[0])
    return [entry for part in get_args(annotation) for entry in _entries(part)]


def _is_text(annotation: Any) -> bool:
    return annotation is str or any(
        _is_text(part) for part in get_args(annotation) if get_origin(annotation) is not list
    )


def _takes_number(field: FieldInfo) -> bool:
    """Return True for an argument that takes telephone numbers: its form begins with a plus sign."""
    return any(_begins_with_plus(rule) for rule in (*field.metadata, *_rules(field.annotation)))


def _begins_with_plus(rule: Any) -> bool:
    if isinstance(rule, FieldInfo):
        return any(_begins_with_plus(inner) for inner in rule.metadata)
    return str(getattr(rule, "pattern", "") or "").startswith(r"^\+")


def _rules(annotation: Any) -> list[Any]:
    own = list(getattr(annotation, "__metadata__", ()))
    return [*own, *(rule for part in get_args(annotation) for rule in _rules(part))]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in cast("list[object]", value) if isinstance(one, str)] if isinstance(value, list) else []
