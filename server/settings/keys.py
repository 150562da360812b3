"""Keys of the settings: what lies under each, and which environment variables are settings."""

import os
import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from server.settings.toml_positions import Place

PREFIX: Final = "RINGFENCE_"
NESTED_BY: Final = "__"
CONFIG_VARIABLE: Final = "RINGFENCE_CONFIG"
"""The variable that names the settings file; it is no setting itself."""

_UNIONS: Final = (Union, UnionType)

_FROM_KUBERNETES: Final = re.compile(
    r"(.*_)?(SERVICE_(HOST|PORT)(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""Variables, without the prefix, that Kubernetes sets in pods beside a service called ringfence."""

_KUBERNETES_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://")


def inner(annotation: Any, key: str | int) -> Any:
    """Return the type under a key of a section, a table of names, or a list; None where there can be none."""
    annotation = bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(key).lower())
        return field.annotation if field else None
    if kinds := kinds_of(annotation):
        return kinds.get(str(key)) or next((found for kind in kinds.values() if (found := inner(kind, key))), None)
    if get_origin(annotation) is Mapping:
        return get_args(annotation)[1]
    if get_origin(annotation) is list and isinstance(key, int):
        return get_args(annotation)[0]
    return None


def kinds_of(annotation: Any) -> dict[str, Any]:
    """Return the types of which one is expected, by the tag that pydantic gives each; empty for any other type."""
    bare_type = bare(annotation)
    kinds = get_args(bare_type) if get_origin(bare_type) in _UNIONS else ()
    return {
        mark.tag: bare(kind) for kind in kinds for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Tag)
    }


def without_tags(settings: Any, place: Place) -> Place:
    """Return a place as it stands in the settings: pydantic adds the tag of the type that it chose among several."""
    annotation, kept = settings, list[str | int]()
    for key in place:
        kinds = kinds_of(annotation)
        if str(key) in kinds:
            annotation = kinds[str(key)]
            continue
        kept.append(key)
        annotation = inner(annotation, key)
    return tuple(kept)


def bare(annotation: Any) -> Any:
    """Strip `None` and annotations from a type."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    alternatives = [each for each in get_args(annotation) if each is not type(None)]
    if type(None) in get_args(annotation) and len(alternatives) == 1:
        return bare(alternatives[0])
    return annotation


def takes_json(annotation: Any) -> bool:
    """Return True for sections, tables and lists, which one variable can only hold as JSON."""
    annotation = bare(annotation)
    if kinds := kinds_of(annotation):
        return all(takes_json(kind) for kind in kinds.values())
    is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_section or get_origin(annotation) in {Mapping, list, Union}


def keys_of(section: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield every key in dotted form, with its sections."""
    for name, declared in section.model_fields.items():
        yield before + name
        within = bare(declared.annotation)
        if isinstance(within, type) and issubclass(within, BaseModel):
            yield from keys_of(within, f"{before}{name}.")


def variable_of(key: str) -> str:
    """Return the environment variable of a key."""
    return PREFIX + key.replace(".", NESTED_BY).upper()


def our_variables() -> Iterator[tuple[str, list[str]]]:
    """Yield every environment variable with our prefix, and the keys it names in lower case."""
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() != CONFIG_VARIABLE:
            yield name, name[len(PREFIX) :].lower().split(NESTED_BY)


def unknown_variables(settings: type[BaseModel]) -> list[str]:
    """Return variables that have our prefix and are no setting: a misspelt rule must not be ignored."""
    return [name for name, keys in our_variables() if not leads_somewhere(settings, keys) and not _is_foreign(name)]


def leads_somewhere(settings: type[BaseModel], keys: list[str]) -> bool:
    """Return True if keys, as a variable names them in lower case, are those of a setting."""
    annotation: Any = settings
    for key in keys:
        annotation = inner(annotation, key) if key else None
        if annotation is None:
            return False
    return True


def _is_foreign(name: str) -> bool:
    rest = name.upper().removeprefix(PREFIX)
    if rest.endswith("PORT") and _KUBERNETES_ADDRESS.match(os.environ[name]):
        return True
    return _FROM_KUBERNETES.fullmatch(rest) is not None
