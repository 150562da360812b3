"""The rules of the house that a reader relies on: where a module lies and what it is called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("server", "tools", "prompts", "guard", "clients", "sandbox")

SAYS_NOTHING: Final = {"utils", "helpers", "manager", "misc", "desk"}


def _modules(*packages: str) -> Iterator[Path]:
    """Every module of some packages, relative to the root."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)


def _folders(*packages: str) -> list[Path]:
    """Every folder of modules, relative to the root."""
    return sorted({path.parent for path in _modules(*packages)})


PROVIDERS: Final = [folder.parent.name for folder in _folders("tools") if folder.name == "operations"]


def test_there_are_providers_to_search_for() -> None:
    assert len(PROVIDERS) == 4


def test_a_modules_name_says_what_is_in_it() -> None:
    named = {path.with_suffix("") for path in _modules(*PACKAGES)} | set(_folders(*PACKAGES))
    assert {path.as_posix() for path in named if path.name in SAYS_NOTHING} == set()
