"""Everything an operator can set: environment `RINGFENCE_…` over `ringfence.toml`, read once at the start."""

import os
import re
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from platformdirs import user_config_path, user_state_path
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from guard.rules.policy import Policy
from server.settings.accounts import (
    ConvirzaSettings,
    EnswitchSettings,
    RouteeSettings,
    VoiceTelSettings,
    strip_line_end,
)
from server.settings.keys import CONFIG_VARIABLE, NESTED_BY, PREFIX, unknown_variables
from server.settings.rules import (
    BudgetSettings,
    ComplianceSettings,
    DestinationSettings,
    PolicySettings,
    PriceSettings,
    RuleSettings,
    Section,
    Word,
    matching,
)

CONFIG_FILE = "ringfence.toml"
TOKEN_LENGTH = 16
"""A bearer token of fewer characters could be guessed."""


class BadSettings(Exception):
    """The settings do not fit. The message names file and line or variable, the key, and what is allowed."""


def _long(token: SecretStr) -> SecretStr:
    if len(token.get_secret_value()) < TOKEN_LENGTH:
        raise ValueError(f"{TOKEN_LENGTH} characters or more are expected")
    return token


WebAddress = Annotated[
    str, matching(r"https?://[^/?#@\s]+/?", "an address without a path, such as https://ringfence.example.com")
]


class HttpSettings(Section):
    """The streamable HTTP server."""

    tokens: Mapping[str, Annotated[SecretStr, AfterValidator(_long)]] = {}
    """Bearer tokens of 16 characters or more by who holds them. At least one is needed to listen beyond loopback."""

    public_address: WebAddress | None = None
    """Where providers reach the server with their callbacks; the approval page's address if left out."""

    keep_callbacks_days: int | None = Field(default=None, ge=1)
    """Days after which a callback is deleted, once its action is settled; kept for ever if left out."""

    allowed_hosts: list[str] = []
    """Host headers that are answered besides the address it listens on."""

    allowed_origins: list[str] = []
    """Origins of web pages that may call it."""

    @field_validator("tokens", mode="before")
    @classmethod
    def _without_line_ends(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {name: strip_line_end(token) for name, token in cast("Mapping[str, object]", value).items()}


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


NameList = Annotated[list[str], NoDecode, BeforeValidator(_split)]


class ApprovalSettings(Section):
    """How the operator is asked."""

    page: Literal["auto", "off"] = "auto"
    """`auto` serves the approval page: under /approvals over HTTP, else on loopback once something waits."""

    port: int = Field(default=8766, ge=0, le=65535)
    """Where the page listens on loopback; another port is taken if this one belongs to something else."""

    address: WebAddress | None = None
    """Where people reach the HTTP server's page, such as https://ringfence.example.com behind a proxy."""

    wait_seconds: float | None = Field(default=None, ge=0, le=3600)
    """How long a call waits for the operator; if left out, 50 seconds where the client opened the page, else not."""


STORES = ("sqlite+aiosqlite:///", "postgresql+psycopg://")


def _store(url: SecretStr) -> SecretStr:
    """Judged by its beginning alone: the message must not repeat an address that may hold a password."""
    text = url.get_secret_value()
    if not text.startswith(STORES):
        raise ValueError("postgresql+psycopg://USER:PASSWORD@HOST/DATABASE or sqlite+aiosqlite:///FILE is expected")
    if text.startswith(STORES[1]) and find_spec("psycopg") is None:
        raise ValueError('PostgreSQL needs the extra `postgres`: uv tool install ".[postgres]" in a checkout')
    return url


def _state_key(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}=", key.get_secret_value()):
        raise ValueError("32 random bytes in URL-safe base64 are expected, 44 characters that end in =")
    return key


class Settings(BaseSettings):
    """The operator's settings."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED_BY,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    voicetel: VoiceTelSettings = VoiceTelSettings()

    routee: RouteeSettings = RouteeSettings()

    convirza: ConvirzaSettings = ConvirzaSettings()

    enswitch: EnswitchSettings = EnswitchSettings()

    http: HttpSettings = HttpSettings()

    approvals: ApprovalSettings = ApprovalSettings()

    policy: PolicySettings = PolicySettings()

    budget: list[BudgetSettings] = []

    prices: Mapping[str, PriceSettings] = {}

    destinations: DestinationSettings = DestinationSettings()

    compliance: ComplianceSettings = ComplianceSettings()

    tighten: Mapping[str, Word] = {}
    """What this session makes stricter, by effect, provider, toolset or tool name; it can make nothing milder."""

    toolsets: NameList = []
    """Toolsets to show: names, `default` or `all`; `default` where neither these nor tools are named."""

    tools: NameList = []
    """Tools to show besides the toolsets."""

    exclude_tools: NameList = []
    """Tools that are neither shown nor reached by another way, whatever else is said."""

    read_only: bool = False
    """Show and allow plain reads only; this stands over everything else."""

    state_folder: Path = Field(default_factory=lambda: user_state_path("ringfence"))
    """Where the store lies."""

    store_url: Annotated[SecretStr, AfterValidator(_store)] | None = None
    """Another store, such as postgresql+psycopg://USER:PASSWORD@HOST/DATABASE; several servers may share it."""

    state_key: Annotated[SecretStr, AfterValidator(_state_key)] | None = None
    """Key that seals secrets and the audit, one for all who share a store; if left out, made in the state folder."""

    approval_minutes: float = Field(default=15, gt=0, le=24 * 60)
    """How long a question waits for its answer."""

    timeout_seconds: float = Field(default=30, gt=0, le=600)
    """How long a provider may take to answer."""

    paths: Mapping[str, str] = {}
    """Other paths for operations whose path is inferred, by tool name."""

    log_format: Literal["text", "json"] = "text"
    """How log lines are written to stderr."""

    @property
    def rules(self) -> RuleSettings:
        """Everything that decides what may happen."""
        return RuleSettings(
            policy=self.policy,
            budget=self.budget,
            prices=self.prices,
            destinations=self.destinations,
            compliance=self.compliance,
        )

    def session_policy(self) -> Policy:
        """The operator's policy, made stricter by what this session adds."""
        return self.policy.policy().tightened(self.tighten)

    @property
    def store_address(self) -> str:
        """Where the store is, as SQLAlchemy writes it."""
        if self.store_url is not None:
            return self.store_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.state_folder / 'ringfence.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over the file, whose content comes in as keyword arguments."""
        return env_settings, init_settings


def read_settings(path: Path | None = None, *, with_surface: bool = False) -> Settings:
    """Read the environment and the settings file. What is to be shown is looked up when it is, or `with_surface`.

    Without a path it is the one that `RINGFENCE_CONFIG` names, or `ringfence.toml` in the user's configuration folder.
    Never one in the current folder: clients start servers in project folders, where a cloned repository or a model that
    writes files could put rules and addresses of its own.

    Raises:
        BadSettings: The file is not TOML, or a value does not fit.
    """
    file = path or _found_file()
    document = _document(file) if file else ""
    content = _content(file, document) if file else {}
    problems: list[str] = []
    if strangers := unknown_variables(Settings):
        from server.settings.errors import unknown

        problems += unknown(Settings, strangers)
    try:
        settings = Settings(**content)
    except SettingsError:
        from server.settings.errors import not_json

        problems += not_json(Settings)
    except ValidationError as misfit:
        from server.settings.errors import Origin, misfits

        origin = Origin(Settings, file, document, EnvSettingsSource(Settings)())
        known = {variable for variable in strangers if any(variable in problem for problem in problems)}
        problems += [text for text in misfits(misfit, origin) if text.partition(":")[0] not in known]
    else:
        problems += _misnamed(settings, file, document, with_surface=with_surface)
        if not problems:
            return settings
    from server.settings.errors import message

    raise BadSettings(message(problems))


def _misnamed(settings: Settings, file: Path | None, document: str, *, with_surface: bool) -> list[str]:
    """Names in the settings that are none. Operations are loaded only where rules name some: it takes half a second."""
    policy = settings.policy
    named = (policy.providers, policy.toolsets, policy.operations, settings.prices, settings.paths, settings.tighten)
    has_home = settings.destinations.home != DestinationSettings.model_fields["home"].default
    if not any((*named, has_home, with_surface, *(cap.provider for cap in settings.budget))):
        return []
    from server.settings.names import unknown_names, unknown_selection_names

    wrong = [*unknown_names(settings), *(unknown_selection_names(settings) if with_surface else ())]
    if not wrong:
        return []
    from server.settings.errors import Origin, located

    return located(wrong, Origin(Settings, file, document, EnvSettingsSource(Settings)()))


def _document(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
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


def _found_file() -> Path | None:
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    own = user_config_path("ringfence") / CONFIG_FILE
    return own if own.is_file() else None
