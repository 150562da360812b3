"""Renders templates: values are escaped, invisible characters in them written out, times in the operator's zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from guard.injection.reasons import in_marks
from guard.injection.sanitize import escape_invisible
from guard.operator_commands import OperatorCommands
from server.console.sessions import Session
from server.console.urls import ROOT
from server.store.store import Store

NO_BREAK_SPACE: Final = "\u00a0"

_FOLDER: Final = Path(__file__).parent
_NUMBER: Final = re.compile(r"\+[0-9](?: ?[0-9])+")
_AFTER_PART_OF_NAME: Final = re.compile(r"(?<=\w[._])(?=[A-Za-z])")


def render(
    template: str, commands: OperatorCommands, *, status: int = 200, zone: tzinfo = UTC, **values: Any
) -> HTMLResponse:
    """Render a template as a page; it prints commands with `command(...)` and says whether all is simulated."""
    shown = {"command": commands.line, "is_sandbox": commands.is_sandbox, **values}
    return HTMLResponse(_environment(zone).get_template(template).render(**shown), status)


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the content of every page of a signed-in operator: navigation, stop switch, time zone."""

    store: Store
    commands: OperatorCommands
    zone: tzinfo = UTC
    """The zone in which times are shown."""

    async def show(self, template: str, session: Session, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a page of a signed-in operator."""
        return render(
            template,
            self.commands,
            status=status,
            zone=self.zone,
            root=ROOT,
            token=session.form_token,
            is_frozen=await self.store.freeze.is_on(),
            operator=session.operator,
            **values,
        )


@cache
def stylesheet() -> str:
    """Return the CSS of every page."""
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


@cache
def script() -> str:
    """Return the script that keeps a page up to date; every page works without it."""
    return (_FOLDER / "page.js").read_text(encoding="utf-8")


@cache
def passkey_script() -> str:
    """Return the script that lets passkeys enrol, sign in and sign."""
    return (_FOLDER / "passkeys.js").read_text(encoding="utf-8")


@cache
def _environment(zone: tzinfo) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_escape,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _break_names
    environment.filters["in_marks"] = in_marks
    environment.filters["moment"] = partial(_moment, zone=zone, form="%Y-%m-%d %H:%M")
    environment.filters["second"] = partial(_moment, zone=zone, form="%Y-%m-%d %H:%M:%S")
    environment.filters["hour"] = partial(_moment, zone=zone, form="%H:%M")
    return environment


def _break_names(text: str) -> Markup:
    """Let a line end after the dots and underscores of a name, and not within a word or a telephone number."""
    whole = _NUMBER.sub(lambda number: number[0].replace(" ", NO_BREAK_SPACE), escape_invisible(text))
    return Markup("<wbr>").join(_AFTER_PART_OF_NAME.split(whole))


def _escape(value: object) -> object:
    """Write out invisible characters; jinja calls this for every `{{ }}`, so no template can forget it."""
    return escape_invisible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _moment(at: datetime, *, zone: tzinfo, form: str) -> str:
    """Write a time in the operator's zone, with the zone's name: `2026-11-21 07:00 EST`."""
    local = at.astimezone(zone)
    name = local.strftime("%Z")
    return f"{local.strftime(form)} {f'UTC{name}' if name[:1] in '+-' else name}"
