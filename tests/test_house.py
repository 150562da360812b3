"""The rules of the house that a reader relies on: where a module lies and what it is called."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import grimp

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


CARRIES_THE_STANDARD_LIBRARYS_NAME: Final = {Path("server/http")}
"""What serves HTTP is called so by everybody; it is never imported but as `server.http`."""

MOST_MODULES: Final = 18
"""In one folder, its `__init__.py` included. Operations are one module a resource, however many there are."""

DEFERS: Final = {
    "guard/rules/policy.py",
    "sandbox/serving.py",
    "server/http/stdio.py",
    "server/mcp/listing/registry.py",
    "server/mcp/server.py",
    "server/mcp/session.py",
    "server/services.py",
    "server/settings/load.py",
    "server/settings/rules.py",
    "server/store/door.py",
    "tools/provider.py",
    "tools/registry.py",
    "tools/selection.py",
    "tools/suggestions.py",
}
"""Modules that name a type under TYPE_CHECKING: a start loads them, and what the type stands on only when it is used.

`sandbox/serving.py` loads asyncio not at all.
"""

STARTS: Final = {"ringfence.py"}
"""Checks the installation before anything of it is imported."""


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    named = {path.with_suffix("") for path in _modules(*PACKAGES) if path.name != "__init__.py"} | set(
        _folders(*PACKAGES)
    )
    same = {path for path in named if path.name in sys.stdlib_module_names}
    assert same - CARRIES_THE_STANDARD_LIBRARYS_NAME == set()


def test_no_folder_holds_more_modules_than_a_reader_can_look_over() -> None:
    at_hand = _modules("server", "tools", "prompts", "guard", "clients")
    held = Counter(path.parent.as_posix() for path in at_hand if path.parent.name != "operations")
    assert {folder: count for folder, count in held.items() if count > MOST_MODULES} == {}


def test_nothing_outside_its_folder_names_a_provider() -> None:
    """The demo and the probes play with particular providers; everything else knows them by the registry alone."""
    at_home = {Path("tools") / name for name in PROVIDERS} | {Path("server/demo"), Path("server/probes")}
    naming = {
        path.as_posix()
        for path in _modules("server", "tools", "guard", "clients", "prompts")
        if not at_home & set(path.parents)
        and any(name in (ROOT / path).read_text(encoding="utf-8").lower() for name in PROVIDERS)
    }
    assert naming == set()


def test_imports_stand_at_the_top_of_a_module() -> None:
    """What must wait is behind `clients.deferred.Deferred`, where a reader can find it."""
    late: set[str] = set()
    for path in [Path("ringfence.py"), *_modules(*PACKAGES)]:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        at_top = {node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
        found = {node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)}
        if found - at_top:
            late.add(path.as_posix())
    assert late == DEFERS | STARTS


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and under TYPE_CHECKING count: they are how a circle hides."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False)
    without = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    while ready := [module for module, imported in without.items() if not imported]:
        for module in ready:
            del without[module]
        for imported in without.values():
            imported.difference_update(ready)
    assert sorted(without) == []
