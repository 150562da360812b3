"""Reads the settings: environment `RINGFENCE_…` over `ringfence.env` over `ringfence.toml`, once, at the start."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pydantic import ValidationError
from pydantic_settings import SettingsError

from clients.deferred import Deferred
from guard.operator_commands import OperatorCommands
from server.settings.errors import BadSettings, locate, message, misfits, not_json, unknown
from server.settings.keys import CONFIG_VARIABLE, unknown_variables, variable_of
from server.settings.model import Settings, TokenSettings, settings_class
from server.settings.origin import Origin
from server.settings.rules import DestinationSettings
from server.settings.secrets_file import read_secrets, secrets_beside, usual_settings_file
from server.settings.text_files import read_text_file

if TYPE_CHECKING:
    from server.settings.names import UnknownName

FindNames: TypeAlias = "Callable[[Settings], Iterator[UnknownName]]"

UNKNOWN_NAMES: Final[Deferred[FindNames]] = Deferred("server.settings.names:unknown_names")
UNKNOWN_SELECTION_NAMES: Final[Deferred[FindNames]] = Deferred("server.settings.names:unknown_selection_names")
"""Deferred: they load the operations, which most settings do not name."""


def read_settings(path: Path | None = None, *, with_selection: bool = False) -> Settings:
    """Read the environment, the file of secrets and the settings file, the first over the second over the third.

    `with_selection` also checks the names of the tools to show.

    Without a path it is the one that `RINGFENCE_CONFIG` names, or `ringfence.toml` in the user's configuration folder.
    Never one in the current folder: clients start servers in project folders, where a cloned repository or a model that
    writes files could put rules and addresses of its own.

    Raises:
        BadSettings: The file is not TOML, or a value does not fit.
    """
    file = settings_file(path)
    document = _document(file) if file else ""
    content = _content(file, document) if file else {}
    known = settings_class()
    variables = unknown_variables(known)
    secrets = read_secrets(known, secrets_beside(path))
    origin = Origin(known, file, document, secrets)
    problems = [*unknown(known, variables), *secrets.problems, *_secrets_in_file(content, origin)]
    try:
        settings = known(**_merge(content, secrets.values))
    except SettingsError:
        problems += not_json(known)
    except ValidationError as misfit:
        named = {variable for variable in variables if any(variable in problem for problem in problems)}
        problems += [text for text in misfits(misfit, origin) if text.partition(":")[0] not in named]
    else:
        problems += _unknown_names(settings, origin, with_selection=with_selection)
        if not problems:
            return settings.printing_commands(_commands(path)).read_from(origin)
    raise BadSettings(message(problems))


def _commands(path: Path | None) -> OperatorCommands:
    """Return how commands are printed that read the same file and open the same store as this process.

    Secrets of the environment, such as the URL of a store, are in no command: the operator sets them as the server has
    them.
    """
    named, folder = path or os.environ.get(CONFIG_VARIABLE), os.environ.get(variable_of("state_folder"))
    return OperatorCommands(
        config=os.path.abspath(named) if named else None, state_folder=os.path.abspath(folder) if folder else None
    )


def _merge(content: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay values over others, table by table."""
    merged = dict(content)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", value)) if both else value
    return merged


_NOT_IN_THE_FILE: Final[Mapping[tuple[str, ...], str]] = {
    ("telemetry", "headers"): f"{variable_of('telemetry.headers')}__NAME=VALUE",  # most are keys
    ("http", "oauth", "introspection", "client_secret"): variable_of("http.oauth.introspection.client_secret"),
}
"""Secrets that the settings file may not hold, which people copy and show, and how each is set instead."""


def _secrets_in_file(content: Mapping[str, Any], origin: Origin) -> list[str]:
    """Refuse the secrets that belong in no settings file."""
    wrong = [
        (place, f"set it in the environment or in ringfence.env, as {variable}")
        for place, variable in _NOT_IN_THE_FILE.items()
        if _stands_in(content, place)
    ]
    return locate(wrong, origin)


def _stands_in(content: Mapping[str, Any], place: tuple[str, ...]) -> bool:
    table: object = content
    for key in place:
        if not isinstance(table, Mapping) or key not in table:
            return False
        table = cast("Mapping[str, object]", table)[key]
    return True


def _unknown_names(settings: Settings, origin: Origin, *, with_selection: bool) -> list[str]:
    """Describe names that do not exist. Operations are loaded only where rules name some: it takes half a second."""
    policy = settings.policy
    named = (policy.providers, policy.toolsets, policy.operations, settings.prices, settings.tighten)
    corrected = (settings.paths, settings.corrections)
    has_home = settings.destinations.home != DestinationSettings.model_fields["home"].default
    of_accounts = (settings.accounts, settings.default_accounts, policy.accounts)
    bound = any(isinstance(token, TokenSettings) for token in settings.http.tokens.values())
    caps = (cap.provider or cap.account for cap in settings.budget)
    if not any((*named, *corrected, *of_accounts, bound, has_home, with_selection, *caps)):
        return []
    wrong = [*UNKNOWN_NAMES.load()(settings), *(UNKNOWN_SELECTION_NAMES.load()(settings) if with_selection else ())]
    return locate(wrong, origin) if wrong else []


def _document(file: Path) -> str:
    try:
        return read_text_file(file)
    except FileNotFoundError:
        raise BadSettings(f"There is no settings file {file}.") from None
    except UnicodeDecodeError as broken:
        raise BadSettings(f"{file} is not UTF-8 text: byte {broken.start + 1} does not belong there.") from None
    except OSError as broken:
        raise BadSettings(f"The settings file {file} cannot be read: {broken.strerror}.") from None


def _content(file: Path, document: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(document)
    except tomllib.TOMLDecodeError as broken:
        what, _, where = str(broken).rstrip(")").partition(" (at ")
        line, _, column = where.partition(", ")
        at = f"{file}, {line}" if line.startswith("line ") else f"{file}, at its end"
        raise BadSettings(f"{at}: not valid TOML: {what}{f' ({column})' if column else ''}.") from None
    for key in content:
        if key.startswith("_"):  # pydantic-settings would take it for one of its own arguments
            raise BadSettings(f"{file}: {key}: there is no such key.")
    return content


def settings_file(path: Path | None = None) -> Path | None:
    """Return the settings file that is read; None if there is none in its usual place."""
    if path is not None:
        return path
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    own = usual_settings_file()
    return own if own.is_file() else None
