"""Contracts, as the tests of the simulations use them: what a plain read asks for, and what its answer looks like."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from clients.spec import Spec
from tools.registry import operations_of

FOLDER: Final = Path(__file__).resolve().parents[1] / "contract"


def contracts_of_reads(provider: str) -> Iterator[tuple[Spec, dict[str, dict[str, Any]]]]:
    """Yield the declaration and the first contract of each plain read of a provider."""
    for tool, operation in operations_of(provider).items():
        if operation.spec.effect.is_plain_read:
            content: object = json.loads((FOLDER / f"{tool}.json").read_bytes())
            first = cast("list[object]", content)[0] if isinstance(content, list) else content
            yield operation.spec, cast("dict[str, dict[str, Any]]", first)
