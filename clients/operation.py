"""How a provider's endpoint is declared: one class an operation, one decorator for what never varies.

    @voicetel.operation("POST", "/v2.2/orders", effect=Effect.PAID, toolset="numbers", docs="#orderCreate",
                        idempotency_header="Idempotency-Key")
    class OrderNumbers(Operation[Order]):
        \"\"\"Order new telephone numbers and add them to the account.\"\"\"

        numbers: list[UsNumber] = Field(min_length=1, max_length=100)
        \"\"\"Numbers to buy, as found by voicetel_search_inventory.\"\"\"

The class docstring is the tool's description, the attribute docstrings are those of its parameters, and an instance
is one validated call: it can be compared, digested, stored and sent. Everything else is derived.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from string import Formatter
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from clients.audience import Members, UnresolvableRecipients
from clients.effects import Basis, Charge, Effect
from clients.errors import InvalidRequest, Refused
from clients.fields import WIRE
from clients.limits import Limit
from clients.undo import Undo

R = TypeVar("R")
A = TypeVar("A")
OperationT = TypeVar("OperationT", bound="Operation[Any]")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Carrier = Literal["query", "json", "form", "multipart"]

_ACRONYMS = {
    "sms", "mms", "cnam", "lrn", "lidb", "sip", "api", "pin", "id", "dnis", "acl", "ip", "voip", "url",
}  # fmt: skip
_TOOL_NAME = re.compile(r"^[a-z][a-z0-9_]{2,39}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, not sent yet. `query` and `body` are in the provider's own form."""

    method: Method
    path: str
    query: Mapping[str, Any]
    body: Any
    carrier: Carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Generic[A]):
    """How to find out whether a call happened when no answer came: a read, and what it shows."""

    read: "Operation[A]"

    check: "Callable[[A], bool | Verification[Any] | None]"
    """True if the answer shows that it happened, False that it did not, None if it cannot tell; or the next read."""

    if_absent: bool | None = None
    """What it means when the read finds nothing."""

    may_be_older: bool = False
    """True where what is found proves nothing unless `before`, the same read, did not find it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The facts about an operation that do not depend on its arguments."""

    provider: "ProviderApi"
    name: str
    title: str
    method: Method
    path: str
    carrier: Carrier
    effect: Effect
    basis: Basis
    toolset: str
    docs: str

    idempotency_header: str | None
    """Header under which the provider promises to act only once."""

    limit: Limit | None
    """The provider's limit that this call counts against."""

    cached_for: float
    """Seconds for which an answer may be given again, to spare the limit."""

    empty_on: int | None
    """The status with which the provider says that a list is empty."""

    refusals: Mapping[int, type[Refused]]
    """Statuses that mean something else here than they usually do."""

    clean_failures: frozenset[int]
    """5xx statuses after which, by the documents, nothing was written."""

    irreversible: bool
    """True when no call brings back what this one takes away."""

    unverifiable: str
    """Why no read can tell whether a call happened whose answer was lost; empty where `verification` names one."""

    needs_key: bool
    admin_only: bool

    rows: str | None
    """The answer's field that holds a list of any length, which is shown in pages."""

    synonyms: tuple[str, ...]
    """Words people use for this that its name and description do not have."""

    @property
    def tool_name(self) -> str:
        return f"{self.provider.name}_{self.name}"

    @property
    def may_repeat(self) -> bool:
        """True where sending the same request again cannot do or cost anything twice."""
        return self.effect.is_plain_read or self.idempotency_header is not None


class Answer(BaseModel):
    """What a provider answers: unknown fields are kept out, and every field may be missing."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        alias_generator=to_camel,
        defer_build=True,
        hide_input_in_errors=True,  # an answer may hold a secret, and a traceback is logged
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, data: object) -> object:
        """A list without entries may arrive as null."""
        if not isinstance(data, Mapping):
            return data
        fields = cast("Mapping[str, Any]", data)
        if None not in fields.values():
            return fields
        return {name: value for name, value in fields.items() if value is not None}


class Done(Answer):
    """The provider confirmed without saying more."""


class Operation(BaseModel, Generic[R]):
    """One validated call to one endpoint. `R` is the type of its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    spec: ClassVar[Spec]

    def charge(self) -> Charge | None:
        """What this call spends. Every paid operation says it."""
        return None

    def before(self) -> "Operation[Any] | None":
        """The read that captures the state this call will change."""
        return None

    def undo(self, before: Any, answer: Any) -> Undo:
        """The call that takes this one back.

        `before` is the answer to the read of that name, None where it was not read; `answer` is what this call brought.
        """
        return Undo(verdict="none", lost="No call of the provider takes this back.")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        """How to find out whether this call, sent at that time, happened when no answer came."""
        return None

    def destinations(self) -> tuple[str, ...]:
        """Telephone numbers that this call dials, texts or sends traffic to, in E.164."""
        return ()

    def members(self) -> tuple[Members[Any] | UnresolvableRecipients, ...]:
        """Whom this call reaches without naming their numbers: those of groups, of lists and of references."""
        return ()

    def scheduled_at(self) -> tuple[datetime, ...]:
        """The moments at which what this call sends goes out; empty where that is at once."""
        return ()

    def recipient_count(self) -> int:
        """How many numbers or recipients this call touches: the length of its longest list, at least one."""
        values = [getattr(self, name) for name in type(self).model_fields]
        return max([1, *(len(cast("list[object]", value)) for value in values if isinstance(value, list))])

    def spent(self, answer: R) -> Decimal | None:
        """What the provider says it took, in the currency of the quote; None where the answer does not say."""
        return None

    def warnings(self) -> tuple[str, ...]:
        """What the provider's documents warn of for these arguments, one sentence each."""
        return ()

    def changes(self, before: Any) -> tuple[str, ...]:
        """What this call changes in the state it replaces, one sentence each.

        `before` is the answer to the read of that name, None where it was not read.
        """
        return ()

    def message_ids(self, answer: R) -> tuple[str, ...]:
        """Ids by which receipts will name what this call sent."""
        return ()

    def next_cursor(self, answer: Any) -> str | None:
        """The `cursor` of the page after this answer, where the operation has such a field and its provider pages."""
        return None

    def to_wire(self) -> dict[str, Any]:
        """The query or body in the provider's form. Overridden where the wire is not shaped like the fields."""
        return wire_fields(self)

    def to_array(self) -> list[Any] | None:
        """The body, where it is an array."""
        return None

    def to_query(self) -> dict[str, Any]:
        """What goes into the query of a call whose other arguments are in its body."""
        return {}

    def select(self, content: Any) -> Any:
        """The part that was asked for. Overridden where the provider has no read that is narrow enough.

        Raises:
            NotFound: It is not there.
        """
        return content


class ProviderApi:
    """One provider's API: its name, where it lives, where it is documented, and how its calls carry arguments."""

    def __init__(
        self,
        name: str,
        *,
        title: str,
        base_url: str,
        docs_url: str,
        write_carrier: Carrier = "json",
        wire_case: Callable[[str], str] = to_camel,
        quirks: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.title = title
        self.base_url = base_url
        self.docs_url = docs_url
        self.write_carrier: Carrier = write_carrier
        self.wire_case = wire_case
        self.quirks = quirks
        """What surprises those who know other providers, a sentence each."""

    def operation(
        self,
        method: Method,
        path: str,
        *,
        effect: Effect,
        toolset: str,
        docs: str,
        basis: Basis = "documented",
        carrier: Carrier | None = None,
        idempotency_header: str | None = None,
        limit: Limit | None = None,
        cached_for: float = 0,
        empty_on: int | None = None,
        refusals: Mapping[int, type[Refused]] | None = None,
        clean_failures: frozenset[int] = frozenset(),
        irreversible: bool = False,
        unverifiable: str = "",
        needs_key: bool = True,
        admin_only: bool = False,
        rows: str | None = None,
        synonyms: tuple[str, ...] = (),
    ) -> Callable[[type[OperationT]], type[OperationT]]:
        """Declare the endpoint that a class calls.

        Raises:
            TypeError: A path parameter has no field, or the tool name breaks the rules for names.
        """

        def declare(cls: type[OperationT]) -> type[OperationT]:
            words = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).split()
            if unknown := _placeholders(path) - cls.model_fields.keys():
                raise TypeError(f"{cls.__name__}: no field for path parameters {sorted(unknown)}")
            spec = Spec(
                provider=self,
                name="_".join(words).lower(),
                title=_title(words),
                method=method,
                path=path,
                carrier=carrier or ("query" if method in {"GET", "DELETE"} else self.write_carrier),
                effect=effect,
                basis=basis,
                toolset=toolset,
                docs=self.docs_url + docs,
                idempotency_header=idempotency_header,
                limit=limit,
                cached_for=cached_for,
                empty_on=empty_on,
                refusals=refusals or {},
                clean_failures=clean_failures,
                irreversible=irreversible,
                unverifiable=unverifiable,
                needs_key=needs_key,
                admin_only=admin_only,
                rows=rows,
                synonyms=synonyms,
            )
            if not _TOOL_NAME.match(spec.tool_name):
                raise TypeError(f"{spec.tool_name}: tool names have at most 40 characters of a-z, 0-9 and _")
            cls.spec = spec
            return cls

        return declare


OperationType = type[Operation[Any]]


def build_request(operation: Operation[Any], *, path: str | None = None) -> Request:
    """The request for one call; pure. `path` replaces the declared one, as the settings may where it is inferred.

    Raises:
        InvalidRequest: A value would make the path that of something else.
    """
    spec = operation.spec
    template = path or spec.path
    names = _placeholders(template)
    values = operation.model_dump(mode="json", include=names, context=WIRE) if names else {}
    filled = template.format(**{name: _path_part(name, values[name]) for name in names})
    in_query = spec.carrier == "query"
    array = operation.to_array()
    return Request(
        method=spec.method,
        path=filled,
        query=operation.to_wire() if in_query else operation.to_query(),
        body=array if array is not None else None if in_query else operation.to_wire() or None,
        carrier=spec.carrier,
    )


def wire_fields(operation: Operation[Any], *, exclude: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields that are set, under their wire names, without those of the path and those in `exclude`."""
    left_out = _placeholders(operation.spec.path) | exclude
    values = operation.model_dump(mode="json", exclude_none=True, exclude=left_out, context=WIRE)
    secrets = {name: value for name, value in _secrets(operation).items() if name not in left_out}
    fields = type(operation).model_fields
    case = operation.spec.provider.wire_case
    return {fields[name].serialization_alias or case(name): value for name, value in (values | secrets).items()}


def answer_type(operation: type[Operation[R]]) -> type[R]:
    """The type of an operation's answer."""
    for base in operation.__mro__:
        generic = cast("dict[str, Any]", base.__dict__.get("__pydantic_generic_metadata__", {}))
        if isinstance(origin := generic.get("origin"), type) and issubclass(origin, Operation):
            return cast("type[R]", generic["args"][0])
    raise TypeError(f"{operation.__name__} must derive from Operation[<answer type>]")


def _secrets(operation: Operation[Any]) -> dict[str, str]:
    """Secret inputs in clear: they leave through the wire and through nothing else."""
    found: dict[str, str] = {}
    for name in type(operation).model_fields:
        reveal = getattr(getattr(operation, name), "get_secret_value", None)
        if reveal is not None:
            found[name] = reveal()
    return found


def _title(words: list[str]) -> str:
    shown = [word.upper() if word.lower() in _ACRONYMS else word.lower() for word in words]
    return " ".join([shown[0].capitalize(), *shown[1:]])


def _path_part(name: str, value: Any) -> str:
    """One segment, percent-encoded. A dot segment cannot be encoded: every reader resolves %2E%2E as well."""
    text = str(value)
    if value is None or text in {"", ".", ".."}:
        raise InvalidRequest(f"{name}: {text!r} cannot be part of an address; nothing was sent.", status=0)
    return quote(text, safe="")


def _placeholders(path: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(path) if name}
