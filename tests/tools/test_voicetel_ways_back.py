"""VoiceTel: taking a change back, where what was read before it says too little."""

from typing import Any

import pytest

from clients.operation import Operation, Undo, answer_type
from tools.registry import all_operations


def way_back(tool: str, arguments: dict[str, Any], shown: dict[str, Any]) -> Undo:
    """How a call is taken back when VoiceTel showed this before it."""
    call: Operation[Any] = all_operations()[f"voicetel_{tool}"].model_validate(arguments)
    read = call.before()
    assert read is not None
    kept: Any = answer_type(type(read))
    return call.undo(kept.model_validate(shown), None)


def test_a_prefix_is_taken_away_again_where_there_was_none() -> None:
    undo = way_back("update_gateway", {"gateway_id": 1000, "prefix": "9"}, {"id": 1000, "limit": 23})
    assert undo.verdict == "full"
    assert undo.operation is not None
    assert undo.operation.to_wire() == {"prefix": ""}


def test_what_was_not_read_of_a_gateway_is_said_to_stay() -> None:
    arguments = {"gateway_id": 1000, "limit": 40, "address": "203.0.113.20"}
    undo = way_back("update_gateway", arguments, {"id": 1000, "gateway": "203.0.113.10", "limit": None})
    assert (undo.verdict, undo.lost) == ("partial", "limit (not read before the change).")
    assert undo.operation is not None
    assert undo.operation.to_wire() == {"gateway": "203.0.113.10"}


def test_a_gateway_of_which_nothing_was_read_has_no_way_back() -> None:
    assert way_back("update_gateway", {"gateway_id": 1000, "limit": 40}, {"id": 1000}).verdict == "none"


@pytest.mark.parametrize(
    ("number", "words", "back"),
    [
        (0, "Digest only", 0),
        (0, None, 0),
        (1, "IP allowlist only", 1),
        (2, "Digest OR IP allowlist", 2),
        (3, "Strict", 3),
        (1, "Lax (Digest or IP)", None),
        (2, "IP only", None),
        (2, None, None),
        (0, "IP only", None),
        (None, "Digest only", None),
    ],
)
def test_a_mode_is_set_again_only_where_its_description_agrees_with_its_number(
    number: int | None, words: str | None, back: int | None
) -> None:
    undo = way_back(
        "update_authentication", {"mode": "digest_and_ip"}, {"authType": number, "authTypeDescription": words}
    )
    assert (undo.operation.to_wire() if undo.operation else None) == (None if back is None else {"authType": back})
    if back is None and number is not None and words:
        assert f"«{words}»" in undo.lost
