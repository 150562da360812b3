"""Renders templates; values are escaped, and invisible characters in them are written out."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from guard.injection.sanitize import escape_invisible
from guard.operator_commands import OperatorCommands

_FOLDER = Path(__file__).parent


def render(template: str, commands: OperatorCommands, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template as a page; it prints commands with `command(...)` and says whether all is simulated."""
    shown = {"command": commands.line, "is_sandbox": commands.is_sandbox, **values}
    return HTMLResponse(_environment().get_template(template).render(**shown), status)


@cache
def stylesheet() -> str:
    """Return the CSS of every page."""
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_escape,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _escape(value: object) -> object:
    """Write out invisible characters; jinja calls this for every `{{ }}`, so no template can forget it."""
    return escape_invisible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
