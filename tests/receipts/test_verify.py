"""`ringfence verify` finds anything that was done to a file of receipts, on a machine that has nothing but the file."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from guard.receipts.keys import read_keys
from guard.receipts.verification import DoesNotFit, check_file
from server.cli.app import command_line
from tests.receipts.exporting import Export, make_export

RECEIPTS = 8
NOT_AS_SIGNED = "Line 1 was changed: it is not in the form that is signed."


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Make the file that the tests alter."""
    return anyio.run(make_export, tmp_path_factory.mktemp("receipts") / "state")


@pytest.fixture
def verify(export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a check of a file on a machine without settings and without a store."""
    monkeypatch.delenv("RINGFENCE_STATE_FOLDER")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))

    def check(content: bytes, *more: str, keys: dict[str, Any] | None = None) -> Result:
        file, published = tmp_path / "receipts.jsonl", tmp_path / "keys.json"
        file.write_bytes(content)
        published.write_text(json.dumps(keys or export.keys), encoding="utf-8")
        words = ["verify", str(file), "--keys", str(published), *more]
        return CliRunner().invoke(command_line(words), words)

    return check


def test_an_intact_file_fits_and_what_it_cannot_show_is_said(
    export: Export, verify: Callable[..., Result], tmp_path: Path
) -> None:
    checked = verify(export.content)
    assert checked.exit_code == 0, checked.output
    assert f"Every receipt fits: {RECEIPTS}, from number 1 of" in checked.output
    assert all(key["kid"] in checked.output for key in export.keys["keys"])
    assert f"What came after the export does not show here. The last receipt is {export.id_of(-2)}." in checked.output
    assert not (tmp_path / "nobody").exists()


FIELDS: list[tuple[int, tuple[str, ...]]] = [
    (0, ("about", "covered")),
    (0, ("about", "digest")),
    (0, ("about", "id")),
    (2, ("about", "words")),
    (0, ("answered", "at")),
    (0, ("answered", "by")),
    (0, ("at",)),
    (0, ("audit", "mac")),
    (0, ("audit", "row")),
    (1, ("before", "hash")),
    (1, ("before", "number")),
    (1, ("charged", "amount")),
    (1, ("charged", "currency")),
    (1, ("charged", "state")),
    (0, ("event",)),
    (0, ("format",)),
    (1, ("number",)),
    (1, ("outcome",)),
    (0, ("price", "amount")),
    (0, ("price", "currency")),
    (0, ("price", "words")),
    (0, ("requested_by",)),
    (5, ("next_key",)),
]
"""Every field of a receipt but `key`, with a line that has it."""


@pytest.mark.parametrize(
    ("place", "path"), FIELDS, ids=lambda value: value if isinstance(value, int) else ".".join(value)
)
def test_a_changed_field_is_found(
    place: int, path: tuple[str, ...], export: Export, verify: Callable[..., Result]
) -> None:
    def change(line: dict[str, Any]) -> None:
        within = line["receipt"]
        for name in path[:-1]:
            within = within[name]
        within[path[-1]] = _other(within[path[-1]])

    checked = verify(export.altered(place, change))
    assert checked.exit_code == 1
    assert "was changed after it was signed: its signature does not fit." in checked.output
    assert f"in line {place + 1} " in checked.output


def test_the_list_of_fields_is_whole(export: Export) -> None:
    receipts: list[dict[str, Any]] = [json.loads(line)["receipt"] for line in export.lines[:-1]]
    parts = {"about", "answered", "audit", "before", "charged", "price"}
    said: set[tuple[str, ...]] = {(name,) for receipt in receipts for name in receipt if name not in parts}
    said |= {(name, inner) for receipt in receipts for name in parts for inner in receipt.get(name, {})}
    assert said - {path for _, path in FIELDS} == {("key",)}


LINES: list[tuple[str, Sequence[int], str]] = [
    ("one dropped", (0, 1, 3, 4, 5, 6, 7, 8), "Receipt 3 is missing: receipt 4 stands after receipt 2."),
    ("two swapped", (0, 2, 1, 3, 4, 5, 6, 7, 8), "The order was changed: receipt 3 stands where receipt 2 belongs."),
    (
        "one twice",
        (0, 1, 1, 2, 3, 4, 5, 6, 7, 8),
        "Receipt 2 stands in a wrong place, or a second time: after receipt 2.",
    ),
    ("the first dropped", range(1, 9), "Receipt 1, with which the file began, is missing."),
    ("the last dropped", (*range(7), 8), "The file was exported up to receipt 8, and now ends after receipt 7."),
    ("all dropped", (8,), "Receipt 1, with which the file began, is missing."),
    ("cut", range(5), "The file was cut off: it ends after receipt 5, without the signed line at its end."),
    ("one after the end", (*range(9), 7), "Line 10 was added after the end of the file."),
]
"""What is done to the order of the lines: eight receipts, and the end."""

BYTES: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("nothing left", lambda _: b"", "The file was cut off: it ends without a receipt"),
    ("the last byte", lambda file: file[:-1], "The file was cut off within its last line."),
    ("half a line", lambda file: file[:900], "was changed: it is no JSON."),
    ("other spaces", lambda file: file.replace(b'":', b'": ', 1), NOT_AS_SIGNED),
    ("line ends of Windows", lambda file: file.replace(b"\n", b"\r\n"), NOT_AS_SIGNED),
    ("another thing", lambda _: b"[1]\n", NOT_AS_SIGNED),
    ("a field twice", lambda file: file.replace(b'"event":', b'"event":"declined","event":', 1), NOT_AS_SIGNED),
    ("a deep one", lambda _: b"[" * 100_000 + b"\n", "Line 1 was changed: it is no JSON."),
]


@pytest.mark.parametrize(("places", "found"), [pytest.param(*case[1:], id=case[0]) for case in LINES])
def test_lines_that_are_missing_added_or_moved_are_named(
    places: Sequence[int], found: str, export: Export, verify: Callable[..., Result]
) -> None:
    checked = verify(export.with_lines([export.lines[place] for place in places]))
    assert (checked.exit_code, checked.stdout) == (1, f"This file does not fit. {found}\n")


@pytest.mark.parametrize(("damage", "found"), [pytest.param(*case[1:], id=case[0]) for case in BYTES])
def test_what_was_done_to_the_bytes_is_named(
    damage: Callable[[bytes], bytes], found: str, export: Export, verify: Callable[..., Result]
) -> None:
    checked = verify(damage(export.content))
    assert checked.exit_code == 1
    assert found in checked.stdout


def test_a_line_without_its_signature_or_with_another_end_is_named(
    export: Export, verify: Callable[..., Result]
) -> None:
    unsigned = verify(export.altered(0, lambda line: line.pop("signature")))
    assert "Receipt 1 in line 1 was changed after it was signed" in unsigned.output
    shorter = verify(export.altered(8, lambda line: line["end"].update(receipts=7)))
    assert "The end of the file was changed after it was signed" in shorter.output
    assert (unsigned.exit_code, shorter.exit_code) == (1, 1)


def test_a_receipt_that_somebody_else_signed_is_refused(export: Export, verify: Callable[..., Result]) -> None:
    forged = export.altered(0, lambda line: _sign(line, Ed25519PrivateKey.generate()))
    checked = verify(forged)
    assert checked.exit_code == 1
    assert "Receipt 1 in line 1 was changed after it was signed" in checked.output


def test_a_key_that_is_not_published_is_named(export: Export, verify: Callable[..., Result]) -> None:
    first, second = export.keys["keys"]
    without_second = verify(export.content, keys={"keys": [first]})
    assert without_second.exit_code == 1
    assert "Receipt 7 in line 7 is signed with a key that is not among the published ones" in without_second.output
    assert second["kid"] in without_second.output


def test_a_key_that_was_replaced_signs_nothing_any_more(export: Export, verify: Callable[..., Result]) -> None:
    """Also where it was stolen before it was destroyed, and the time that it writes is a later one."""
    thief = Ed25519PrivateKey.generate()
    x = _encode(thief.public_key().public_bytes_raw())
    stolen = {**export.keys["keys"][0], "x": x, "kid": _thumbprint(x)}
    keys = {"keys": [stolen, *export.keys["keys"]]}

    def as_old(line: dict[str, Any]) -> None:
        line["receipt"]["key"] = stolen["kid"]
        _sign(line, thief)

    checked = verify(export.altered(6, as_old), keys=keys)
    assert checked.exit_code == 1
    assert (
        f"Receipt 7 is signed with key {stolen['kid']}, but {export.keys['keys'][1]['kid']} was in force."
        in checked.output
    )


def test_another_call_than_the_digest_is_of_is_found(export: Export, verify: Callable[..., Result]) -> None:
    """Whoever holds the key can sign anything; that a digest is of another call shows all the same."""
    insider = Ed25519PrivateKey.generate()
    x = _encode(insider.public_key().public_bytes_raw())
    own = {**export.keys["keys"][0], "x": x, "kid": _thumbprint(x)}

    def other_call(line: dict[str, Any]) -> None:
        about = line["receipt"]["about"]
        line["receipt"]["key"] = own["kid"]
        about["covered"] = about["covered"].replace("+12125550100", "+12125550199")
        _sign(line, insider)

    checked = verify(export.altered(0, other_call), keys={"keys": [own, *export.keys["keys"]]})
    assert "Receipt 1 shows another call than the one that its digest is of." in checked.output


def test_a_receipt_that_was_noted_elsewhere_must_be_there(export: Export, verify: Callable[..., Result]) -> None:
    assert verify(export.content, "--known", export.id_of(3)).exit_code == 0
    missed = verify(export.content, "--known", export.id_of(3), "--known", "rcp_0123456789abcdef")
    assert missed.exit_code == 1
    assert "Receipt rcp_0123456789abcdef is not in the file" in missed.output


def test_keys_that_are_none_and_files_that_are_not_there_are_said(
    export: Export, verify: Callable[..., Result], tmp_path: Path
) -> None:
    key = {**export.keys["keys"][0], "kid": "another"}
    assert "another is not the id of its key" in verify(export.content, keys={"keys": [key]}).output
    words = ["verify", str(tmp_path / "none.jsonl"), "--keys", str(tmp_path / "none.json")]
    checked = CliRunner().invoke(command_line(words), words)
    assert checked.exit_code == 2
    assert "none.json cannot be read" in checked.output


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_single_change_to_a_file_is_found(export: Export, data: st.DataObject) -> None:
    content = export.content
    place = data.draw(st.integers(0, len(content) - 1))
    kind = data.draw(st.sampled_from(["replace", "insert", "remove", "cut"]))
    byte = data.draw(st.binary(min_size=1, max_size=1).filter(lambda drawn: drawn != content[place : place + 1]))
    changed = {
        "replace": content[:place] + byte + content[place + 1 :],
        "insert": content[:place] + byte + content[place:],
        "remove": content[:place] + content[place + 1 :],
        "cut": content[:place],
    }[kind]
    with pytest.raises(DoesNotFit):
        check_file(changed, read_keys(json.dumps(export.keys)))


def _other(value: Any) -> Any:
    """Return another value of the same kind."""
    match value:
        case int():
            return value + 1
        case list():
            return [*value, "more"]
        case "approved":
            return "declined"
        case _:
            return f"{value}0"


def _sign(line: dict[str, Any], key: Ed25519PrivateKey) -> None:
    line["signature"] = _encode(key.sign(rfc8785.dumps({"receipt": line["receipt"]})))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _thumbprint(x: str) -> str:
    """Return the id of a public key, as RFC 7638 computes it."""
    return _encode(hashlib.sha256(rfc8785.dumps({"crv": "Ed25519", "kty": "OKP", "x": x})).digest())
