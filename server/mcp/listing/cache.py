"""Caches tool lists on disk between starts: importing the operations takes longer than the rest of a start.

A cached list is used only with the sources it was built from; where it cannot be written, it is built at each start.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mcp.types import Tool as ListedTool

from tools.selection import ToolInfo

FOLDER = "listings"
ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("tools", "clients", "server")
"""The packages that decide what a list holds."""


@dataclass(frozen=True)
class RegisteredTool:
    """A tool as `tools/list` shows it, and the module that declares it."""

    tool: ListedTool
    info: ToolInfo
    module: str | None
    """`<provider>.<module>` of an operation; None for a built-in tool."""

    @cached_property
    def row(self) -> dict[str, Any]:
        """The tool as the cache keeps it."""
        return {
            "tool": self.tool.model_dump(mode="json", by_alias=True, exclude_none=True),
            "toolsets": sorted(self.info.toolsets),
            "only_reads": self.info.only_reads,
            "module": self.module,
        }


class ListingCache:
    """Tool lists in files of a folder that only the operator's user can write."""

    def __init__(self, state_folder: Path) -> None:
        self._folder = state_folder / FOLDER

    def read(self, key: str) -> Sequence[RegisteredTool] | None:
        """Return the list that is cached under a key; None where there is none from these sources."""
        try:
            cached = json.loads(self._file(key).read_text(encoding="utf-8"))
            if cached["sources"] != _fingerprint() or cached["key"] != key:
                return None
            return [_from_row(row) for row in cached["tools"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, key: str, tools: Iterable[RegisteredTool]) -> None:
        """Cache a list. A folder that cannot be written costs only the time to build the list again."""
        rows = [registered.row for registered in tools]
        content = json.dumps({"key": key, "sources": _fingerprint(), "tools": rows}, ensure_ascii=False)
        file = self._file(key)
        with suppress(OSError):
            self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # `mode` is for the last folder alone
            self._folder.mkdir(exist_ok=True, mode=0o700)
            fresh = file.with_suffix(f".{os.getpid()}")
            fresh.write_text(content, encoding="utf-8")
            fresh.replace(file)

    def _file(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


@cache  # a process keeps the sources that it started with
def _fingerprint() -> str:
    """Return a hash that changes with the sources, the interpreter and the libraries that shape schemas."""
    found = hashlib.sha256(f"{sys.version} {version('pydantic')} {version('mcp')}".encode())
    for package in SOURCES:
        for folder, _, names in sorted(os.walk(ROOT / package)):
            for name in sorted(names):
                if name.endswith(".py"):
                    facts = Path(folder, name).stat()
                    found.update(f"{folder}/{name} {facts.st_mtime_ns} {facts.st_size}".encode())
    return found.hexdigest()


def _from_row(row: Mapping[str, Any]) -> RegisteredTool:
    tool = ListedTool.model_validate(row["tool"])
    return RegisteredTool(tool, ToolInfo(tool.name, frozenset(row["toolsets"]), row["only_reads"]), row["module"])
