"""Caches tool lists on disk between starts: importing the operations takes longer than the rest of a start.

A cached list is used only with the sources it was built from; where it cannot be written, it is built at each start.
"""

import hashlib
import json
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = "listings"
ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("tools", "clients", "server")
"""The packages that decide what a list holds."""


class RegistryCache:
    """Tool lists in files of a folder that only the operator's user can write."""

    def __init__(self, state_folder: Path) -> None:
        self._folder = state_folder / FOLDER

    def read(self, key: str) -> list[dict[str, Any]] | None:
        """Return the list that is cached under a key; None where there is none from these sources."""
        try:
            cached = json.loads(self._file(key).read_text(encoding="utf-8"))
            return cached["tools"] if cached["sources"] == _fingerprint() and cached["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, key: str, tools: list[dict[str, Any]]) -> None:
        """Cache a list. A folder that cannot be written costs only the time to build the list again."""
        content = json.dumps({"key": key, "sources": _fingerprint(), "tools": tools}, ensure_ascii=False)
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
