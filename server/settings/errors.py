"""Error messages for settings: file and line or variable, the key, what is allowed, and the nearest key.

Values are never repeated: one may be a secret in the wrong place.
"""

import json
import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from server.settings.keys import (
    NESTED_BY,
    PREFIX,
    bare,
    inner,
    keys_of,
    kinds_of,
    our_variables,
    takes_json,
    variable_of,
    without_tags,
)
from server.settings.origin import Origin, dotted_key, variable_and_rest
from server.settings.toml_positions import Place


class BadSettings(Exception):
    """The settings do not fit. The message names file and line or variable, the key, and what is allowed."""


LISTED_AT_MOST = 14
"""Keys that are listed in full where none is similar."""

MISSING = "this key is needed"


def message(problems: Sequence[str]) -> str:
    """Build one message from all problems."""
    return "\n".join(["The settings do not fit:", *(f"  {problem}" for problem in dict.fromkeys(problems))])


def unknown(settings: type[BaseModel], variables: Sequence[str]) -> list[str]:
    """Describe variables that are no setting."""
    known = [variable_of(key) for key in keys_of(settings)]
    return [f"{name}: there is no such setting{_nearest(name.upper(), known)}" for name in variables]


def misfits(misfit: ValidationError, origin: Origin) -> list[str]:
    """Describe what pydantic found, in the order of the file, then by environment variable."""
    errors = misfit.errors(include_url=False, include_input=False)
    return locate([(_place_of(error, origin.settings), _rule(error, origin.settings)) for error in errors], origin)


def _place_of(error: ErrorDetails, settings: type[BaseModel]) -> Place:
    """Return the place of an error as it stands in the settings; a provider that does not exist stands in a key."""
    place = without_tags(settings, error["loc"])
    return (*place, "provider") if error["type"] == "union_tag_invalid" else place


def locate(wrong: Sequence[tuple[Place, str]], origin: Origin) -> list[str]:
    """Describe what is wrong at each key, with the line or variable that set it."""
    return [text for _, text in sorted(_locate(place, rule, origin) for place, rule in wrong)]


def not_json(settings: type[BaseModel]) -> list[str]:
    """Describe variables of sections, tables and lists that do not hold JSON."""
    broken = [name for name, keys in our_variables() if _wants_json(settings, keys) and not _is_json(os.environ[name])]
    return [f"{name}: JSON is expected here{_json_hint(settings, name)}" for name in broken]


def _locate(place: Place, rule: str, origin: Origin) -> tuple[tuple[bool, int, str], str]:
    is_missing = rule.startswith(MISSING)
    if origin.is_in_environment(place[:-1] if is_missing and len(place) > 1 else place):
        variable, rest = variable_and_rest(place)
        text = f"{variable}: {dotted_key(rest)}: {rule}" if rest else f"{variable}: {rule}"
        return (True, 0, text), text
    found = origin.find(place)
    if found.variable:
        text = f"{found.file}: {found.variable}: {rule}"
        return (False, 0, text), text
    where = f"{found.file}, line {found.line}" if found.line else str(origin.file or "the settings")
    text = f"{where}: {dotted_key(place)}: {rule}"
    return (False, found.line, text), text


def _rule(error: ErrorDetails, settings: type[BaseModel]) -> str:
    context, place = error.get("ctx", {}), error["loc"]
    match error["type"]:
        case "extra_forbidden":
            return f"there is no such key{_hint(settings, place)}"
        case "missing":
            return f"{MISSING}{_choices(settings, place)}"
        case "literal_error" | "enum":
            return f"one of {context['expected']} is expected".replace("'", "")
        case "union_tag_not_found":
            named = ", ".join(kinds_of(_at(settings, place)))
            return f"a table is expected in which `provider` names one of {named}"
        case "union_tag_invalid":
            return f"one of {', '.join(kinds_of(_at(settings, place)))} is expected"
        case "list_type" if takes_rows(_at(settings, place)):
            return f"a list of tables is expected: write [[{dotted_key(place)}]], in double brackets"
        case "model_type" | "mapping_type" | "dict_type":
            return "a table of keys is expected, not one value"
        case _:
            return error["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)


def takes_rows(annotation: Any) -> bool:
    """Return True for a list of sections."""
    within = get_args(bare(annotation))
    return get_origin(bare(annotation)) is list and isinstance(within[0], type) and issubclass(within[0], BaseModel)


def _hint(settings: type[BaseModel], place: Place) -> str:
    name, before = str(place[-1]), place[:-1]
    section = bare(_at(settings, before))
    siblings = list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
    elsewhere = [key for key in keys_of(settings) if key.rpartition(".")[2] == name]
    if elsewhere and name not in siblings:
        top = "at the top of the file, above the first [section]"
        return f" here; `{name}` stands " + (
            top if "." not in elsewhere[0] else f"in [{elsewhere[0].rpartition('.')[0]}]"
        )
    return _nearest(name, siblings)


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f". There are: {', '.join(known)}." if len(known) <= LISTED_AT_MOST else "."


def _choices(settings: type[BaseModel], place: Place) -> str:
    words = get_args(bare(_at(settings, place)))
    return f": {', '.join(words)}" if words and all(isinstance(word, str) for word in words) else ""


def _at(settings: type[BaseModel], place: Place) -> Any:
    annotation: Any = settings
    for key in place:
        annotation = inner(annotation, key)
    return annotation


def _wants_json(settings: type[BaseModel], keys: Sequence[str]) -> bool:
    annotation = _at(settings, tuple(keys))
    return annotation is not None and keys != ["toolsets"] and takes_json(annotation)


def _json_hint(settings: type[BaseModel], name: str) -> str:
    annotation = _at(settings, tuple(name[len(PREFIX) :].lower().split(NESTED_BY)))
    if takes_rows(annotation):
        return ', such as [{"per": "day", "limit": "25"}]'
    if get_origin(bare(annotation)) is list:
        return ', such as ["US", "CA"]'
    return f", or one variable for each key: {name.upper()}{NESTED_BY}KEY"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
