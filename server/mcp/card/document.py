"""The card's document: one HTML page with its own style and script. It loads nothing and reaches no network."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from mcp.server.apps import APP_MIME_TYPE
from mcp.types import TextResourceContents

URI: Final = "ui://ringfence/question"

_FOLDER: Final = Path(__file__).parent
_META: Final[dict[str, Any]] = {"ui": {"csp": {}, "prefersBorder": True}}
"""No domain is declared, so a host allows none."""


def read_card() -> TextResourceContents:
    """Return the card as a client reads it."""
    contents = TextResourceContents(uri=URI, text=card_document(), mime_type=APP_MIME_TYPE)
    return contents.model_copy(update={"meta": _META})


@cache  # a process keeps the sources that it started with
def card_document() -> str:
    """Return the HTML, whose policy allows the style and the script in it by their hashes, and nothing else."""
    style, script = _part("card.css"), _part("card.js")
    policy = (
        f"default-src 'none'; style-src '{_hash_of(style)}'; script-src '{_hash_of(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _part("card.html").replace("{{policy}}", policy)
    return page.replace("{{style}}", style).replace("{{script}}", script)


def _part(name: str) -> str:
    return (_FOLDER / name).read_bytes().decode("utf-8").replace("\r\n", "\n")


def _hash_of(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
