"""US and Canadian numbers: any usual spelling in, E.164 inside, ten digits on the wire."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from clients.fields import WIRE, AnsweredNumber, UsNumber

STRICT = TypeAdapter[str](UsNumber)
LENIENT = TypeAdapter[str](AnsweredNumber)

IN_ARABIC = "".join(chr(0x0660 + int(digit)) for digit in "2015550142")
"""The digits of another script."""

ten_digits = st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True)
separator = st.text(alphabet=" .-()\t\u00a0", max_size=3)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Draw ten digits, and a way to write them."""
    digits = draw(ten_digits)
    parts = [draw(st.sampled_from(["", "1", "+1"])), digits[:3], digits[3:6], digits[6:]]
    return digits, draw(separator) + "".join(part + draw(separator) for part in parts)


@given(spellings())
def test_every_spelling_of_a_number_is_one_number(spelling: tuple[str, str]) -> None:
    digits, written = spelling
    number = STRICT.validate_python(written)
    assert number == "+1" + digits
    assert STRICT.validate_python(number) == number
    assert STRICT.dump_python(number, context=WIRE) == digits
    assert STRICT.dump_python(number) == number
    assert LENIENT.validate_python(written) == number


@given(st.text())
def test_whatever_is_accepted_is_a_number_the_network_knows(text: str) -> None:
    try:
        number = STRICT.validate_python(text)
    except ValidationError:
        return
    assert re.fullmatch(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}", number)


@given(st.text(alphabet="0123456789+-(). ", max_size=16))
def test_only_the_digits_that_were_written_are_accepted(text: str) -> None:
    digits = re.sub(r"[^0-9]", "", text)
    wanted = digits.removeprefix("1") if len(digits) == 11 else digits
    try:
        number = STRICT.validate_python(text)
    except ValidationError:
        return
    assert number == "+1" + wanted


@pytest.mark.parametrize(
    "refused",
    [
        "",
        "911",
        "5550142",
        "1015550142",
        "2011550142",
        "20155501422",
        "22015550142",
        "+442079460000",
        "+2015550142",
        "++12015550142",
        "2015550142x12",
        "2015550142;9175550161",
        "201555014O",
        IN_ARABIC,
        "2" + IN_ARABIC[1:],
        "+12" + IN_ARABIC[1:],
        "".join(chr(ord(digit) + 0xFEE0) for digit in "2015550142"),
        None,
        2015550142,
    ],
)
def test_what_is_no_us_number_is_refused(refused: object) -> None:
    with pytest.raises(ValidationError):
        STRICT.validate_python(refused)


@given(st.from_regex(r"\+[2-9][0-9]{7,13}", fullmatch=True))
def test_a_number_of_another_country_is_never_taken_for_a_us_one(number: str) -> None:
    assume(not number.startswith("+1"))
    with pytest.raises(ValidationError):
        STRICT.validate_python(number)
    assert LENIENT.validate_python(number) == number
