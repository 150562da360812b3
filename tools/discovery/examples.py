"""An example call for an operation, made from its schema: its required arguments, and nothing that the rules refuse."""

from collections.abc import Mapping
from typing import Any, cast

from tools.arguments import BadArguments, parse
from tools.catalog import OperationType
from tools.schema import input_schema

TEXTS: Mapping[str, str] = {
    r"^\+1[2-9][0-9]{2}[2-9][0-9]{6}$": "+12015550142",
    r"^\+[1-9][0-9]{6,14}$": "+306912345678",
    r"^https://\S+$": "https://example.com/hook",
    r"^\+1[2-9][0-9]{9}$": "+12015550142",
}
BY_FORMAT: Mapping[str, str] = {
    "date-time": "2026-12-01T10:00:00Z",
    "date": "2026-12-01",
    "email": "office@example.com",
    "ipv4": "198.51.100.7",
}
BY_NAME: Mapping[str, str] = {
    "number": "+12015550142",
    "destination": "+12125550142",
    "to": "+12125550142",
    "email": "office@example.com",
    "zip": "07601",
    "state": "NJ",
    "country": "US",
    "text": "Your table is ready.",
}


def example_of(operation: OperationType) -> dict[str, Any] | None:
    """Arguments with which the operation could be called; None where the schema does not tell enough."""
    schema = input_schema(operation)
    required: list[str] = schema.get("required", [])
    arguments = {name: _value(name, schema["properties"][name]) for name in required}
    return arguments if example_call(operation, arguments) is not None else None


def example_call(operation: OperationType, arguments: Mapping[str, Any]) -> Any | None:
    """The validated call of example arguments; None where they do not fit."""
    try:
        return parse(operation, arguments, lambda _setting: "example-setting")[0]
    except BadArguments:
        return None


def _value(name: str, schema: Mapping[str, Any]) -> Any:
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if arms := cast("list[dict[str, Any]]", schema.get("anyOf") or schema.get("oneOf") or []):
        return _value(name, arms[0])
    match schema.get("type"):
        case "array":
            return [_value(name.removesuffix("s"), schema.get("items", {}))] * int(schema.get("minItems", 1))
        case "object":
            inner: dict[str, Any] = schema.get("properties", {})
            return {key: _value(key, inner[key]) for key in schema.get("required", [])}
        case "integer":
            return int(schema.get("minimum", 1))
        case "number":
            return float(schema.get("minimum", 1))
        case "boolean":
            return True
        case _:
            return _text(name, schema)


def _text(name: str, schema: Mapping[str, Any]) -> str:
    pattern = str(schema.get("pattern", ""))
    if pattern in TEXTS:
        return TEXTS[pattern]
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[str(schema["format"])]
    if name in BY_NAME:
        return BY_NAME[name]
    return "example".ljust(int(schema.get("minLength", 0)), "e")
