"""Adds an entry to another program's settings file and leaves every other byte of it as it is.

JSON is not parsed and written again: comments, trailing commas and the order of keys would not survive that. The entry
is put behind the opening brace of its table, and the result is read back before anything is written.
"""

import json
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast

from server.cli.init.mcp_clients import NAME, McpClient, json_text, toml_entry

Outcome = Literal["written", "already there"]

_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.DOTALL)
"""A text, a comment, or a comma with nothing behind it: the texts are matched so that nothing in them is."""

_DECODER: Final = json.JSONDecoder()


class CannotAdd(Exception):
    """The entry cannot be added without changing something else. The message is the reason; nothing was written."""


def add_to_client(client: McpClient, entry: Mapping[str, Any], file: Path) -> tuple[Outcome, Path | None]:
    """Add the server to a client's settings file; returns what was done, and where the file as it was is kept.

    Raises:
        CannotAdd: The file cannot be read, holds something else, or has another server of this name.
    """
    file = file.resolve()  # a link, as people keep their settings elsewhere, stays one
    try:
        content = file.read_bytes() if file.exists() else b""
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as failed:
        raise CannotAdd(f"{file} cannot be read as text: {failed}") from failed
    add = _add_to_toml if client.form == "toml" else _add_to_json
    changed = add(text, client.section, entry, file)
    if changed == text:
        return "already there", None
    try:
        return "written", _replace(file, changed, has_content=bool(content))
    except OSError as failed:
        raise CannotAdd(f"{file} cannot be written: {failed.strerror}") from failed


def _add_to_json(text: str, section: str, entry: Mapping[str, Any], file: Path) -> str:
    """Return JSON, with comments if it has some, with the entry in its section."""
    if not text.strip("\ufeff \t\r\n"):
        return json_text({section: {NAME: dict(entry)}}) + "\n"
    plain = _blank_out(text)
    before = _read_json(plain, file)
    servers = _table_in(before, section, file)
    there = servers.get(NAME)
    if there is not None:
        return _keep_entry(text, there, entry, file)
    newline = "\r\n" if "\r\n" in text else "\n"
    root = plain.index("{")
    place = _find_value(plain, root, section)
    added: dict[str, Any]
    if place is None:
        added, at, is_empty = {section: {NAME: dict(entry)}}, root, not before
    else:
        added, at, is_empty = {NAME: dict(entry)}, place, not servers
    depth = 1 if place is None else 2
    lines = json_text(added).splitlines()[1:-1]
    inner = newline + newline.join("  " * (depth - 1) + line for line in lines)
    closing = newline + "  " * (depth - 1) if is_empty and plain[at + 1 :].lstrip(" \t")[:1] == "}" else ""
    changed = text[: at + 1] + inner + ("" if is_empty else ",") + closing + text[at + 1 :]
    expected = {**before, section: {**servers, NAME: dict(entry)}}
    if _read_json(_blank_out(changed), file) != expected:
        raise CannotAdd(f"{file} is not written as expected")
    return changed


def _add_to_toml(text: str, section: str, entry: Mapping[str, Any], file: Path) -> str:
    """Return TOML with the entry as a table of its own behind everything else."""
    before = _read_toml(text, file)
    servers = _table_in(before, section, file)
    there = servers.get(NAME)
    if there is not None:
        return _keep_entry(text, there, entry, file)
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    changed = f"{text}{gap}{toml_entry(section, entry)}\n"
    if _read_toml(changed, file) != {**before, section: {**servers, NAME: dict(entry)}}:
        raise CannotAdd(f"{file} is not written as expected")
    return changed


def _table_in(content: Mapping[str, Any], section: str, file: Path) -> dict[str, Any]:
    servers = content.get(section, {})
    if not isinstance(servers, dict):
        raise CannotAdd(f"`{section}` in {file} is no table")
    return cast("dict[str, Any]", servers)


def _keep_entry(text: str, there: object, entry: Mapping[str, Any], file: Path) -> str:
    if there != dict(entry):
        raise CannotAdd(f"{file} has another server named {NAME} already; it was left as it is")
    return text


def _read_json(plain: str, file: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(plain.removeprefix("\ufeff"), object_pairs_hook=_unique)
    except ValueError as broken:
        raise CannotAdd(f"{file} is not valid JSON: {broken}") from broken
    if not isinstance(found, dict):
        raise CannotAdd(f"{file} does not hold an object")
    return cast("dict[str, Any]", found)


def _read_toml(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise CannotAdd(f"{file} is not valid TOML: {broken}") from broken


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; one that has a key twice means different things to different programs."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands in it twice")
    return dict(pairs)


def _blank_out(text: str) -> str:
    """Return JSON with blanks in place of comments and trailing commas, so that every place stays where it was."""
    return _TOKEN.sub(lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\r\n]", " ", found[0]), text)


def _find_value(plain: str, start: int, key: str) -> int | None:
    """Return where the value of a key begins, in the object that begins at `start`; None if it has no such key."""
    at = _skip_blanks(plain, start + 1)
    while plain[at] != "}":
        name, at = _DECODER.raw_decode(plain, at)
        at = _skip_blanks(plain, _skip_blanks(plain, at) + 1)
        if name == key:
            return at
        _, at = _DECODER.raw_decode(plain, at)
        at = _skip_blanks(plain, at)
        if plain[at] == ",":
            at = _skip_blanks(plain, at + 1)
    return None


def _skip_blanks(plain: str, at: int) -> int:
    while plain[at] in " \t\r\n":
        at += 1
    return at


def _replace(file: Path, text: str, *, has_content: bool) -> Path | None:
    """Write a file in one step, with the mode that it had; returns where the one before it is kept."""
    file.parent.mkdir(parents=True, exist_ok=True)
    backup = _keep_copy(file) if has_content else None
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(text.encode("utf-8"))
        if file.exists():
            shutil.copymode(file, aside)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
    return backup


def _keep_copy(file: Path) -> Path:
    """Copy a file beside itself, under a name that nothing has."""
    number, backup = 1, file.with_name(f"{file.name}.before-{NAME}")
    while backup.exists():
        number += 1
        backup = file.with_name(f"{file.name}.before-{NAME}-{number}")
    shutil.copy2(file, backup)
    return backup
