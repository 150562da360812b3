"""How many SMS segments a text takes (3GPP TS 23.038 and 23.040)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.segments import segments

BASIC_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION_TABLE = "\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("length", "count"), [(0, 1), (1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)]
)
def test_gsm_text_fills_160_characters_alone_and_153_when_joined(length: int, count: int) -> None:
    assert segments("a" * length).count == count
    assert segments("a" * length).encoding == "GSM-7"


@pytest.mark.parametrize(("length", "count"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)])
def test_other_text_fills_70_units_alone_and_67_when_joined(length: int, count: int) -> None:
    assert segments("я" * length).count == count
    assert segments("я" * length).encoding == "UCS-2"


def test_the_whole_basic_table_takes_one_place_each() -> None:
    assert len(BASIC_TABLE) == 127, "128 places, one of which is the escape"
    assert segments(BASIC_TABLE + "a" * 33).count == 1
    assert segments(BASIC_TABLE + "a" * 34).count == 2


@pytest.mark.parametrize("character", EXTENSION_TABLE)
def test_an_extension_character_takes_two_places(character: str) -> None:
    assert segments(character * 80).count == 1
    assert segments(character * 80 + "a").count == 2
    assert segments(character).encoding == "GSM-7"


def test_an_extension_character_is_not_split_over_two_segments() -> None:
    assert segments("a" * 152 + "b" + "c" * 153).count == 2
    assert segments("a" * 152 + "€" + "c" * 152).count == 3, "one place stays empty at the end of the first segment"


def test_a_character_beyond_the_basic_plane_takes_two_units() -> None:
    assert segments("😀" * 35).count == 1
    assert segments("😀" * 35 + "a").count == 2


def test_a_surrogate_pair_is_not_split_over_two_segments() -> None:
    assert segments("a" * 66 + "я" + "b" * 67).count == 2
    assert segments("a" * 66 + "😀" + "b" * 66).count == 3, "one unit stays empty at the end of the first segment"


def test_one_curly_quote_makes_the_whole_text_dearer_and_is_named() -> None:
    plain, curly = "It's " + "x" * 100, "It\u2019s " + "x" * 100
    assert segments(plain).count == 1
    assert segments(curly).count == 2
    assert segments(curly).outside == ("\u2019",)


def test_characters_outside_the_alphabet_are_named_once_and_in_order() -> None:
    assert segments("“Hi” — “you”").outside == ("“", "”", "—")
    assert segments("Zoë pays 5 €").outside == ("ë",)
    assert segments("José, naïve").outside == ("ï",), "é is in the alphabet, ï is not"


def test_a_combining_accent_is_outside_although_the_composed_letter_is_inside() -> None:
    assert segments("caf\u00e9").encoding == "GSM-7"
    assert segments("cafe\u0301").encoding == "UCS-2"


def test_a_tab_is_not_in_the_alphabet() -> None:
    assert segments("a\tb").outside == ("\t",)


@given(st.text())
def test_a_longer_text_never_takes_fewer_segments(text: str) -> None:
    assert segments(text + "a").count >= segments(text).count >= 1


@given(st.text(min_size=1))
def test_every_text_fits_into_the_segments_counted_for_it(text: str) -> None:
    found = segments(text)
    units = len(text.encode("utf-16-be")) // 2
    septets = sum(2 if character in EXTENSION_TABLE else 1 for character in text)
    needed, room = (units, 70) if found.encoding == "UCS-2" else (septets, 160)
    assert needed <= found.count * room
