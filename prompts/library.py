"""Reads the guided jobs. Each file begins with its facts in TOML between two lines of `+++`; the rest is the prompt.

`{name}` stands for an argument; an optional one that is left out reads as its `otherwise`.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_PARTS = re.compile(r"\A\+\+\+\n(?P<facts>.*?)\n\+\+\+\n+(?P<text>.*)\Z", re.DOTALL)
_TOOL = re.compile(r"`([a-z][a-z0-9]*_[a-z0-9_]+)`")


class BadGuide(Exception):
    """A file of this folder is not a guided job."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What a guided job is told."""

    name: str
    description: str
    otherwise: str | None = None
    """How it reads when it is left out; without this it is required."""


@dataclass(frozen=True, slots=True)
class Guide:
    """One guided job."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    text: str

    @property
    def tools(self) -> list[str]:
        """The tools it names, in order."""
        return list(dict.fromkeys(_TOOL.findall(self.text)))

    def told(self, **given: str) -> str:
        """The prompt with its arguments filled in."""
        values = {argument.name: given.get(argument.name) or argument.otherwise or "" for argument in self.arguments}
        return self.text.format(**values)


@cache
def guides() -> tuple[Guide, ...]:
    """Every guided job, by name."""
    return tuple(_read(file) for file in sorted(FOLDER.glob("*.md")))


def _read(file: Path) -> Guide:
    found = _PARTS.match(file.read_text(encoding="utf-8"))
    if found is None:
        raise BadGuide(f"{file.name} does not begin with its facts between two lines of +++.")
    facts = tomllib.loads(found["facts"])
    arguments = tuple(Argument(**argument) for argument in facts.get("argument", []))
    return Guide(file.stem, facts["title"], facts["description"], arguments, found["text"].strip())
