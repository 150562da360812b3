"""The file of secrets beside the settings file: variables, one a line, as the environment would name them.

Clients start the server with an environment of their own. With this file, no client's settings need to hold a key.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from platformdirs import user_config_path
from pydantic import BaseModel
from pydantic_settings import EnvSettingsSource, SettingsError

from server.settings.keys import CONFIG_VARIABLE, NESTED_BY, PREFIX, leads_somewhere
from server.settings.text_files import read_text_file

CONFIG_FILE: Final = "ringfence.toml"
ENDING: Final = ".env"

_LINE: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+=,~^-]*")


@dataclass(frozen=True, slots=True)
class SecretsFile:
    """What the file of secrets sets: values by their keys, as a settings file would have them."""

    file: Path
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problems: tuple[str, ...] = ()


def usual_settings_file() -> Path:
    """Return where the settings file is read if none is named, whether or not it is there."""
    return user_config_path("ringfence") / CONFIG_FILE


def secrets_beside(path: Path | None) -> Path:
    """Return the file of secrets of a settings file: `ringfence.env` for `ringfence.toml`, in the same folder.

    Without a path, the settings file is the one that `RINGFENCE_CONFIG` names, or the usual one.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    return (path or (Path(named) if named else usual_settings_file())).with_suffix(ENDING)


def read_secrets(known: type[BaseModel], file: Path) -> SecretsFile:
    """Read the file of secrets. None is no mistake, nor is one that a service's user may not read.

    Variables of other programs in it are left alone. Ours that are no setting are problems, as they are in the
    environment.
    """
    try:
        text = read_text_file(file)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return SecretsFile(file)
    except (OSError, UnicodeDecodeError):
        return SecretsFile(file, problems=(f"{file}: cannot be read as text",))
    variables, problems = _parse(text, file)
    ours = {name: value for name, value in variables.items() if name.upper().startswith(PREFIX)}
    keys = {name: name[len(PREFIX) :].lower().split(NESTED_BY) for name in ours}
    problems += [f"{file}: {name}: there is no such setting" for name in ours if not leads_somewhere(known, keys[name])]
    source = EnvSettingsSource(cast("Any", known))
    source.env_vars = {name.lower(): value for name, value in ours.items() if value}
    try:
        return SecretsFile(file, source(), tuple(problems))
    except SettingsError:
        return SecretsFile(file, problems=(*problems, f"{file}: a list or a table is not written as JSON"))


def format_variable(name: str, value: str) -> str:
    """Return the line of a variable, which `read_secrets` reads back as it was.

    Raises:
        ValueError: The value has more than one line.
    """
    if "\n" in value or "\r" in value:
        raise ValueError("a value on one line is expected")
    return f"{name}={value}" if _PLAIN.fullmatch(value) else f"{name}='{value}'"


def is_open_to_others(file: Path) -> bool:
    """Return True if other users of the machine can read a file. Windows keeps a user's own folders closed."""
    if os.name == "nt":
        return False
    return bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _parse(text: str, file: Path) -> tuple[dict[str, str], list[str]]:
    """Return the variables by name, and what is wrong with lines that are none. No value is repeated."""
    variables: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        found = _LINE.fullmatch(bare)
        if found is None:
            problems.append(f"{file}, line {number}: NAME=VALUE is expected")
        else:
            variables[found[1]] = _unquote(found[2])
    return variables, problems


def _unquote(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
