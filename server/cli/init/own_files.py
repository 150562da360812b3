"""Writes Ringfence's own settings: only adds what is missing, never changes a line that is there."""

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from guard.money import Money
from server.settings.secrets_file import format_variable
from server.settings.text_files import read_text_file
from server.store.private_files import replace_file

SETTINGS_HEAD: Final = """\
# The operator's settings. docs/settings.md describes every key, `ringfence policy check` checks this file.
"""
SECRETS_HEAD: Final = """\
# Keys and passwords, one variable a line. Keep this file closed to other users (mode 0600).
"""


def create_settings(file: Path) -> bool:
    """Create a settings file that sets nothing, unless there is one; returns True if it was created."""
    if file.exists():
        return False
    _create_folder(file.parent)
    replace_file(file, SETTINGS_HEAD.encode("utf-8"))
    return True


def add_rules(file: Path, caps: Mapping[str, Money], countries: Sequence[str] | None) -> list[str]:
    """Add caps and countries that the file does not set; returns what was added, by key.

    A table cannot be opened twice in TOML, so countries go into an existing `[destinations]` by hand.
    """
    text = read_text_file(file)
    content: dict[str, Any] = tomllib.loads(text)
    blocks: list[str] = []
    added: list[str] = []
    if caps and "budget" not in content:
        for window, cap in caps.items():
            blocks.append(
                f'[[budget]]\nper = "{window}"\nlimit = "{cap.amount}"\ncurrency = {json.dumps(cap.currency)}\n'
            )
            added.append(f"a cap of {cap} per {window}")
    if countries and "destinations" not in content:
        blocks.append(f"[destinations]\ncountries = {json.dumps(list(countries))}\n")
        added.append(f"countries {', '.join(countries)}")
    if blocks:
        gap = "\n" if text.endswith("\n") or not text else "\n\n"
        changed = text + gap + "\n".join(blocks)
        tomllib.loads(changed)
        mode = file.stat().st_mode
        replace_file(file.resolve(), changed.encode("utf-8"))
        file.chmod(mode)
    return added


def add_secrets(file: Path, variables: Mapping[str, str]) -> None:
    """Add variables to the file of secrets, which is closed to other users from then on."""
    text = read_text_file(file) if file.exists() else SECRETS_HEAD
    lines = [format_variable(name, value) for name, value in variables.items()]
    gap = "" if text.endswith("\n") else "\n"
    _create_folder(file.parent)
    replace_file(file.resolve(), (text + gap + "\n".join(lines) + "\n").encode("utf-8"))


def _create_folder(folder: Path) -> None:
    """Create a folder closed to other users. One that is there stays as it is: a service may read in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def mode_of(file: Path) -> str:
    """Return the mode of a file as `chmod` takes it; empty on Windows, where it says nothing."""
    return "" if os.name == "nt" else f"{file.stat().st_mode & 0o777:04o}"
