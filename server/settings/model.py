"""Everything an operator can set, as a model. `load.py` reads it from the environment and `ringfence.toml`."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from platformdirs import user_state_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from clients.settings import AccountSettings, Section, matching, strip_line_end
from guard.rules.policy import Policy
from server.settings.keys import NESTED_BY, PREFIX, variable_of
from server.settings.rules import (
    BudgetSettings,
    ComplianceSettings,
    DestinationSettings,
    PolicySettings,
    PriceSettings,
    RuleSettings,
    Word,
)
from tools.registry import BadProvider, provider_named, provider_names
from tools.selection import ToolSelection

TOKEN_LENGTH = 16
"""A bearer token of fewer characters could be guessed."""


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
    """The operator's settings, without the accounts: `settings_class` adds a section for each installed provider."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED_BY,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

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

    def account(self, provider: str) -> AccountSettings:
        """The account at an installed provider."""
        account: AccountSettings = getattr(self, provider)
        return account

    @property
    def set_up(self) -> tuple[str, ...]:
        """The providers whose account is complete, so that a client can log in."""
        return tuple(name for name in provider_names() if self.account(name).is_complete)

    def unfinished_accounts(self) -> Iterator[str]:
        """The providers that stay off although something of them is set, with what is missing; a sentence each."""
        for name in provider_names():
            account = self.account(name)
            if account.is_begun and account.missing:
                keys = " and ".join(f"{name}.{key} ({variable_of(f'{name}.{key}')})" for key in account.missing)
                yield f"{name} stays off: {keys} {'is' if len(account.missing) == 1 else 'are'} not set."

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
    def selection(self) -> ToolSelection:
        """The tools to show and to reach."""
        return ToolSelection(tuple(self.toolsets), tuple(self.tools), tuple(self.exclude_tools), self.read_only)

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


@cache
def settings_class() -> type[Settings]:
    """The settings with a section for the account at each installed provider.

    Raises:
        BadProvider: A provider has the name of another setting.
    """
    sections: dict[str, Any] = {}
    for name in provider_names():
        if name in Settings.model_fields:
            raise BadProvider(f"The provider {name} cannot be used: `{name}` is a setting of Ringfence itself.")
        section = provider_named(name).settings
        sections[name] = (section, section())
    return create_model("InstalledSettings", __base__=Settings, **sections)
