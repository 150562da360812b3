"""Every message that a person can meet stands in docs/troubleshooting.md, and no other."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")

ROOMS: Final = ("clients", "guard", "tools", "server")
RESULTS: Final = {"TelephonyError", "GuardRefusal"}
"""Their subclasses' names are the `error` of a result."""

SAY: Final = {
    "AccountRefused", "BadArchive", "BadFilter", "BadPasscode", "BadProvider", "BadSettings", "CannotAdd",
    "CannotArchive", "CannotCopy", "CannotListen", "CheckResult", "DoesNotFit", "HTTPException", "NotAMonth",
    "NotAnAnswer", "NotProtected", "NotSignedIn", "PortTaken", "ProviderMisfit", "fail",
}  # fmt: skip
"""Functions and exceptions whose text a person reads in a terminal or on the approval page."""

HEALTH_CHECKS: Final = "server/cli/health_checks.py"
VARIABLES: Final = {"detail", "effect"}
"""Where they put a message together."""

SPEAKS_TO_NOBODY: Final = ("server/probes", "server/demo")
"""Operations, which only declare, are left out, too."""
SHORTEST: Final = 10
"""A message whose own words are fewer characters is another one's text, such as that of an exception."""

OPEN: Final = "…"
"""What a message fills in, in the sources as on the page."""


@cache
def _sources() -> tuple[tuple[str, ast.Module], ...]:
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    named = {file.relative_to(ROOT).as_posix(): file for file in (*files, ROOT / "ringfence_installation.py")}
    heard = {
        name: file
        for name, file in named.items()
        if not name.startswith(SPEAKS_TO_NOBODY) and "/operations/" not in name
    }
    return tuple((name, ast.parse(file.read_text(encoding="utf-8"))) for name, file in heard.items())


def _error_names() -> set[str]:
    classes = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for _, module in _sources()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    }
    known = set(RESULTS)
    while more := {name for name, bases in classes.items() if bases & known} - known:
        known |= more
    return known - RESULTS


def _text(node: ast.AST) -> str:
    """Return the text of an expression, with a mark where something is filled in."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr():
            return "".join(_text(part) if isinstance(part, ast.Constant) else OPEN for part in node.values)
        case ast.BinOp():
            return _text(node.left) + _text(node.right)
        case ast.IfExp():
            return _text(node.body)
        case _:
            return OPEN


def _messages() -> Iterator[tuple[str, str]]:
    for name, module in _sources():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAY:
                if any(isinstance(word, ast.Constant) and word.value == "ok" for word in node.args):
                    continue  # a check that found nothing
                said = [_text(word) for word in (node.args[2:] if node.func.id == "CheckResult" else node.args)]
                yield f"{name}:{node.lineno}", max(said, key=_weight, default="")
            elif name == HEALTH_CHECKS and isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if node.targets[0].id in VARIABLES:
                    yield f"{name}:{node.lineno}", _text(node.value)
            elif isinstance(node, ast.expr) and _text(node).startswith("Ringfence cannot start"):
                yield f"{name}:{node.lineno}", _text(node)


def _weight(text: str) -> int:
    return max((len(part.strip(" .:;,`")) for part in text.split(OPEN)), default=0)


def _holds(message: str, row: str) -> bool:
    """Return True if the words of a row stand in a message, in their order."""
    at, message = 0, " ".join(message.replace("`", "").split())
    for part in row.replace("`", "").split(OPEN):
        found = message.find(part.strip(), at)
        if found < 0:
            return False
        at = found + len(part.strip())
    return True


ROWS: Final = re.findall(r'^\| "([^"\n]+)" \|', PAGE, re.MULTILINE)


def test_every_error_of_a_result_has_a_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(_error_names())


def test_every_message_stands_on_the_page() -> None:
    messages = {place: text for place, text in _messages() if _weight(text) >= SHORTEST}
    assert len(messages) > 60
    assert {place: text for place, text in messages.items() if not any(_holds(text, row) for row in ROWS)} == {}


def test_the_page_has_no_message_that_nobody_can_meet() -> None:
    texts = [text for _, text in _messages()]
    for _, module in _sources():
        texts += [_text(node) for node in ast.walk(module) if isinstance(node, ast.Constant | ast.JoinedStr)]
    assert [row for row in ROWS if not any(_holds(text, row) for text in texts)] == []
