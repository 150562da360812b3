"""How one function of the API is declared and what its code is given."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sandbox.enswitch.access import ALLOWED, Reach, level
from sandbox.enswitch.fields import VERSIONS, Field, Fields, Kind, Row, Value, Version
from sandbox.enswitch.state import State
from sandbox.enswitch.wire import Answer, Validated, refuse

GUIDE = "guide 4.4"
SEED = "seed page"


@dataclass(frozen=True)
class Special:
    """Other privileges when a parameter is given; `privileges` empty means that no authentication is needed."""

    parameter: str
    value: str
    """The value that it takes; empty for any."""
    privileges: str


@dataclass(frozen=True)
class Call:
    """One checked request as a function's code sees it."""

    state: State
    reach: Reach
    person: Row | None
    args: Row
    """Checked parameters, defaults filled in; what was left out and has no default is absent."""
    validating: bool
    version: Version

    @property
    def caller(self) -> Row:
        """The person who calls; functions that need no authentication must look at `person` instead."""
        if self.person is None:
            raise RuntimeError("nobody is logged in")
        return self.person

    @property
    def customer(self) -> int:
        """The customer acted for: the parameter, or the caller's own."""
        return self.args.whole("customer") if "customer" in self.args else self.caller.whole("customer")

    def may(self, privilege: str) -> bool:
        """Return whether the caller's role has this privilege in full, for functions that ask for more than one."""
        return level(self.state, self.caller, privilege) == ALLOWED

    def row(self, table: str, parameter: str = "id") -> Row:
        """Return the visible row that a parameter names.

        Raises:
            Refusal: 404 if there is none, or the caller may not see it.
        """
        found = self.state.find(table, self.args[parameter])
        if found is None or not self.reach.sees(table, found):
            raise refuse(404, parameter)
        return found

    def only(self, table: str, parameter: str, **columns: Value) -> Row:
        """Return the visible row with these columns.

        Raises:
            Refusal: 404 for the parameter if there is none, or the caller may not see it.
        """
        found = self.state.first(table, **columns)
        if found is None or not self.reach.sees(table, found):
            raise refuse(404, parameter)
        return found

    def in_window(self, rows: Iterable[Row], column: str = "time") -> list[Row]:
        """Return the rows from `start` up to `end`, by default now; since 3.14 `end` is exclusive."""
        end = self.args.whole("end") if "end" in self.args else self.state.now() + 1
        return [row for row in rows if self.args.whole("start") <= row.whole(column) < end]

    def stop_if_validating(self) -> None:
        """Stop a call that only validates; call this after the last check and before the first change.

        Raises:
            Validated: `validation=1` was given.
        """
        if self.validating:
            raise Validated


Run = Callable[[Call], Answer]


@dataclass(frozen=True)
class Function:
    """One function: its path, who may call it, what it takes, and which document says so."""

    path: str
    privileges: str
    """Role privileges of which one is needed, written `a|b`; empty if no authentication is needed."""
    run: Run
    fields: Fields = ()
    basis: str = GUIDE
    writes: bool = True
    dry_run: bool = False
    """Whether its page documents `validation`."""
    cut: bool = False
    """Whether its page could be read in part only, so that it has parameters which are not declared here."""
    specials: tuple[Special, ...] = ()
    exactly_one: tuple[str, ...] = ()
    at_most_one: tuple[str, ...] = ()
    since: Version = VERSIONS[0]

    def privileges_for(self, parameters: Mapping[str, str]) -> str:
        """Return the privileges that this call needs."""
        for special in self.specials:
            given = parameters.get(special.parameter)
            if given is not None and special.value in {"", given}:
                return special.privileges
        return self.privileges

    def takes_secret(self, name: str) -> bool:
        """Return whether a parameter with a secret's name is one here; phones/get has a flag called `password`."""
        return all(field.kind is not Kind.FLAG for field in self.fields if field.name == name)

    def fields_of(self, version: Version) -> dict[str, Field]:
        """Return the parameters that this version knows, without those of authentication."""
        return {field.name: field for field in self.fields if field.known_to(version)}

    def to_wire(self, version: Version) -> dict[str, object]:
        """Return the declaration as `/_control/enswitch/functions` shows it."""
        return {
            "path": self.path,
            "privileges": self.privileges.split("|") if self.privileges else [],
            "parameters": [field.to_wire() for field in self.fields_of(version).values()],
            "writes": self.writes,
            "validation": self.dry_run,
            "cut": self.cut,
            "basis": self.basis,
        }


class Options(TypedDict, total=False):
    """What `reading` and `writing` pass on to `Function`."""

    basis: str
    dry_run: bool
    cut: bool
    specials: tuple[Special, ...]
    exactly_one: tuple[str, ...]
    at_most_one: tuple[str, ...]
    since: Version


def reading(path: str, privileges: str, *fields: Fields, **options: Unpack[Options]) -> Callable[[Run], Function]:
    """Declare what runs a function that a read-only role may call too."""
    return lambda run: Function(path, privileges, run, sum(fields, ()), writes=False, **options)


def writing(path: str, privileges: str, *fields: Fields, **options: Unpack[Options]) -> Callable[[Run], Function]:
    """Declare what runs a function that changes something."""
    return lambda run: Function(path, privileges, run, sum(fields, ()), writes=True, **options)
