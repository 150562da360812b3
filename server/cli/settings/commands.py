"""`ringfence settings`: what each setting does, its default, and what sets it now; never its value, often a secret."""

from collections.abc import Iterable
from typing import Annotated, cast

import typer
from pydantic import BaseModel

from server.cli.terminal import Target, fail, operator_command, tell
from server.settings.errors import BadSettings
from server.settings.model import Settings
from server.settings.reference import SettingRow, setting_rows
from server.settings.toml_positions import Place
from tools.registry import nearest

app = typer.Typer(help="What can be set, and what each setting does.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Make `explain` a word of its own, though it is the only one yet."""


@app.command()
@operator_command
def explain(
    target: Target,
    key: Annotated[str, typer.Argument(help="A setting, or the beginning of several, such as http.oauth.")] = "",
) -> None:
    """Explain settings: what each does, its default, its variable, and what sets it now."""
    known = setting_rows()
    wanted = key.strip().strip(".").removesuffix("]").removesuffix("[")
    rows = [row for row in known if not wanted or row.key == wanted or row.key.startswith((f"{wanted}.", f"{wanted}["))]
    if not rows:
        sections = {row.key.rpartition(".")[0] for row in known} - {""}
        close = nearest(wanted, sorted({*sections, *(row.key for row in known)}))
        hint = f"did you mean {close[0]}?" if close else "`ringfence settings explain` lists them all."
        fail(f"There is no setting {wanted[:80]!r}; {hint}")
    try:
        settings = target.settings()
    except BadSettings:
        settings = None
    for row in rows:
        tell(*_lines_of(row, settings))
    if settings is None:
        tell("The settings do not fit now, so what sets each is left out: `ringfence policy check` says why.")


def _lines_of(row: SettingRow, settings: Settings | None) -> Iterable[str]:
    section = row.key.rpartition(".")[0]
    yield f"{row.key} ({f'required in {section}' if row.default is None else f'default: {row.default}'})"
    yield f"  {row.sentence}"
    yield f"  variable: {row.variable}" if row.variable else "  in the settings file only"
    place: Place = tuple(row.key.split("."))
    if settings is not None and not row.is_pattern:
        yield f"  now: {f'set by {settings.where_set(place)}' if _is_set(settings, place) else 'not set'}"


def _is_set(settings: Settings, place: Place) -> bool:
    """Return True if a key stands in the settings; its section may, and the key not."""
    found: object = settings
    for key in place:
        if not isinstance(found, BaseModel) or key not in found.model_fields_set:
            return False
        found = cast("object", getattr(found, str(key)))
    return True
