"""Templates: escaped, and with every invisible character of a value written out."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from guard.injection.sanitize import escape_invisible

_FOLDER = Path(__file__).parent


def render(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page."""
    return HTMLResponse(_environment().get_template(template).render(**values), status)


@cache
def stylesheet() -> str:
    """The one CSS file."""
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """What no template can forget, because it stands behind every `{{ }}`. Markup was built from values shown so."""
    return escape_invisible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
