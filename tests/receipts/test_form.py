"""The canonical form of a receipt is that of RFC 8785, whichever way it is computed."""

from typing import Any

import pytest
import rfc8785

from guard.receipts.receipt import canonical

CONTROL = "".join(map(chr, range(0x20)))


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": [True, False, None], "B": {"é": "ü", "z": -3}},
        [CONTROL, '"\\/', "\x7f\x80\u2028\u2029\ufeff\uffff", "\U0001f600", "א", ""],
        {"\ue000": 1, "\U0001f600": 2, "a": 3},  # sorted by UTF-16, as the RFC wants it
        {CONTROL: 1, "": 2, " ": 3},
        [1.0, 1e21, -0.0, 2**53 - 1, -(2**53) + 1],
        (1, "two"),
        "only a text",
    ],
)
def test_a_value_has_the_form_of_the_rfc(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), {1: "a"}, {"a": {2: "b"}}])
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(value)


def test_half_a_character_is_refused_as_the_library_does() -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical({"a": "\ud83d"})
