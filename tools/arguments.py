"""Parses a model's arguments into a validated operation, or into an error that the model can act on."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from clients.operation import Operation, OperationType
from clients.settings import AccountSettings
from tools.registry import nearest
from tools.schema import (
    LARGEST_PAGE,
    PAGE_SIZE,
    argument_schema,
    choices_of,
    input_schema,
    map_of,
    secret_flag,
    secret_rule,
    server_inputs,
)


class BadArguments(Exception):
    """The arguments do not fit. The message names each argument, the rule and the allowed values."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.rules = tuple(line.removeprefix("- ") for line in message.split("\n") if line.startswith("- "))
        """The lines of the message that name an argument and its rule."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which rows of a long list to show."""

    limit: int = PAGE_SIZE
    offset: int = 0
    provider_paged: Operation[Any] | None = None
    """The call, where the provider pages the list itself; None where the whole list is read."""


def parse(
    operation: OperationType,
    arguments: Mapping[str, Any],
    account: AccountSettings,
    *,
    added_by_clients: Collection[str] = (),
) -> tuple[Any, Paging]:
    """Return the validated call, with its secret inputs filled in by the server, and the rows to show.

    `added_by_clients` are arguments that clients add to every call: a plain read leaves them out, any other call is
    refused with them, because a person approves exactly what was given.

    Raises:
        BadArguments: An argument is unknown, missing, of the wrong type or out of bounds.
    """
    schema = argument_schema(operation)
    given = normalize(schema, arguments, left_out=added_by_clients if operation.spec.effect.is_plain_read else ())
    known = schema["properties"]
    if unknown := [name for name in given if name not in known]:
        raise BadArguments(_unknown(operation, unknown, list(known), added_by_clients))
    paging = _parse_paging(operation, given)
    secrets = _secrets(operation, given, account)
    try:
        call = operation.model_validate(given | secrets)
    except ValidationError as misfit:
        lines = [_line(error, schema) for error in misfit.errors(include_url=False, include_input=False)]
        raise BadArguments("\n".join([_head(operation), *lines, _footer(operation)])) from misfit
    return call, Paging(provider_paged=call) if "cursor" in operation.model_fields else paging


def normalize(
    schema: Mapping[str, Any], arguments: Mapping[str, Any], left_out: Collection[str] = ()
) -> dict[str, Any]:
    """Return arguments in the form of their schema, as clients and models deviate from it without meaning to.

    A null is left out, as is an empty cursor. A list or an object that is given as JSON text is parsed. What
    `tools.schema.portable` writes another way (enums as text, maps as lists of names and values) gets its own form
    back. Names in `left_out` that the schema does not have are dropped.
    """
    properties: Mapping[str, Any] = schema.get("properties", {})
    given = {name: value for name, value in arguments.items() if name in properties or name not in left_out}
    return _normalize_object(properties, given)


def added_by_client_hint(name: str) -> str:
    """Return what to do about an argument that the client, not the model, adds to a call."""
    return f"{name}: leave out exactly this argument, which some clients add to every call; the others may stay."


def _normalize_object(properties: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _normalize_value(properties.get(name, {}), value)
        for name, value in given.items()
        if not (name in properties and value is None) and not (name == "cursor" and value == "")
    }


def _normalize_value(schema: Mapping[str, Any], value: object) -> object:
    if isinstance(value, str) and (choices := choices_of(schema)):
        return choices.get(value, value)
    rules = map_of(schema)
    kinds = _kinds(schema) if rules is None else {"array", "object"}
    takes_no_text = bool(kinds) and kinds <= _PARSED_KINDS.keys()
    wanted = tuple(_PARSED_KINDS[kind] for kind in kinds) if takes_no_text else ()
    given: object = _parse_json(value, wanted) if isinstance(value, str) and wanted else value
    unchanged = given
    if rules is not None:
        return _normalize_map(rules[1], given)
    if isinstance(given, list) and "items" in schema:
        return [_normalize_value(schema["items"], item) for item in cast("list[object]", given)]
    if isinstance(given, dict) and "properties" in schema:
        return _normalize_object(schema["properties"], cast("dict[str, object]", given))
    return unchanged


def _normalize_map(rule: Mapping[str, Any], given: object) -> object:
    """Return a map that is given as a list of names and values, or by its names; what is neither stays as it is."""
    if isinstance(given, list):
        pairs = cast("list[object]", given)
        found = dict(pair for one in pairs if (pair := _pair_of(one)) is not None)
        given = found if len(found) == len(pairs) else cast("object", pairs)
    if not isinstance(given, dict):
        return given
    return {name: _normalize_value(rule, value) for name, value in cast("dict[str, object]", given).items()}


def _pair_of(given: object) -> tuple[str, object] | None:
    pair = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    name = pair.get("name")
    return (name, pair["value"]) if isinstance(name, str) and pair.keys() == {"name", "value"} else None


_PARSED_KINDS: Final[Mapping[str, type]] = {"array": list, "object": dict}


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """Return the JSON types that a value may have; empty where the schema does not say, or allows any."""
    alternatives = cast("list[Mapping[str, Any]]", schema.get("anyOf") or schema.get("oneOf") or [schema])
    kinds = [alternative.get("type") for alternative in alternatives]
    return {kind for kind in kinds if isinstance(kind, str)} if all(isinstance(kind, str) for kind in kinds) else set()


def _parse_json(text: str, wanted: tuple[type, ...]) -> object:
    """Return what the text stands for, if that is of a kind that is wanted; the text itself otherwise."""
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        return text
    return parsed if isinstance(parsed, wanted) else text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names a key twice: readers disagree about which of the two counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _head(operation: OperationType) -> str:
    return f"The arguments of {operation.spec.tool_name} do not fit; nothing was sent."


def _footer(operation: OperationType) -> str:
    schema = input_schema(operation)
    required = ", ".join(schema.get("required", [])) or "none"
    return f"Arguments: {', '.join(schema['properties']) or 'none'}. Required: {required}. Correct them and call again."


def _line(error: ErrorDetails, schema: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    rule = error["msg"].removeprefix("Value error, ")
    if error["type"] == "dict_type":
        rule = _object_rule(schema["properties"].get(error["loc"][0], {}))
    return f"- {where}: {rule}" if where else f"- {rule}"


def _object_rule(schema: Mapping[str, Any]) -> str:
    """Return how an object with free names is given, in the form of `tools.schema.portable`."""
    return "a JSON object, as text." if map_of(schema) is None else "a list of `name` and `value`, each name once."


def _unknown(operation: OperationType, unknown: list[str], known: list[str], added_by_clients: Collection[str]) -> str:
    lines = [_head(operation)]
    for name in unknown:
        if name in added_by_clients:
            lines.append(f"- {added_by_client_hint(name)}")
            continue
        close = nearest(name, known)
        lines.append(f"- {name}: there is no such argument" + (f"; did you mean {close[0]}?" if close else "."))
    return "\n".join([*lines, _footer(operation)])


def _parse_paging(operation: OperationType, given: dict[str, Any]) -> Paging:
    if operation.spec.rows is None:
        return Paging()
    own = operation.model_fields
    limit = PAGE_SIZE if "limit" in own else given.pop("limit", PAGE_SIZE)
    cursor = "0" if "cursor" in own else given.pop("cursor", "0")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= LARGEST_PAGE:
        raise BadArguments(f"{_head(operation)}\n- limit: a whole number from 1 to {LARGEST_PAGE}.")
    if not isinstance(cursor, str) or not re.fullmatch(r"[0-9]{1,18}", cursor):
        raise BadArguments(f"{_head(operation)}\n- cursor: the `next_cursor` of the page before, unchanged.")
    return Paging(limit, int(cursor))


def _secrets(operation: OperationType, given: dict[str, Any], account: AccountSettings) -> dict[str, str]:
    filled: dict[str, str] = {}
    for name in server_inputs(operation):
        rule = secret_rule(operation, name)
        if not operation.model_fields[name].is_required():
            flag = secret_flag(operation, name)
            wanted = given.pop(flag, False)
            if not isinstance(wanted, bool):
                raise BadArguments(f"{_head(operation)}\n- {flag}: true or false.")
            if not wanted:
                continue
        value = rule.generate() if rule.generate else account.value_of(rule.setting or name)
        if value is None:
            raise BadArguments(
                f"{_head(operation)}\nThe operator has not set {rule.setting or name} for this provider."
            )
        filled[name] = value
    return filled
