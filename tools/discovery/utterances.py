"""What people say.

When they need an operation or a tool: `<module>.utterances.json`, beside the module that declares it. When they want
what a provider does not offer: `not_offered.json` in its package, with what to answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

Utterances = Mapping[str, tuple[str, ...]]
"""Utterances by language."""


@cache
def utterances_of(module: str) -> Mapping[str, Utterances]:
    """Read the utterances beside a module, by the name of the operation or tool; none where there is no such file."""
    package, _, name = module.rpartition(".")
    file = files(package) / f"{name}.utterances.json"
    if not file.is_file():
        return {}
    read = cast("Mapping[str, Mapping[str, list[str]]]", json.loads(file.read_text(encoding="utf-8")))
    return {name: {language: tuple(said) for language, said in by.items()} for name, by in read.items()}


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that people want and no operation does."""

    answer: str
    utterances: tuple[str, ...]


@cache
def not_offered(package: str) -> tuple[Gap, ...]:
    """Read what the package's provider does not offer; nothing where it has no such file."""
    file = files(package) / "not_offered.json"
    if not file.is_file():
        return ()
    read = cast("list[dict[str, Any]]", json.loads(file.read_text(encoding="utf-8")))
    return tuple(Gap(one["answer"], tuple(said for by in one["utterances"].values() for said in by)) for one in read)
