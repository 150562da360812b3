"""Everything an operator can set: environment `RINGFENCE_…` over `ringfence.toml`, read once at the start."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path, user_state_path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from server.rule_settings import (
    BudgetSettings,
    ComplianceSettings,
    DestinationSettings,
    PolicySettings,
    PriceSettings,
    RuleSettings,
    Word,
)

CONFIG_FILE = "ringfence.toml"


class BadSettings(Exception):
    """The settings do not fit. The message names the file or variable, the key, and the rule."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderSettings(_Section):
    """One account at one provider."""

    base_url: str | None = None
    """Another address for the API."""

    @property
    def is_complete(self) -> bool:
        """True when a client can log in, and so the provider is on."""
        return False


class VoiceTelSettings(ProviderSettings):
    """One VoiceTel account: a key, or username and password to fetch one with."""

    api_key: SecretStr | None = None
    """The account's API key, 32 hexadecimal characters."""

    username: str | None = None
    """The account's ten-digit username."""

    password: SecretStr | None = None
    """The account's password."""

    port_in_pin: SecretStr | None = None
    """PIN of the account at the losing carrier, for port-ins that need one."""

    @property
    def is_complete(self) -> bool:
        """True with a key, or with both username and password."""
        return bool(self.api_key or (self.username and self.password))


class RouteeSettings(ProviderSettings):
    """One application of a Routee account; calls are made with that application's rights."""

    application_id: str | None = None
    """The application's id."""

    application_secret: SecretStr | None = None
    """The application's secret."""

    auth_url: str | None = None
    """Another address for the login service, which is a host of its own."""

    @property
    def is_complete(self) -> bool:
        """True with both id and secret."""
        return bool(self.application_id and self.application_secret)


class ConvirzaSettings(ProviderSettings):
    """One user of a Convirza account; calls are made with that user's role."""

    email: str | None = None
    """The user's e-mail address."""

    password: SecretStr | None = None
    """The user's password."""

    oauth_url: str | None = None
    """Another address for the login service, which is a host of its own."""

    webhook_token: SecretStr | None = None
    """Shared token that webhooks carry, so that the receiver knows them; Convirza does not sign them."""

    @property
    def is_complete(self) -> bool:
        """True with both e-mail and password."""
        return bool(self.email and self.password)


class EnswitchSettings(ProviderSettings):
    """One person of an Enswitch installation; calls are made with that person's role and rate plan."""

    username: str | None = None
    """The person's username. Limit it to this machine's address (Users, source) where you can."""

    password: SecretStr | None = None
    """The person's password."""

    version: str = Field(default="4.4", pattern=r"^[34]\.[0-9]{1,2}$")
    """The installation's version: before 4.1 there are no tokens, and plan routes are named another way."""

    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """Currency of the customers, for amounts that name none."""

    @property
    def is_complete(self) -> bool:
        """True with an address, a username and a password: there is no address that all companies share."""
        return bool(self.base_url and self.username and self.password)


class HttpSettings(_Section):
    """The streamable HTTP server."""

    tokens: Mapping[str, SecretStr] = {}
    """Bearer tokens by the name of who holds them. At least one is needed to listen beyond loopback."""

    allowed_hosts: list[str] = []
    """Host headers that are answered besides the address it listens on."""

    allowed_origins: list[str] = []
    """Origins of web pages that may call it."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


NameList = Annotated[list[str], NoDecode, BeforeValidator(_split)]


class ApprovalSettings(_Section):
    """How the operator is asked."""

    page: Literal["auto", "off"] = "auto"
    """`auto` serves the approval page: under /approvals over HTTP, else on loopback once something waits."""

    port: int = Field(default=8766, ge=0, le=65535)
    """Where the page listens on loopback; another port is taken if this one belongs to something else."""

    address: str | None = Field(default=None, pattern=r"^https?://[^/?#@\s]+/?$")
    """Where people reach the HTTP server's page, such as https://ringfence.example.com behind a proxy."""

    wait_seconds: float | None = Field(default=None, ge=0, le=3600)
    """How long a call waits for the operator; if left out, 50 seconds where the client opened the page, else not."""


class Settings(BaseSettings):
    """The operator's settings."""

    model_config = SettingsConfigDict(
        env_prefix="RINGFENCE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
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
    """What this session makes stricter, by effect; a decision can only become stricter by it."""

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

    store_url: str | None = None
    """Another store, such as a PostgreSQL address; several servers may share it."""

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

    @property
    def store_address(self) -> str:
        """Where the store is, as SQLAlchemy writes it."""
        return self.store_url or f"sqlite+aiosqlite:///{self.state_folder / 'ringfence.db'}"

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


def read_settings(path: Path | None = None) -> Settings:
    """Read the environment and the settings file.

    Without a path, `ringfence.toml` is looked for in the current folder, then in the user's configuration folder.

    Raises:
        BadSettings: The file is not TOML, or a value does not fit.
    """
    file = path or _found_file()
    content: dict[str, Any] = {}
    if file is not None:
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as missing:
            raise BadSettings(f"There is no settings file {file}.") from missing
        except tomllib.TOMLDecodeError as broken:
            raise BadSettings(f"{file} is not valid TOML: {broken}") from broken
    try:
        return Settings(**content)
    except SettingsError as misfit:
        raise BadSettings(f"The settings in the environment do not fit: {misfit}; JSON is expected there.") from misfit
    except ValidationError as misfit:
        where = f"{file} or the environment" if file else "the environment"
        lines = [f"  {'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in misfit.errors()]
        raise BadSettings("\n".join([f"The settings in {where} do not fit:", *lines])) from None


def _found_file() -> Path | None:
    named = os.environ.get("RINGFENCE_CONFIG")
    if named:
        return Path(named)
    candidates = (Path.cwd() / CONFIG_FILE, user_config_path("ringfence") / CONFIG_FILE)
    return next((path for path in candidates if path.is_file()), None)
