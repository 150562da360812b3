"""What people say when they need an operation: `<module>.utterances.json`, beside the module that declares it."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import cast

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
