"""From a request's parameters to a checked call: names, types, references, tenancy."""

from collections.abc import Mapping
from urllib.parse import unquote_plus

from sandbox.enswitch.access import AUTHENTICATION, TOKENS_SINCE, Reach
from sandbox.enswitch.fields import Field, Row
from sandbox.enswitch.function import Function
from sandbox.enswitch.state import State
from sandbox.enswitch.wire import Problem, Refusal, refuse

CREDENTIALS = frozenset({
    "auth_username", "auth_password", "auth_token",
    "password", "pin", "adminpin", "listenpin", "talkpin",
})  # fmt: skip
"""Parameters that do not belong in a URL, which ends up in logs and histories."""


def pairs_of(text: str) -> list[tuple[str, str]]:
    """Return the name-value pairs, separated by `&`, as clients send them, or `;`, as the guide's examples do."""
    parts = (part.partition("=") for part in text.replace(";", "&").split("&") if part)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in parts]


def merged(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the parameters of URL and form together.

    Raises:
        Refusal: 400 if one was given twice (inferred).
    """
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise refuse(400, name, "was given more than once")
        parameters[name] = value
    return parameters


def checked(state: State, function: Function, reach: Reach, parameters: Mapping[str, str]) -> Row:
    """Return the parameters read as their types, with defaults.

    Raises:
        Refusal: 400 with every problem found, or 404 if a row that must exist does not.
    """
    version = state.settings.version
    fields = function.fields_of(version)
    unwanted = AUTHENTICATION if version >= TOKENS_SINCE else AUTHENTICATION[:2]
    given = {name: value for name, value in parameters.items() if name not in unwanted}
    problems = [_unknown(function, name) for name in given if name not in fields]
    args = Row()
    for field in fields.values():
        problems += _read(field, given, args)
    problems += _check_sets(function, given)
    if not problems:
        problems = [problem for field in fields.values() if (problem := _check_reference(state, reach, field, args))]
    if problems:
        raise Refusal(problems)
    return args


def _unknown(function: Function, name: str) -> Problem:
    """inferred: the guide does not say what becomes of unknown parameters; here they are refused."""
    doubt = "; its page was cut off, so the real one may have it" if function.cut else ""
    return Problem(400, name, f"unknown parameter of {function.path}{doubt}")


def _read(field: Field, given: Mapping[str, str], args: Row) -> list[Problem]:
    """Put a parameter's value, or its default, into `args`."""
    if field.name in given:
        try:
            args[field.name] = field.read(given[field.name])
        except ValueError as error:
            return [Problem(400, field.name, str(error))]
    elif field.required:
        return [Problem(400, field.name, "is required")]
    elif field.default is not None:
        args[field.name] = field.default
    return []


def _check_sets(function: Function, given: Mapping[str, str]) -> list[Problem]:
    one = [name for name in function.exactly_one if name in given]
    if function.exactly_one and len(one) != 1:
        return [Problem(400, function.exactly_one[0], f"exactly one of {', '.join(function.exactly_one)}")]
    most = [name for name in function.at_most_one if given.get(name, "0") not in {"", "0"}]
    if len(most) > 1:
        return [Problem(400, most[1], f"at most one of {', '.join(function.at_most_one)}")]
    return []


def _check_reference(state: State, reach: Reach, field: Field, args: Row) -> Problem | None:
    """Check that an identifier names a visible row, and `customer` a customer in reach; 0 and -1 name none."""
    value = args.get(field.name)
    if field.name == "customer" and isinstance(value, int) and not field.refers:
        # numbers/system/create and update have 0 for the pool
        in_reach = reach.has(value) or (value == 0 and field.low == 0)
        return None if in_reach or reach.is_nobody else Problem(400, "customer", "Invalid customer specified.")
    if not field.refers or not isinstance(value, int) or (value <= 0 and not field.required):
        return None
    row = state.find(field.refers, value)
    if row is None or not (reach.sees(field.refers, row) or reach.is_nobody):
        return Problem(field.missing, field.name, f"no such {field.name}, or you may not see it")
    return None
