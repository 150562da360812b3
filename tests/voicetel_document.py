"""VoiceTel's public OpenAPI document, where a copy of it lies beside the project; it is not part of the project."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from jsonschema import Draft202012Validator

FILE: Final = Path(__file__).resolve().parents[2] / "shared" / "providers" / "voicetel-openapi-2.2.10.json"

JSON: Final = "application/json"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

Schema = Mapping[str, Any]


@cache
def document() -> dict[str, Any]:
    """Return the whole document."""
    return cast("dict[str, Any]", json.loads(FILE.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class DocumentedOperation:
    """One operation of the document."""

    method: str
    path: str
    content: Schema

    @property
    def call(self) -> tuple[str, str]:
        """Method and path, the latter without the names of its placeholders."""
        return self.method, without_names(self.path)

    def parameters(self, place: str) -> dict[str, Schema]:
        """Return what is documented for the `query`, `path` or `header`, by name."""
        found: list[Schema] = self.content.get("parameters", [])
        return {parameter["name"]: parameter for parameter in found if parameter["in"] == place}

    @property
    def body(self) -> Schema | None:
        """The schema of the body; None where it takes none."""
        body = self.content.get("requestBody")
        return body["content"][JSON]["schema"] if body else None

    def answer(self, status: int) -> Schema | None:
        """Return the schema of the answer with this status; None where it has no body.

        Raises:
            KeyError: The status is not documented.
        """
        content = self.content["responses"][str(status)].get("content")
        return content[JSON]["schema"] if content else None

    @property
    def data(self) -> Schema | None:
        """The schema of what a successful answer holds inside its envelope; None where it has no body."""
        successes = (status for status in self.content["responses"] if status.startswith("2"))
        schema = self.answer(int(next(successes)))
        return resolve(schema)["properties"]["data"] if schema else None


@cache
def operations() -> dict[tuple[str, str], DocumentedOperation]:
    """Return every operation, by its call."""
    found = (
        DocumentedOperation(method.upper(), path, content)
        for path, methods in document()["paths"].items()
        for method, content in methods.items()
    )
    return {operation.call: operation for operation in found}


def operation_at(method: str, path: str) -> DocumentedOperation:
    """Return the operation that a request goes to: the one whose path has the fewest placeholders.

    Raises:
        LookupError: The document has none.
    """
    fitting = [
        operation
        for operation in operations().values()
        if operation.method == method and re.fullmatch(_PLACEHOLDER.sub("[^/]+", operation.path), path)
    ]
    if not fitting:
        raise LookupError(f"{method} {path} is not in the document")
    return min(fitting, key=lambda operation: operation.path.count("{"))


def path_values(operation: DocumentedOperation, path: str) -> dict[str, str]:
    """Return what a path has in place of each placeholder."""
    found = re.fullmatch(_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", operation.path), path)
    return found.groupdict() if found else {}


def without_names(path: str) -> str:
    """Return a path whose placeholders have no names: the document and we call some of them differently."""
    return _PLACEHOLDER.sub("{}", path)


def resolve(schema: Schema) -> Schema:
    """Follow references."""
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def violations(value: Any, schema: Schema) -> list[str]:
    """Return what of a value the schema does not allow, a sentence each."""
    whole = {**schema, "components": document()["components"]}
    validator: Any = Draft202012Validator(whole)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def undocumented(value: object, schema: Schema, at: str = "") -> Iterator[str]:
    """Yield each member that the schema does not name, at any depth. The schemas allow such members."""
    schema = resolve(schema)
    if isinstance(value, list):
        for item in cast("list[object]", value):
            yield from undocumented(item, schema.get("items", {}), at + "[]")
    elif isinstance(value, dict) and "properties" in schema:
        known: dict[str, Schema] = schema["properties"]
        for name, member in cast("dict[str, object]", value).items():
            if name in known:
                yield from undocumented(member, known[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}".removeprefix(".")
