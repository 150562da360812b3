"""Builds the input schema of an operation as a model sees it: strict, flat and short."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from clients.descriptions import field_descriptions
from clients.fields import KeptFromModel, is_secret
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
    """Build a flat JSON schema: no generated titles, no null alternatives, no fields that the server fills in."""
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


def server_inputs(operation: OperationType) -> list[str]:
    """Return the fields that the server fills in: secrets, and what belongs to them."""
    return [
        name
        for name, field in operation.model_fields.items()
        if is_secret(field.annotation) or any(isinstance(item, KeptFromModel) for item in field.metadata)
    ]


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
