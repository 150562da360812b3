"""Finds the line of a TOML file that a setting stands on, so that an error can name it. `tomllib` keeps no lines."""

import re
from collections import Counter
from collections.abc import Sequence

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[|\[)([^\]]+)\]")
_KEY = re.compile(r"\s*((?:[A-Za-z0-9_\-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_\-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"[A-Za-z0-9_\-]+|\"[^\"]*\"|'[^']*'")


def line_of(text: str, setting: Sequence[str | int]) -> int | None:
    """The line of a setting, or of the `[[table]]` that lacks it; None where the file does not have it."""
    wanted = tuple(setting)
    lines = {path: number for number, path in reversed(_paths(text))}
    around = wanted[:-1] if wanted and isinstance(wanted[-2:][0], int) else None
    return lines.get(wanted) or (lines.get(around) if around else None)


def _paths(text: str) -> list[tuple[int, Path]]:
    """What each line sets."""
    found: list[tuple[int, Path]] = []
    table: Path = ()
    seen = Counter[Path]()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                seen[table] += 1
                table = (*table, seen[table] - 1)
            found.append((number, table))
        elif key := _KEY.match(line):
            found.append((number, (*table, *_parts(key[1]))))
    return found


def _parts(written: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(written))
