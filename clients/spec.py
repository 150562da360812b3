"""A provider's API and the facts about each of its endpoints that do not depend on arguments.

An operation is declared with the decorator of its provider's API:

    acme = ProviderApi("acme", title="Acme", base_url="https://api.acme.example", docs_url="https://docs.acme.example")

    @acme.operation("POST", "/v1/orders", effect=Effect.PAID, toolset="numbers", docs="#orders",
                    idempotency_header="Idempotency-Key")
    class OrderNumbers(Operation[Order]):
        ...
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import ClassVar, Literal, TypeVar

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from clients.effects import Effect, WorstCase
from clients.errors import Refused
from clients.grades import Grade, Grades
from clients.questions.subjects import check_subject
from clients.shared.limits import Limit
from clients.shared.methods import Method

Carrier = Literal["query", "json", "form", "multipart"]

_ACRONYMS = {
    "sms", "mms", "cnam", "lrn", "lidb", "sip", "api", "pin", "id", "dnis", "acl", "ip", "voip", "url",
}  # fmt: skip
_TOOL_NAME = re.compile(r"^[a-z][a-z0-9_]{2,39}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The facts about an operation that do not depend on its arguments."""

    provider: "ProviderApi"
    name: str
    title: str
    subject: str
    """Template of the sentence that says what one call does, for `clients.questions.subjects`; empty for a read."""

    method: Method
    path: str
    carrier: Carrier
    effect: Effect
    basis: Grades
    """How sure each part of the declaration is."""

    toolset: str
    docs: str

    idempotency_header: str | None
    """Header under which the provider promises to act only once."""

    limit: Limit | None
    """The provider's limit that this call counts against."""

    cached_for: float
    """Seconds for which an answer is cached, to stay within the limit."""

    empty_on: int | None
    """The status that the provider answers for an empty list."""

    refusals: Mapping[int, type[Refused]]
    """Error classes for statuses that have another meaning here than usual."""

    clean_failures: frozenset[int]
    """5xx statuses after which, by the documents, nothing was written."""

    irreversible: bool
    """True when no call restores what this one removes."""

    confirmed_by: tuple[str, ...]
    """Fields that an answer must show for the call to count as done, or as answered."""

    may_be_empty: bool
    """True where the provider documents an answer without content as success."""

    unverifiable: str
    """Why no read can verify a call whose answer was lost; empty where `verification` names one."""

    needs_key: bool
    admin_only: bool

    worst_case: WorstCase | None
    """The most that one costs, by a document of the provider, where nothing shows the account's own price."""

    rows: str | None
    """The answer's field with a list of any length, which is shown in pages."""

    synonyms: tuple[str, ...]
    """Search words that people use for this and that are not in its name or description."""

    @property
    def tool_name(self) -> str:
        """The name of the operation's tool, such as `acme_order_numbers`."""
        return f"{self.provider.name}_{self.name}"

    @property
    def may_repeat(self) -> bool:
        """True where sending the same request again cannot do or cost anything twice."""
        return self.effect.is_plain_read or self.idempotency_header is not None


class DeclaredModel(BaseModel):
    """A model class for which an endpoint is declared."""

    spec: ClassVar[Spec]


DeclaredT = TypeVar("DeclaredT", bound=DeclaredModel)


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
        has_envelope: bool = False,
        quirks: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.title = title
        self.base_url = base_url
        self.docs_url = docs_url
        self.write_carrier: Carrier = write_carrier
        self.wire_case = wire_case
        self.has_envelope = has_envelope
        """True where each answer says in an envelope, which `ApiClient.unwrap` requires, that the call succeeded."""

        self.quirks = quirks
        """What differs from other providers, one sentence each."""

    def operation(
        self,
        method: Method,
        path: str,
        *,
        effect: Effect,
        toolset: str,
        docs: str,
        subject: str = "",
        basis: Grade | Grades = "documented",
        carrier: Carrier | None = None,
        idempotency_header: str | None = None,
        limit: Limit | None = None,
        cached_for: float = 0,
        empty_on: int | None = None,
        refusals: Mapping[int, type[Refused]] | None = None,
        clean_failures: frozenset[int] = frozenset(),
        irreversible: bool = False,
        confirmed_by: tuple[str, ...] = (),
        may_be_empty: bool = False,
        unverifiable: str = "",
        needs_key: bool = True,
        admin_only: bool = False,
        worst_case: WorstCase | None = None,
        rows: str | None = None,
        synonyms: tuple[str, ...] = (),
    ) -> Callable[[type[DeclaredT]], type[DeclaredT]]:
        """Declare the endpoint that a class calls.

        Raises:
            TypeError: A path parameter has no field, the tool name breaks the rules for names, or the subject names
                what is no field or may be left out.
        """

        def declare(cls: type[DeclaredT]) -> type[DeclaredT]:
            words = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).split()
            if unknown := placeholders(path) - cls.model_fields.keys():
                raise TypeError(f"{cls.__name__}: no field for path parameters {sorted(unknown)}")
            try:
                check_subject(subject, cls.model_fields)
            except ValueError as wrong:
                raise TypeError(f"{cls.__name__}: the subject names {wrong}") from wrong
            spec = Spec(
                provider=self,
                name="_".join(words).lower(),
                title=_title(words),
                subject=subject,
                method=method,
                path=path,
                carrier=carrier or ("query" if method in {"GET", "DELETE"} else self.write_carrier),
                effect=effect,
                basis=basis if isinstance(basis, Grades) else Grades.all(basis),
                toolset=toolset,
                docs=self.docs_url + docs,
                idempotency_header=idempotency_header,
                limit=limit,
                cached_for=cached_for,
                empty_on=empty_on,
                refusals=refusals or {},
                clean_failures=clean_failures,
                irreversible=irreversible,
                confirmed_by=confirmed_by,
                may_be_empty=may_be_empty,
                unverifiable=unverifiable,
                needs_key=needs_key,
                admin_only=admin_only,
                worst_case=worst_case,
                rows=rows,
                synonyms=synonyms,
            )
            if not _TOOL_NAME.match(spec.tool_name):
                raise TypeError(f"{spec.tool_name}: tool names have at most 40 characters of a-z, 0-9 and _")
            cls.spec = spec
            return cls

        return declare


@cache  # of paths as they are declared and corrected, not as they are filled in
def placeholders(path: str) -> frozenset[str]:
    """Names of the path parameters."""
    return frozenset(name for _, name, _, _ in Formatter().parse(path) if name)


def _title(words: list[str]) -> str:
    shown = [word.upper() if word.lower() in _ACRONYMS else word.lower() for word in words]
    return " ".join([shown[0].capitalize(), *shown[1:]])
