"""Turn every tool's schema into what a library sends to its model: `converters.py LIBRARY < tools/list as JSON`.

A converter passes if it refuses no schema, and keeps every argument with its type, description and choices.
"""

import copy
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]
Converted = Callable[[Schema], Any]


def langchain(tool: Schema) -> Any:
    """LangChain's conversion for Gemini, which takes all tools or none."""
    from langchain_google_genai._function_utils import convert_to_genai_function_declarations

    given = {"name": tool["name"], "description": tool["description"], "parameters": tool["inputSchema"]}
    return convert_to_genai_function_declarations([given])[0].function_declarations[0].parameters


def google_adk(tool: Schema) -> Any:
    """google-adk's conversion for Gemini."""
    from google.adk.tools._gemini_schema_util import _to_gemini_schema

    return _to_gemini_schema(tool["inputSchema"])


def openai_agents(tool: Schema) -> Any:
    """openai-agents' strict mode, which refuses objects with free names."""
    from agents.strict_schema import ensure_strict_json_schema

    return ensure_strict_json_schema(copy.deepcopy(tool["inputSchema"]))


def semantic_kernel(tool: Schema) -> Any:
    """Semantic Kernel's conversion for Gemini, which keeps the first of several alternatives."""
    from semantic_kernel.connectors.ai.google.shared_utils import sanitize_schema_for_google_ai

    arguments = {name: sanitize_schema_for_google_ai(rule) for name, rule in tool["inputSchema"]["properties"].items()}
    return {"type": "object", "properties": arguments}


ALL: tuple[Converted, ...] = (langchain, google_adk, openai_agents, semantic_kernel)


def differences(schema: Schema, converted: Any, at: str = "") -> Iterator[str]:
    """Yield what a converted schema has lost."""
    if converted is None:
        if schema.get("properties"):
            yield f"{at}: lost"
        return
    kind = _read(converted, "type")
    if str(getattr(kind, "value", kind)).lower() != schema["type"]:
        yield f"{at}: type {schema['type']} became {kind}"
    for key in ("enum", "description"):
        if at and schema.get(key) and _read(converted, key) != schema[key]:
            yield f"{at}: {key} became {_read(converted, key)!r}"
    for name, inner in schema.get("properties", {}).items():
        kept = _read(converted, "properties") or {}
        yield from differences(inner, kept.get(name), f"{at}.{name}") if name in kept else [f"{at}.{name}: lost"]
    if "items" in schema:
        yield from differences(schema["items"], _read(converted, "items"), f"{at}[]")


def _read(converted: Any, key: str) -> Any:
    return converted.get(key) if isinstance(converted, dict) else getattr(converted, key, None)


def main() -> None:
    """Print what is lost, and end with 1 if anything is."""
    logging.disable(logging.CRITICAL)
    name, lost = sys.argv[1], []
    convert = next(one for one in ALL if one.__name__ == name)
    for tool in json.load(sys.stdin):
        try:
            lost += [f"{tool['name']}{at}" for at in differences(tool["inputSchema"], convert(tool))]
        except Exception as refused:  # whatever a library raises
            lost.append(f"{tool['name']}: {type(refused).__name__}: {refused}")
    print(f"{name}: {'; '.join(lost) or 'ok'}")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
