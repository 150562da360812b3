"""Rows for the plain reads that no list beside this one has: they are taken from `tests/contract/`.

The contracts are written from the documents, too, so that an operation which is added to VoiceTel is checked without
a second transcription of its page. What a contract cannot say (a member that may be null, a call that must come first)
needs a row of its own in one of the lists.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final, cast

from clients.spec import Spec
from tests.sandbox.contracts import contracts_of_reads
from tests.sandbox.voicetel.documented.operation import Documented
from tests.sandbox.voicetel.shapes import NUM
from tools.registry import operations_of

ROOT: Final = "/v2.2/"


def rows_from_contracts(written: Collection[tuple[str, str]]) -> Iterator[Documented]:
    """Yield a row for each plain read whose method and path are not written down; paths are relative to the API."""
    for spec, contract in contracts_of_reads("voicetel"):
        if not any(_is_row_of(spec, *row) for row in written):
            yield _row(spec, contract)


def _is_row_of(spec: Spec, method: str, path: str) -> bool:
    ours, theirs = spec.path.removeprefix(ROOT).split("/"), path.split("/")
    fits = len(ours) == len(theirs) and all(
        part == other or part.startswith("{") for part, other in zip(ours, theirs, strict=True)
    )
    return method == spec.method and fits


def _row(spec: Spec, contract: dict[str, dict[str, Any]]) -> Documented:
    request, answer = contract["request"], contract["answer"]
    query: dict[str, str] | None = request.get("query")
    body: dict[str, object] | None = request.get("body")
    fields = operations_of("voicetel")[spec.tool_name].model_fields
    must = {field.alias or name for name, field in fields.items() if field.is_required()}
    return Documented(
        request["method"],
        request["path"].removeprefix(ROOT),
        answer["status"],
        _shape(answer["body"]["data"]),
        body=body,
        query=query,
        required=tuple(name for name in query or body or () if name in must),
    )


def _shape(value: object) -> object:
    """Describe a value by its members and their types, a list by those of its first item."""
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_shape(cast("list[object]", value)[0])]
    return NUM if isinstance(value, float) else type(value)
