"""The strict, slim input schema of an operation, as a model sees it."""

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
    """A flat JSON schema: no generated titles, no null arms, nothing that the model may not fill in."""
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
    """Fields that the server fills in: secrets, and what goes with them."""
    return [
        name
        for name, field in operation.model_fields.items()
        if is_secret(field.annotation) or any(isinstance(item, KeptFromModel) for item in field.metadata)
    ]


def secret_rule(operation: OperationType, name: str) -> KeptFromModel:
    """How the server comes by an input of its own."""
    metadata = operation.model_fields[name].metadata
    return next((item for item in metadata if isinstance(item, KeptFromModel)), KeptFromModel(setting=name))


def secret_flag(operation: OperationType, name: str) -> str:
    """The argument by which a model asks for an optional secret that it never sees: made anew, or from the settings."""
    return f"generate_{name}" if secret_rule(operation, name).generate else f"use_{name}"


def generated_secret_schema(operation: OperationType, name: str) -> dict[str, Any]:
    """The flag in place of an optional secret."""
    return {"type": "boolean", "default": False, "description": field_descriptions(operation).get(name, "")}


def slim(node: Any, definitions: Mapping[str, Any], within: tuple[str, ...] = ()) -> Any:
    """A JSON schema without titles and null arms, its definitions written out where they are used."""
    if isinstance(node, list):
        return [slim(item, definitions, within) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("dict[str, Any]", node)
    reference = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if reference in definitions and reference not in within:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return slim({**definitions[reference], **beside}, definitions, (*within, reference))
    arms = [arm for arm in schema.get("anyOf", []) if arm != {"type": "null"}]
    if len(arms) == 1:
        beside = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
        return slim({**arms[0], **beside}, definitions, within)
    return {
        key: {name: slim(inner, definitions, within) for name, inner in value.items()}
        if key in {"properties", "patternProperties"}
        else slim(value, definitions, within)
        for key, value in schema.items()
        if key != "$defs" and not (key == "title" and isinstance(value, str))
    }
