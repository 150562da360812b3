"""Where each setting comes from: the settings file with its line, the file of secrets, or an environment variable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel
from pydantic_settings import EnvSettingsSource

from server.settings.keys import NESTED_BY, PREFIX, our_variables, variable_of
from server.settings.secrets_file import SecretsFile
from server.settings.toml_positions import Place, lines_of


@dataclass(frozen=True, slots=True)
class SetAt:
    """The place that sets a key."""

    file: Path | None = None
    """The settings file or the file of secrets; None for the environment."""

    line: int = 0
    """Line of the settings file; 0 elsewhere."""

    variable: str = ""
    """The variable, in the environment or in the file of secrets; empty for the settings file."""

    def __str__(self) -> str:
        """Say it for people, without the folder: `ringfence.toml, line 12`."""
        if self.file is None:
            return self.variable or "the settings"
        return f"{self.file.name}, {self.variable or f'line {self.line}'}"


@dataclass(frozen=True)
class Origin:
    """What settings were read from: the file with its text, the environment, and the file of secrets."""

    settings: type[BaseModel]
    file: Path | None = None
    document: str = ""
    secrets: SecretsFile | None = None

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """What the environment sets, as a settings file would have it."""
        return EnvSettingsSource(cast("Any", self.settings))()

    @cached_property
    def lines(self) -> Mapping[Place, int]:
        """The line of each key of the settings file."""
        return lines_of(self.document) if self.file else {}

    def is_in_environment(self, place: Place) -> bool:
        """Return True if the environment sets a key."""
        return _is_in(self.environment, place)

    def find(self, place: Place) -> SetAt:
        """Return what sets a key: the environment before the file of secrets before the settings file."""
        if self.is_in_environment(place):
            return SetAt(variable=_name_of(variable_and_rest(place)[0]))
        if self.secrets is not None and _is_in(self.secrets.values, place):
            is_section = isinstance(_value_at(self.secrets.values, place), Mapping)
            return SetAt(self.secrets.file, variable=variable_of(dotted_key(place)) + (f"{NESTED_BY}…" * is_section))
        line = next((self.lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in self.lines), 0)
        return SetAt(self.file if line else None, line)


def dotted_key(place: Place) -> str:
    """Return a place as people write it, such as `budget[1].limit`."""
    text = ""
    for key in place:
        text += f"[{key + 1}]" if isinstance(key, int) else f".{_key_without_secret(key)}"
    return text.removeprefix(".")


def _key_without_secret(key: str) -> str:
    """Return a key, or its length where it looks like a secret in the place of a key."""
    is_plain = re.fullmatch(r"[\w.-]{1,40}", key) is not None and re.fullmatch(r"[0-9a-fA-F]{16,}", key) is None
    return key if is_plain else f"(a key of {len(key)} characters)"


def _is_in(content: Any, place: Place) -> bool:
    return bool(place) and _value_at(content, place) is not None


def _value_at(content: Any, place: Place) -> Any:
    """Return the value at a place; None where there is none."""
    for key in place:
        try:
            content = content[key]
        except (LookupError, TypeError):
            return None
    return content


def _name_of(variable: str) -> str:
    """Return a variable, or the beginning of those that set the keys of a section."""
    is_set = variable.upper() in {name.upper() for name, _ in our_variables()}
    return variable if is_set else f"{variable}{NESTED_BY}…"


def variable_and_rest(place: Place) -> tuple[str, Place]:
    """Return the variable that set a key, and the path inside its JSON."""
    set_ones = {name.upper(): name for name, _ in our_variables()}
    for end in range(len(place), 0, -1):
        variable = PREFIX + NESTED_BY.join(str(key) for key in place[:end]).upper()
        if variable in set_ones:
            return set_ones[variable], place[end:]
    return variable_of(dotted_key(place)), ()
