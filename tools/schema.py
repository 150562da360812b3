"""Builds the input schema of an operation as a model sees it: strict, flat, short, and what every client passes on."""

import json
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, cast

from clients.descriptions import field_descriptions
from clients.fields import KeptFromModel, is_filled_by_server
from clients.operation import OperationType

PAGE_SIZE = 50
LARGEST_PAGE = 500

PAGING: Mapping[str, Any] = {
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": LARGEST_PAGE,
        "default": PAGE_SIZE,
        "description": "Rows to show.",
    },
    "cursor": {"type": "string", "description": "`next_cursor` of the page before."},
}


@cache
def input_schema(operation: OperationType) -> dict[str, Any]:
    """Build the schema that clients get: that of the arguments, in the part of JSON Schema that all of them pass on."""
    return cast("dict[str, Any]", portable(argument_schema(operation)))


@cache
def argument_schema(operation: OperationType) -> dict[str, Any]:
    """Build the flat schema of the arguments: no titles, no null alternatives, no fields that the server fills in."""
    generated = operation.model_json_schema(mode="validation")
    schema = cast("dict[str, Any]", slim(generated, generated.get("$defs", {})))
    sentences = field_descriptions(operation)
    properties: dict[str, Any] = {
        name: {"description": sentences[name], **rule} if name in sentences else rule
        for name, rule in schema.get("properties", {}).items()
    }
    required: list[str] = list(schema.get("required", []))
    for name in server_inputs(operation):
        properties.pop(name, None)
        if name in required:
            required.remove(name)
        elif not operation.model_fields[name].is_required():
            properties[secret_flag(operation, name)] = generated_secret_schema(operation, name)
    if operation.spec.rows is not None:
        properties |= {name: rule for name, rule in PAGING.items() if name not in properties}
    out: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return out | ({"required": required} if required else {})


@lru_cache(maxsize=4096)  # bounded, because plans make classes of their own
def server_inputs(operation: OperationType) -> tuple[str, ...]:
    """Return the fields that the server fills in: secrets, and what belongs to them."""
    return tuple(name for name, field in operation.model_fields.items() if is_filled_by_server(field))


def secret_rule(operation: OperationType, name: str) -> KeptFromModel:
    """Return the rule by which the server fills in a field."""
    metadata = operation.model_fields[name].metadata
    return next((item for item in metadata if isinstance(item, KeptFromModel)), KeptFromModel(setting=name))


def secret_flag(operation: OperationType, name: str) -> str:
    """Return the name of the flag by which a model requests an optional secret, generated or from the settings."""
    return f"generate_{name}" if secret_rule(operation, name).generate else f"use_{name}"


def generated_secret_schema(operation: OperationType, name: str) -> dict[str, Any]:
    """Build the schema of the flag that stands for an optional secret."""
    return {"type": "boolean", "default": False, "description": field_descriptions(operation).get(name, "")}


def slim(node: Any, definitions: Mapping[str, Any], within: tuple[str, ...] = ()) -> Any:
    """Strip titles and null alternatives from a JSON schema, and write its definitions out where they are used."""
    if isinstance(node, list):
        return [slim(item, definitions, within) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("dict[str, Any]", node)
    reference = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if reference in definitions and reference not in within:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return slim({**definitions[reference], **beside}, definitions, (*within, reference))
    alternatives = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(alternatives) == 1:
        beside = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
        return slim({**alternatives[0], **beside}, definitions, within)
    return {
        key: {name: slim(inner, definitions, within) for name, inner in value.items()}
        if key in {"properties", "patternProperties"}
        else slim(value, definitions, within)
        for key, value in schema.items()
        if key != "$defs" and not (key == "title" and isinstance(value, str))
    }


FREE_OBJECT: Final = "A JSON object, as text."


def portable(node: Any) -> Any:
    """Rewrite a schema into what converters of clients neither drop nor refuse.

    Gemini has text enums only, no `const`, and no objects whose keys are not named; OpenAI's strict mode has none
    either; Semantic Kernel keeps the first of several alternatives; ADK drops the format `date`. So an enum is text, a
    map is a list of names and values, an object of anything is JSON text, and alternatives of one type are that type.
    `tools.arguments.normalize` reads all of these, and also the plain forms.
    """
    if isinstance(node, list):
        return [portable(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("dict[str, Any]", node)
    if choices := choices_of(schema):
        others = {key: value for key, value in schema.items() if key not in {"const", "enum", "type", "default"}}
        default = {"default": as_choice(schema["default"])} if "default" in schema else {}
        return {**others, **default, "enum": list(choices), "type": "string"}
    if is_free(schema):
        said = " ".join(part for part in (schema.get("description"), FREE_OBJECT) if part)
        return {"description": said, "type": "string"}
    if (kept := map_of(schema)) is not None:
        pair = {"name": {"type": "string", **kept[0]}, "value": portable(kept[1])}
        items = {"type": "object", "properties": pair, "required": ["name", "value"], "additionalProperties": False}
        others = {key: value for key, value in schema.items() if key == "description"}
        least = {"minItems": schema["minProperties"]} if "minProperties" in schema else {}
        return {**others, "items": items, **least, "type": "array"}
    if (alternatives := cast("list[dict[str, Any]]", schema.get("anyOf", []))) and (kind := _common_type(alternatives)):
        return {**{key: value for key, value in schema.items() if key != "anyOf"}, "type": kind}
    if schema.get("format") == "date":
        others = {key: value for key, value in schema.items() if key != "format"}
        return {**others, "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    return {
        key: {name: portable(inner) for name, inner in value.items()}
        if key == "properties"
        else portable(value)
        if key in {"items", "anyOf"}
        else value
        for key, value in schema.items()
    }


def portable_value(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a value of a schema in the form that `portable` describes."""
    if choices_of(schema):
        return as_choice(value)
    if is_free(schema) and isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return [portable_value(schema.get("items", {}), item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    if (rules := map_of(schema)) is not None:
        return [{"name": name, "value": portable_value(rules[1], inner)} for name, inner in fields.items()]
    named: Mapping[str, Any] = schema.get("properties", {})
    return {name: portable_value(named.get(name, {}), inner) for name, inner in fields.items()}


def choices_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a schema lists, by the text that stands for each; empty where it lists none."""
    values: list[Any] = schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else []
    return {as_choice(value): value for value in values}


def as_choice(value: Any) -> str:
    """Return the text that stands for one value of an enum."""
    return value if isinstance(value, str) else json.dumps(value)


def is_free(schema: Mapping[str, Any]) -> bool:
    """Return True for an object that may hold anything."""
    is_object = schema.get("type") == "object" and not schema.get("properties")
    return is_object and "patternProperties" not in schema and schema.get("additionalProperties", True) is True


def map_of(schema: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the rules of a map's names and values; None for what is no map."""
    if schema.get("type") != "object" or schema.get("properties"):
        return None
    named: dict[str, Any] = schema.get("patternProperties", {})
    if len(named) == 1:
        [(pattern, value)] = named.items()
        return {"pattern": pattern}, value
    value = schema.get("additionalProperties")
    return ({}, cast("dict[str, Any]", value)) if isinstance(value, dict) else None


def _common_type(alternatives: list[dict[str, Any]]) -> str | None:
    """Return the type that all alternatives have in common, where it says enough: they are no objects or arrays."""
    kinds = {portable(alternative).get("type") for alternative in alternatives}
    kind = kinds.pop() if len(kinds) == 1 else None
    return kind if kind in {"string", "integer", "number", "boolean"} else None


ACCOUNT: Final = "account"
"""The argument that names an account, where a session may use several of a provider."""


def with_account(schema: Mapping[str, Any], names: Sequence[str], default: str | None = None) -> dict[str, Any]:
    """Return a tool's schema with the argument that names the account; it may be left out where there is a default."""
    said = "Which account." if default is None else f"Which account; {default} if left out."
    argument = {"description": said, "enum": list(names), "type": "string"}
    properties = {ACCOUNT: argument, **schema.get("properties", {})}
    required = [*([ACCOUNT] if default is None else []), *schema.get("required", [])]
    return {**schema, "properties": properties} | ({"required": required} if required else {})
