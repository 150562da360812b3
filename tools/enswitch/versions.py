"""How the form of an Enswitch call differs between versions.

An operation is declared in the form of the newest guide (4.4) and marks what older installations lack or call something
else; `in_form_of` turns its form into the one that a version knows. Rests on the change histories of the guide's pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from clients.errors import InvalidRequest
from clients.operation import Operation

Version = tuple[int, int]
Mark = TypeVar("Mark")

NEWEST: Final[Version] = (4, 4)

TOKENS: Final[Version] = (4, 1)
"""The version that added `auth_token` (user/login)."""

OLDEST: Final[Version] = (3, 13)
"""The version that, by the guide's change histories, added every function that has no later one."""

ROUTE_IDS: Final[Version] = (4, 1)
"""The version that renamed a plan route's `prefix`, added `caller_prefix`, and names routes by id (plans/routes/*)."""


@dataclass(frozen=True, slots=True)
class Since:
    """Marks a field that installations before this version do not know."""

    version: Version


@dataclass(frozen=True, slots=True)
class Formerly:
    """Marks a field that had another name before a version."""

    name: str
    until: Version


@dataclass(frozen=True, slots=True)
class NamesPlanRoute:
    """Marks a field that names a plan route: its id, or `plan/prefix/media` up to 4.0."""


def version_of(text: str) -> Version:
    """`4.1` as it is compared."""
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def in_form_of(version: Version, operation: Operation[Any], wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of one call as this version knows them; `wire` has them as the newest does.

    Raises:
        InvalidRequest: This version does not have the function, or a parameter that was given.
    """
    added = cast("Version", getattr(operation, "added_in", OLDEST))
    if version < added:
        raise _unknown(operation.spec.title, version, added)
    out = dict(wire)
    for name, field in type(operation).model_fields.items():
        on_wire = field.serialization_alias or name
        if on_wire not in wire:
            continue
        if (since := _mark(field.metadata, Since)) and version < since.version:
            raise _unknown(name, version, since.version)
        if (formerly := _mark(field.metadata, Formerly)) and version < formerly.until:
            out[formerly.name] = out.pop(on_wire)
        if _mark(field.metadata, NamesPlanRoute):
            out |= _plan_route(version, str(out.pop(on_wire)))
    return out


def _plan_route(version: Version, name: str) -> dict[str, str]:
    plan, *rest = name.split("/")
    if version >= ROUTE_IDS:
        if rest:
            raise InvalidRequest(
                f"route: this Enswitch names a route by its id, not by {name!r}; nothing was sent.", status=0
            )
        return {"id": plan}
    if len(rest) != 2:
        raise InvalidRequest(
            f"route: an Enswitch before 4.1 names a route as plan/prefix/media, not by {name!r}; nothing was sent.",
            status=0,
        )
    return {"plan": plan, "prefix": rest[0], "media": rest[1]}


def _unknown(what: str, version: Version, since: Version) -> InvalidRequest:
    here, there = (".".join(map(str, each)) for each in (version, since))
    return InvalidRequest(
        f"{what}: this Enswitch is {here} by the settings, which does not have it; it came with {there}. "
        "Nothing was sent.",
        status=0,
    )


def _mark(metadata: list[Any], kind: type[Mark]) -> Mark | None:
    return next((item for item in metadata if isinstance(item, kind)), None)
