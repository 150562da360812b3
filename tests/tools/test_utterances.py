"""What people say stands beside every operation and tool, in a form that the search reads whole."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tools.builtin_list import all_builtin_tools
from tools.discovery.handlers import TOOLSET
from tools.discovery.utterances import Utterances, not_offered, utterances_of
from tools.registry import all_operations, provider_named, provider_names

TOOLS: Final = Path(__file__).parents[2] / "tools"
LANGUAGES: Final = {"en", "es", "de", "el", "fr"}
FEWEST, MOST = 6, 12
LONGEST = 20
"""Words in an utterance."""

OPERATIONS: Final = {name: (one.__module__, one.spec.name) for name, one in all_operations().items()}
BUILTIN: Final = {
    tool.name: (tool.handler.__module__, tool.name) for tool in all_builtin_tools() if tool.toolset != TOOLSET
}
PLACES: Final = OPERATIONS | BUILTIN


def _files() -> Iterator[Path]:
    yield from sorted(TOOLS.rglob("*.utterances.json"))


def _module_of(file: Path) -> str:
    return ".".join(("tools", *file.relative_to(TOOLS).parts[:-1], file.name.removesuffix(".utterances.json")))


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()


def _said(utterances: Utterances) -> list[str]:
    return [one for said in utterances.values() for one in said]


@pytest.mark.parametrize("name", sorted(PLACES))
def test_every_operation_and_tool_has_its_utterances_in_several_languages(name: str) -> None:
    module, key = PLACES[name]
    said = utterances_of(module).get(key, {})
    assert set(said) == LANGUAGES
    assert FEWEST <= len(_said(said)) <= MOST
    assert all(one == one.strip() and 1 < len(one.split()) <= LONGEST for one in _said(said))


def test_no_utterance_stands_for_two_operations() -> None:
    """A request in these very words would find one of them by chance."""
    counted = Counter(
        _plain(one) for module, key in PLACES.values() for one in _said(utterances_of(module).get(key, {}))
    )
    assert {said for said, times in counted.items() if times > 1} == set()


@pytest.mark.parametrize("file", list(_files()), ids=lambda file: file.name)
def test_a_file_has_utterances_of_what_its_module_declares_and_of_nothing_else(file: Path) -> None:
    declared = {key for module, key in PLACES.values() if module == _module_of(file)}
    assert set(utterances_of(_module_of(file))) == declared


@pytest.mark.parametrize("package", ["tools.discovery", *(provider_named(name).package for name in provider_names())])
def test_what_is_not_offered_has_an_answer_and_utterances(package: str) -> None:
    gaps = not_offered(package)
    assert len({gap.answer for gap in gaps}) == len(gaps)
    for gap in gaps:
        assert gap.answer.endswith(".")
        assert len(set(map(_plain, gap.utterances))) == len(gap.utterances) >= 3


@pytest.mark.parametrize("file", sorted(TOOLS.rglob("not_offered.json")), ids=lambda file: file.parent.name)
def test_what_is_not_offered_is_written_as_the_search_reads_it(file: Path) -> None:
    read: list[Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    for gap in read:
        assert set(gap) == {"answer", "utterances"}
        assert set(gap["utterances"]) <= LANGUAGES


def test_a_module_without_utterances_is_searched_by_its_words_alone() -> None:
    assert utterances_of("tools.discovery.handlers") == {}
    assert not_offered("tools.actions") == ()
