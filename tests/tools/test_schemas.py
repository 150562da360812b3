"""What a model sees of each tool is pinned: a change of words is a change of the interface, and is reviewed as one.

`RINGFENCE_WRITE_SNAPSHOTS=1 uv run pytest tests/tools/test_schemas.py` writes the pins anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import bpe_openai  # pyright: ignore[reportMissingTypeStubs] - it ships none
import pytest

from clients.operation import OperationType
from server.mcp.listing.entries import annotations
from server.mcp.listing.registry import ToolRegistry
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tools.description import tool_description
from tools.registry import all_operations
from tools.schema import input_schema

FOLDER = Path(__file__).parent / "snapshots"
WRITES = os.environ.get("RINGFENCE_WRITE_SNAPSHOTS") == "1"


def _listed(operation: OperationType) -> dict[str, Any]:
    spec = operation.spec
    return {
        "name": spec.tool_name,
        "title": spec.title,
        "description": tool_description(operation),
        "inputSchema": input_schema(operation),
        "annotations": annotations(spec).model_dump(by_alias=True, exclude_none=True),
    }


@pytest.mark.parametrize("name", sorted(all_operations()))
def test_what_a_model_sees_of_it_is_pinned(name: str) -> None:
    file = FOLDER / f"{name}.json"
    seen = json.dumps(_listed(all_operations()[name]), indent=2, ensure_ascii=False) + "\n"
    if WRITES:
        file.parent.mkdir(exist_ok=True)
        file.write_text(seen, encoding="utf-8")
    assert file.is_file(), "no snapshot; see the module's docstring"
    assert seen == file.read_text(encoding="utf-8")


def test_every_snapshot_belongs_to_an_operation() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(all_operations())


def tokens(operations: list[OperationType]) -> int:
    """o200k tokens of the tools as a client gets them."""
    listing = json.dumps([_listed(operation) for operation in operations], separators=(",", ":"), ensure_ascii=False)
    return len(bpe_openai.get_encoding("o200k_base").encode(listing))


def test_all_of_voicetel_costs_at_most_15000_tokens() -> None:
    voicetel = [operation for operation in all_operations().values() if operation.spec.provider.name == "voicetel"]
    assert tokens(voicetel) <= 15_000


def _list_tools(folder: Path, **selected: Any) -> list[dict[str, Any]]:
    """Return the tool list that a client of a server with all four providers gets."""
    settings = for_sandbox(settings_class().model_validate({"state_folder": folder, **selected}), "http://unused.test")
    listed = ToolRegistry(settings).listed.values()
    return [one.tool.model_dump(mode="json", by_alias=True, exclude_none=True) for one in listed]


def _cost(listed: list[dict[str, Any]]) -> int:
    text = json.dumps(listed, separators=(",", ":"), ensure_ascii=False)
    return len(bpe_openai.get_encoding("o200k_base").encode(text))


def test_the_default_selection_of_all_providers_is_at_most_25_tools_and_6000_tokens(tmp_path: Path) -> None:
    listed = _list_tools(tmp_path)
    assert len(listed) <= 25
    assert _cost(listed) <= 6_000


def test_all_tools_cost_at_most_220_tokens_each(tmp_path: Path) -> None:
    listed = _list_tools(tmp_path, toolsets=["all"])
    assert len(listed) > len(all_operations())
    assert _cost(listed) / len(listed) <= 220


def test_what_a_model_sees_of_built_in_tools_is_pinned(tmp_path: Path) -> None:
    own = [tool for tool in _list_tools(tmp_path, toolsets=["all"]) if tool["name"] not in all_operations()]
    seen = json.dumps(own, indent=2, ensure_ascii=False) + "\n"
    file = FOLDER.parent / "builtin_tools.json"
    if WRITES:
        file.write_text(seen, encoding="utf-8")
    assert seen == file.read_text(encoding="utf-8")
