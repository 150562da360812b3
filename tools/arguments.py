"""Parses a model's arguments into a validated operation, or into an error that the model can act on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from clients.operation import Operation, OperationType
from clients.settings import AccountSettings
from tools.registry import nearest
from tools.schema import LARGEST_PAGE, PAGE_SIZE, input_schema, secret_flag, secret_rule, server_inputs


class BadArguments(Exception):
    """The arguments do not fit. The message names each argument, the rule and the allowed values."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which rows of a long list to show."""

    limit: int = PAGE_SIZE
    offset: int = 0
    provider_paged: Operation[Any] | None = None
    """The call, where the provider pages the list itself; None where the whole list is read."""


def parse(operation: OperationType, arguments: Mapping[str, Any], account: AccountSettings) -> tuple[Any, Paging]:
    """Return the validated call, with its secret inputs filled in by the server, and the rows to show.

    Raises:
        BadArguments: An argument is unknown, missing, of the wrong type or out of bounds.
    """
    given = dict(arguments)
    known = input_schema(operation)["properties"]
    if unknown := [name for name in given if name not in known]:
        raise BadArguments(_unknown(operation, unknown, list(known)))
    paging = _parse_paging(operation, given)
    secrets = _secrets(operation, given, account)
    try:
        call = operation.model_validate(given | secrets)
    except ValidationError as misfit:
        lines = [_line(error) for error in misfit.errors(include_url=False, include_input=False)]
        raise BadArguments("\n".join([_head(operation), *lines, _footer(operation)])) from misfit
    return call, Paging(provider_paged=call) if "cursor" in operation.model_fields else paging


def _head(operation: OperationType) -> str:
    return f"The arguments of {operation.spec.tool_name} do not fit; nothing was sent."


def _footer(operation: OperationType) -> str:
    schema = input_schema(operation)
    required = ", ".join(schema.get("required", [])) or "none"
    return f"Arguments: {', '.join(schema['properties']) or 'none'}. Required: {required}. Correct them and call again."


def _line(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"])
    rule = error["msg"].removeprefix("Value error, ")
    return f"- {where}: {rule}" if where else f"- {rule}"


def _unknown(operation: OperationType, unknown: list[str], known: list[str]) -> str:
    lines = [_head(operation)]
    for name in unknown:
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
