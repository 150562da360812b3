"""One call to a provider's endpoint: its arguments, its answer, how it is undone and how its outcome is verified.

    @acme.operation("POST", "/v1/orders", effect=Effect.PAID, toolset="numbers", docs="#orders",
                    idempotency_header="Idempotency-Key")
    class OrderNumbers(Operation[Order]):
        \"\"\"Order new telephone numbers and add them to the account.\"\"\"

        numbers: list[UsNumber] = Field(min_length=1, max_length=100)
        \"\"\"Numbers to buy, as found by acme_search_inventory.\"\"\"

The class docstring is the tool's description and the attribute docstrings are those of its parameters. An instance is
one validated call, which can be compared, digested, stored and sent. Everything else is derived.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from clients.effects import Charge
from clients.evidence import Evidence
from clients.fields import WIRE, require_in_order, secret_fields
from clients.questions.differences import Difference, differences, field_at
from clients.questions.subjects import NOBODY, Reach, write_subject
from clients.shared.inbound_texts import InboundText
from clients.spec import DeclaredModel, placeholders

R = TypeVar("R")
A = TypeVar("A")

TIME_RANGES: Final = (("since", "until"), ("start", "end"))
"""Fields that bound a time, the older first, whatever the provider calls them and in which order it wants them."""

CHECKED_ONLY: Final = "Checked only: nothing was done."


class Answer(BaseModel):
    """A provider's answer: unknown fields are ignored, and every field may be missing."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        alias_generator=to_camel,
        defer_build=True,
        hide_input_in_errors=True,  # an answer may hold a secret, and a traceback is logged
        coerce_numbers_to_str=True,  # identifiers and labels come as numbers from some servers
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, data: object) -> object:
        # A list without entries may arrive as null.
        if not isinstance(data, Mapping):
            return data
        fields = cast("Mapping[str, Any]", data)
        if None not in fields.values():
            return fields
        return {name: value for name, value in fields.items() if value is not None}

    def own_texts(self) -> frozenset[str]:
        """Name the fields whose text nobody outside wrote here, although it may elsewhere, such as a text sent out.

        They stand between markers all the same. A call that repeats them repeats nobody from outside.
        """
        return frozenset()


class Done(Answer):
    """The provider confirmed without saying more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Generic[A]):
    """How to find out whether a call happened when no answer came: a read, and what it shows."""

    read: "Operation[A]"

    check: "Callable[[A], Evidence | Verification[Any]]"
    """What the answer proves; or the next read, where this one is not enough."""

    if_absent: Evidence = Evidence.UNKNOWN
    """What it proves that the read finds nothing."""

    must_be_new: bool = False
    """True if the state before the call may have looked the same, so that `before`, the same read, must show that it
    did not: an older object like the new one, or something that was not there when it was to be removed."""

    check_before: Callable[[Any], Evidence] | None = None
    """What the answer to `before` proves of the state before the call, where `check` does not say that: YES if the call
    was not needed, NO if what it does was still to be done."""


@dataclass(frozen=True, slots=True)
class NumberForward:
    """A telephone number whose calls go to another one."""

    number: str | None
    """In E.164, or as the provider writes it; None where the call names it otherwise."""

    to: str
    """In the same form."""


@dataclass(frozen=True, slots=True)
class Precondition(Generic[A]):
    """What must be so before a call, by the provider's documents, and the read that shows it."""

    read: "Operation[A]"
    """Often the same as `before`, which is then read once."""

    fails: Callable[[A], str]
    """Why the state that was read makes the call impossible, as a sentence without its full stop; empty where it does
    not, or does not show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The compensating call, with verdict full, partial or none."""

    verdict: Literal["full", "partial", "none"]
    operation: "Operation[Any] | None" = None
    """None where there is no such call, and where nothing has to be undone."""

    lost: str = ""
    """What the compensating call does not restore, or why there is no such call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members(Generic[A]):
    """Recipients whose numbers a read shows. A read in pages has a `cursor` and is read to its end."""

    read: "Operation[A]"

    numbers: Callable[[A], Iterable[str | None]]
    """Their numbers in E.164; None for one whose number the answer does not show. Every call counts them, and a paid
    call checks them against the rules for destinations."""

    fixed_at: Literal["call", "departure"] | None = None
    """When the provider fixes who they are, where the send is scheduled; None where no document says so."""


@dataclass(frozen=True, slots=True)
class UnresolvableRecipients:
    """Recipients whose numbers no read shows before the call."""

    reason: str
    """Why, as the end of a sentence: `a dialplan that is fetched may dial any number`."""


class Operation(DeclaredModel, Generic[R]):
    """One validated call to one endpoint. `R` is the type of its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    sets: ClassVar[Mapping[str, str]] = {}
    """The field of `before` that an argument sets, by dotted name, where it is not the one of the same name."""

    @model_validator(mode="after")
    def _times_are_in_order(self) -> Self:
        # Without a sentence of its own: the bounds say which of them is the older one.
        fields = type(self).model_fields
        for older, newer in TIME_RANGES:
            if older in fields and newer in fields:
                require_in_order(older, getattr(self, older), newer, getattr(self, newer))
        return self

    def describe(self, before: Any = None, reach: Reach = NOBODY) -> str:
        """Return the sentence that says what exactly this call does, from the template of its declaration.

        `before` is the answer to the read of that name, None where it was not read.
        """
        if not self.spec.subject:
            return f"{self.spec.title} at {self.spec.provider.title}"
        known = before if isinstance(before, BaseModel) else None
        sentence = write_subject(self.spec.subject, self, before=known, reach=reach)
        return f"Check only, without doing it: {sentence}" if is_dry_run(self) else sentence

    def charge(self) -> Charge | None:
        """Return what this call spends; every paid operation overrides it."""
        return None

    def before(self) -> "Operation[Any] | None":
        """Return the read that captures the state this call will change."""
        return None

    def preconditions(self) -> tuple[Precondition[Any], ...]:
        """Return what makes this call impossible, so that nobody is asked about a call that cannot be made."""
        return ()

    def undo(self, before: Any, answer: Any) -> Undo:
        """Return the call that undoes this one.

        `before` is the answer to the read of that name, None where it was not read; `answer` is what this call brought.
        """
        return Undo(verdict="none", lost="The provider has no call that undoes this.")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        """How to find out whether this call, sent at that time, happened when no answer came."""
        return None

    def destinations(self) -> tuple[str, ...]:
        """Telephone numbers that this call dials, texts or sends traffic to, in E.164."""
        return ()

    def forwards(self, before: Any) -> tuple[NumberForward, ...]:
        """Return which numbers of ours this call forwards to which telephone numbers.

        `before` is the answer to the read of that name, None where it was not read.
        """
        return ()

    def members(self) -> tuple[Members[Any] | UnresolvableRecipients, ...]:
        """Recipients that this call names by group, list or reference instead of by number."""
        return ()

    def scheduled_at(self) -> tuple[datetime, ...]:
        """When the provider sends what this call schedules; empty if it sends at once."""
        return ()

    def recipient_count(self) -> int:
        """How many numbers or recipients this call touches: the length of its longest list, at least one."""
        values = [getattr(self, name) for name in type(self).model_fields]
        return max([1, *(len(cast("list[object]", value)) for value in values if isinstance(value, list))])

    def spent(self, answer: R) -> Decimal | None:
        """Return what the provider charged, in the currency of the quote; None if the answer does not show it."""
        return None

    def warnings(self) -> tuple[str, ...]:
        """Warnings from the provider's documents for these arguments, one sentence each."""
        return ()

    def changes(self, before: Any) -> tuple[str, ...]:
        """Return what else this call does to the state it replaces, such as resets, one sentence each.

        `before` is the answer to the read of that name, None where it was not read.
        """
        return ()

    def differences(self, before: Any) -> tuple[Difference, ...]:
        """Return what this call changes in the state before it, leaf by leaf; none where that was not read.

        `before` is the answer to the read of that name. Overridden where `sets` cannot say which of its fields change.
        """
        if not isinstance(before, BaseModel):
            return ()
        now = _shown_fields(before)
        elsewhere = {argument: field_at(now, path) for argument, path in self.sets.items()}
        return differences(now | elsewhere, _shown_fields(self))

    def message_ids(self, answer: R) -> tuple[str, ...]:
        """Ids by which delivery reports identify what this call sent."""
        return ()

    def inbound_texts(self, answer: R) -> Sequence[InboundText]:
        """Return the texts in an answer that somebody outside sent to us; a wish to stop among them counts."""
        return ()

    def narrow(self, answer: Any) -> Any:
        """Return the part of a page that is shown, where an argument filters rows that the provider does not filter."""
        return answer

    def next_cursor(self, answer: Any) -> str | None:
        """Return the `cursor` of the next page; None after the last one, and where the operation has no pages."""
        return None

    def to_wire(self) -> dict[str, Any]:
        """Return the query or body in the provider's form. Overridden where the wire is not shaped like the fields."""
        return wire_fields(self)

    def to_array(self) -> list[Any] | None:
        """Return the body, where it is an array."""
        return None

    def to_query(self) -> dict[str, Any]:
        """Return what goes into the query of a call whose other arguments are in its body."""
        return {}

    def select(self, content: Any) -> Any:
        """Return the requested part of the content; overridden where the provider's read returns more than that.

        Raises:
            NotFound: It is not there.
        """
        return content


OperationType = type[Operation[Any]]


class ChangesSomething(BaseModel):
    """Rejects updates that set no field: at least one besides the required ones must be given."""

    besides: ClassVar[frozenset[str]] = frozenset({"dry_run"})
    """Optional fields that are not settings."""

    @model_validator(mode="after")
    def _something_changes(self) -> Self:
        """Give at least one setting."""
        names = {name for name, field in type(self).model_fields.items() if field.is_required()}
        settings = type(self).model_fields.keys() - names - self.besides
        if all(getattr(self, name) in (None, {}) for name in settings):
            raise ValueError("nothing to change: give at least one setting" + _beside(names))
        return self


def _beside(names: set[str]) -> str:
    return f" besides {' and '.join(sorted(names))}" if names else ""


@dataclass(frozen=True, slots=True)
class Exchange(Generic[R]):
    """A provider's answer to one call: typed, as it came, and when it came."""

    answer: R
    status: int
    raw: str
    """The provider's answer as it came."""

    received_at: datetime
    attempts: int = 1
    """0 when the answer came from the cache."""

    unread: tuple[str, ...] = ()
    """Paths of the fields and rows that could not be read, such as `messages.3.rate`."""


UNREAD: Final = Undo(verdict="none", lost="The setting before the change was not read.")
NOTHING_CHANGED: Final = Undo(verdict="full", lost="It changed nothing, so there is nothing to undo.")
NOT_SET: Final = Undo(verdict="none", lost="Nothing was set before, so nothing changed.")


def put_back(operation: "type[Operation[Any]]", *, lost: str = "", **fields: Any) -> Undo:
    """Return the call that sets what was read before; verdict none if the call does not accept it."""
    try:
        return Undo(verdict="partial" if lost else "full", operation=operation.model_validate(fields), lost=lost)
    except ValidationError:
        return Undo(verdict="none", lost="The API has no call that restores the earlier value.")


def verify_removal(read: Operation[A]) -> Verification[A]:
    """Verify a call that removes something: it happened if `before`, the same read, found it and now does not."""
    return Verification(read=read, check=lambda _: Evidence.NO, if_absent=Evidence.YES, must_be_new=True)


def verify_addition(read: Operation[A]) -> Verification[A]:
    """Verify a call that adds something: it happened if the read finds it now, and `before`, the same read, did not."""
    return Verification(read=read, check=lambda _: Evidence.YES, if_absent=Evidence.NO, must_be_new=True)


def is_dry_run(operation: object) -> bool:
    """Return True for a dry run, which does nothing and spends nothing."""
    return bool(getattr(operation, "dry_run", False))


def wire_fields(operation: Operation[Any], *, exclude: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the fields that are set, under their wire names, without those of the path and those in `exclude`."""
    left_out = placeholders(operation.spec.path) | exclude
    values = operation.model_dump(mode="json", exclude_none=True, exclude=set(left_out), context=WIRE)
    secrets = {name: value for name, value in _secrets(operation).items() if name not in left_out}
    on_wire = _wire_names(type(operation))
    return {on_wire[name]: value for name, value in (values | secrets).items()}


@lru_cache(maxsize=4096)  # bounded, because plans make classes of their own
def _wire_names(operation: "type[Operation[Any]]") -> Mapping[str, str]:
    """Return the wire name of every field of an operation."""
    case = operation.spec.provider.wire_case
    return {name: field.serialization_alias or case(name) for name, field in operation.model_fields.items()}


def _shown_fields(model: BaseModel) -> dict[str, Any]:
    """Return the fields of a model as JSON values, without its secrets; those of a call only where they are set."""
    hidden = secret_fields(type(model))
    return model.model_dump(mode="json", exclude=set(hidden), exclude_none=isinstance(model, Operation))


def answer_type(operation: type[Operation[R]]) -> type[R]:
    """Return the type of an operation's answer."""
    return cast("type[R]", _answer_type(operation))


@lru_cache(maxsize=4096)
def _answer_type(operation: type[Operation[Any]]) -> type[Any]:
    for base in operation.__mro__:
        generic = cast("dict[str, Any]", base.__dict__.get("__pydantic_generic_metadata__", {}))
        if isinstance(origin := generic.get("origin"), type) and issubclass(origin, Operation):
            return cast("type[Any]", generic["args"][0])
    raise TypeError(f"{operation.__name__} must derive from Operation[<answer type>]")


def _secrets(operation: Operation[Any]) -> dict[str, str]:
    """Secret inputs in clear text, for the request body and nothing else."""
    values = {name: getattr(operation, name) for name in secret_fields(type(operation))}
    return {name: value.get_secret_value() for name, value in values.items() if isinstance(value, SecretStr)}
