"""The model of everything an operator can set. `load.py` reads it from the environment and `ringfence.toml`."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, Union, cast, get_args
from zoneinfo import ZoneInfo

from platformdirs import user_state_path
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    SecretStr,
    Tag,
    create_model,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from clients.deferred import Deferred
from clients.settings import (
    AccountSettings,
    Section,
    matching,
    require_expanded,
    require_header_text,
    strip_surroundings,
)
from guard.operator_commands import OperatorCommands
from guard.rules.policy import Policy
from server.settings.keys import NESTED_BY, PREFIX, variable_of
from server.settings.origin import Origin, SetAt
from server.settings.rules import (
    ApprovalRuleSettings,
    BudgetSettings,
    ComplianceSettings,
    CorrectionSettings,
    DestinationSettings,
    PolicySettings,
    PriceSettings,
    RuleSettings,
    Word,
)
from server.settings.sections.notify import NotifySettings
from server.settings.sections.oauth import OAuthSettings, principal_of
from server.settings.sections.sign_in import SignInSettings
from server.settings.sections.telemetry import TelemetrySettings
from server.settings.toml_positions import Place
from tools.registry import BadProvider, provider_named, provider_names
from tools.selection import ToolSelection

PROVIDER: Final = "provider"
"""The key that names the provider of an account under `accounts`."""

TOKEN_LENGTH = 16
"""A bearer token of fewer characters could be guessed."""


def _long(token: SecretStr) -> SecretStr:
    if len(token.get_secret_value()) < TOKEN_LENGTH:
        raise ValueError(f"{TOKEN_LENGTH} characters or more are expected")
    return require_header_text(token)


WebAddress = Annotated[
    str, matching(r"https?://[^/?#@\s]+/?", "an address without a path, such as https://ringfence.example.com")
]


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


NameList = Annotated[list[str], NoDecode, BeforeValidator(_split)]

Token = Annotated[SecretStr, AfterValidator(_long)]


class TokenSettings(Section):
    """A bearer token with what its holder may use. It narrows what the server allows, and never widens it."""

    token: Token
    """The bearer token, of 16 characters or more."""

    accounts: NameList | None = None
    """Names of the accounts that its holder may use; all if left out."""

    toolsets: NameList | None = None
    """Toolsets that its holder may use, directly or through other tools; all if left out."""

    read_only: bool = False
    """Allow its holder plain reads only."""

    owner: str | None = None
    """Name of the operator to whom it belongs, who approves nothing that its holder asks for."""

    @field_validator("token", mode="before")
    @classmethod
    def _strip_token(cls, value: object) -> object:
        return strip_surroundings(require_expanded(value))


def _form_of(token: object) -> str:
    return "table" if isinstance(token, Mapping | TokenSettings) else "text"


class HttpSettings(Section):
    """The streamable HTTP server."""

    tokens: Mapping[
        str, Annotated[Annotated[Token, Tag("text")] | Annotated[TokenSettings, Tag("table")], Discriminator(_form_of)]
    ] = {}
    """Bearer tokens of 16 characters or more, by holder. At least one is needed to listen beyond loopback."""

    oauth: OAuthSettings | None = None
    """Access by OAuth 2.1, beside bearer tokens; off if left out."""

    public_address: WebAddress | None = None
    """URL at which providers reach the server with webhooks; `approvals.address` if left out."""

    keep_callbacks_days: int | None = Field(default=None, ge=1)
    """Days after which a webhook is deleted, once its action is settled; kept for ever if left out."""

    allowed_hosts: list[str] = []
    """Host headers to accept besides the address it listens on."""

    allowed_origins: list[str] = []
    """Origins of web pages that may call the server."""

    @field_validator("tokens", mode="before")
    @classmethod
    def _strip_tokens(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        tokens = cast("Mapping[str, object]", value)
        return {name: strip_surroundings(require_expanded(token)) for name, token in tokens.items()}

    def token_of(self, holder: str) -> SecretStr:
        """Return the token of a holder."""
        found = self.tokens[holder]
        return found.token if isinstance(found, TokenSettings) else found


class ApprovalSettings(Section):
    """How the operator approves calls."""

    page: Literal["auto", "off"] = "auto"
    """`auto` serves the approval page: under /approvals over HTTP, otherwise on loopback once an action waits."""

    form: Literal["auto", "off"] = "auto"
    """`auto` asks in the client's form, if it has one; `off` asks the operator only, for clients that answer alone."""

    run: Literal["assistant", "server"] = "assistant"
    """Who carries out what was approved: the `assistant` with its next call, or the `server` at once."""

    port: int = Field(default=8766, ge=0, le=65535)
    """Port of the page on loopback; if another program uses it, a free port is taken."""

    address: WebAddress | None = None
    """URL at which people reach the HTTP server's page, such as https://ringfence.example.com behind a proxy."""

    rules: list[ApprovalRuleSettings] = []
    """What the approval of some calls needs beyond one operator's yes."""

    wait_seconds: float | None = Field(default=None, ge=0, le=3600)
    """Seconds a call waits for the operator; if left out, 50 where the client opened the page, otherwise 0."""


STORES = ("sqlite:///", "sqlite+aiosqlite:///", "postgresql+psycopg://")
"""How the address of a store begins; the second form is the one of 0.1, and means the same as the first."""


def _store(url: SecretStr) -> SecretStr:
    """Check the beginning of the URL. The message must not repeat the URL, which may hold a password."""
    text = url.get_secret_value()
    if not text.startswith(STORES):
        raise ValueError("postgresql+psycopg://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE is expected")
    if text.startswith(STORES[-1]) and find_spec("psycopg") is None:
        raise ValueError('PostgreSQL needs the extra `postgres`: uv tool install ".[postgres]" in a checkout')
    return url


def _state_key(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}=", key.get_secret_value()):
        raise ValueError("32 random bytes in URL-safe base64 are expected, 44 characters that end in =")
    return key


LOAD_ZONE: Final = Deferred[Callable[[str], ZoneInfo | None]]("guard.rules.time_zones:load_zone")
"""Deferred: it stands on the library of telephone numbers, and few settings name a zone."""


def _zone(name: str) -> str:
    if LOAD_ZONE.load()(name) is None:
        raise ValueError("a name of the IANA time zone database is expected, such as America/New_York")
    return name


class Settings(BaseSettings):
    """The operator's settings, without the accounts: `settings_class` adds a section for each installed provider."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED_BY,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    http: HttpSettings = HttpSettings()

    approvals: ApprovalSettings = ApprovalSettings()

    sign_in: SignInSettings = SignInSettings()

    notify: NotifySettings = NotifySettings()

    telemetry: TelemetrySettings = TelemetrySettings()

    policy: PolicySettings = PolicySettings()

    budget: list[BudgetSettings] = []

    prices: Mapping[str, PriceSettings] = {}

    destinations: DestinationSettings = DestinationSettings()

    compliance: ComplianceSettings = ComplianceSettings()

    tighten: Mapping[str, Word] = {}
    """Stricter decisions for this session, by effect, provider, toolset or tool name; looser ones have no effect."""

    toolsets: NameList = []
    """Toolsets to show: names, `default` or `all`; `default` if neither toolsets nor tools are set."""

    tools: NameList = []
    """Tools to show besides the toolsets."""

    exclude_tools: NameList = []
    """Tools that are not shown and cannot be called through any other tool, whatever else is set."""

    accounts: Mapping[str, AccountSettings] = {}
    """More accounts at providers, by a name of yours, each with its `provider` and what that one needs to log in."""

    default_accounts: Mapping[str, str] = {}
    """Account that a call of a provider is made on if it names none, by provider; refused where it is not set."""

    ignored_arguments: NameList = ["toolCallId", "tool_call_id", "sessionId", "session_id"]
    """Arguments that clients add to every call: plain reads ignore them, all other calls name them to be left out."""

    read_only: bool = False
    """Show and allow plain reads only, whatever else is set."""

    share_spending: bool = False
    """Show every principal what all of them spend through this server; otherwise each one sees its own."""

    state_folder: Path = Field(default_factory=lambda: user_state_path("ringfence"))
    """Folder of the store."""

    store_url: Annotated[SecretStr, AfterValidator(_store)] | None = None
    """URL of another store, such as postgresql+psycopg://USER:PASSWORD@HOST/DATABASE; several servers may share it."""

    state_key: Annotated[SecretStr, BeforeValidator(strip_surroundings), AfterValidator(_state_key)] | None = None
    """Key that seals secrets and the audit, one for all servers on a store; if left out, made in the state folder."""

    approval_minutes: float = Field(default=15, gt=0, le=24 * 60)
    """Minutes an action or a plan waits for approval."""

    plan_minutes: float = Field(default=4 * 60, gt=0, le=24 * 60)
    """Minutes in which the steps of an approved plan may be sent, from its proposal, or from the time it runs at."""

    plan_days: float = Field(default=31, gt=0, le=366)
    """Days ahead that a plan may be set to run, or to be undone, at most."""

    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    """Your time zone, such as America/New_York: questions say in it when a plan runs; UTC if left out."""

    timeout_seconds: float = Field(default=30, gt=0, le=600)
    """Seconds a provider may take to answer; a whole answer may take four times as long."""

    paths: Mapping[str, str] = {}
    """Corrected paths of operations whose path is inferred, by tool name; short for `corrections.TOOL.path`."""

    corrections: Mapping[str, CorrectionSettings] = {}
    """What else the provider has otherwise than declared, by tool name; counts for every call of the same endpoint."""

    log_format: Literal["text", "json"] = "text"
    """Format of log lines on stderr."""

    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """Least level of log lines: `info` has a line for each request to a provider and each decision about a call."""

    _commands: OperatorCommands = PrivateAttr(default_factory=OperatorCommands)
    _origin: Origin | None = PrivateAttr(default=None)

    @property
    def commands(self) -> OperatorCommands:
        """How the operator's commands are printed, so that they find these settings and their store."""
        return self._commands

    def printing_commands(self, commands: OperatorCommands) -> Self:
        """Return the same settings, with another way to print the operator's commands."""
        changed = self.model_copy()
        changed._commands = commands
        return changed

    @property
    def file(self) -> Path | None:
        """The settings file that they were read from; None where there was none."""
        return self._origin.file if self._origin else None

    def read_from(self, origin: Origin) -> Self:
        """Return the same settings, which say where each of them was set."""
        changed = self.model_copy()
        changed._origin = origin
        return changed

    def where_set(self, place: Place) -> SetAt:
        """Return what sets a key: a line of the settings file, or a variable."""
        return self._origin.find(place) if self._origin else SetAt()

    def account(self, name: str) -> AccountSettings:
        """Return an account: one under `accounts`, or that of the installed provider of this name."""
        account: AccountSettings = self.accounts.get(name) or getattr(self, name)
        return account

    def provider_of(self, account: str) -> str:
        """Return the name of an account's provider."""
        named = self.accounts.get(account)
        return account if named is None else provider_of(named)

    @property
    def account_names(self) -> tuple[str, ...]:
        """Names of the accounts that have everything a login needs, by provider, each provider's own section first."""
        return tuple(name for name in self._all_accounts() if self.account(name).is_complete)

    def accounts_of(self, provider: str) -> tuple[str, ...]:
        """Return the names of a provider's accounts that have everything a login needs."""
        return tuple(name for name in self.account_names if self.provider_of(name) == provider)

    @property
    def set_up(self) -> tuple[str, ...]:
        """Names of the providers of which an account has everything that a login needs."""
        return tuple(dict.fromkeys(self.provider_of(name) for name in self.account_names))

    def unfinished_accounts(self) -> Iterator[str]:
        """Yield a sentence for each account that stays off although some of it is set: what is missing."""
        for name in self._all_accounts():
            account = self.account(name)
            if account.is_begun and account.missing:
                place = self.key_of(name)
                keys = " and ".join(f"{place}.{key} ({variable_of(f'{place}.{key}')})" for key in account.missing)
                yield f"{name} stays off: {keys} {'is' if len(account.missing) == 1 else 'are'} not set."

    def key_of(self, account: str) -> str:
        """Return the key under which an account is set."""
        return f"accounts.{account}" if account in self.accounts else account

    def _all_accounts(self) -> Iterator[str]:
        """Yield the names of all accounts, set up or not, by provider."""
        for provider in provider_names():
            named = [name for name in self.accounts if self.provider_of(name) == provider]
            yield from dict.fromkeys((provider, *named))

    @property
    def rules(self) -> RuleSettings:
        """The rules that decide what may happen."""
        return RuleSettings(
            policy=self.policy,
            budget=self.budget,
            prices=self.prices,
            destinations=self.destinations,
            compliance=self.compliance,
            approval_rules=self.approvals.rules,
            owners=self._owners(),
        )

    def _owners(self) -> dict[str, str]:
        """Return the operator who owns the token of each principal that has one."""
        tokens = ((holder, token) for holder, token in self.http.tokens.items() if isinstance(token, TokenSettings))
        static = {f"token:{holder}": token.owner for holder, token in tokens if token.owner is not None}
        oauth = self.http.oauth
        if oauth is None:
            return static
        return static | {principal_of(oauth, subject): name for subject, name in oauth.owners.items()}

    @property
    def selection(self) -> ToolSelection:
        """The tools to show and to allow."""
        return ToolSelection(tuple(self.toolsets), tuple(self.tools), tuple(self.exclude_tools), self.read_only)

    def session_policy(self) -> Policy:
        """Return the operator's policy with what this session tightens."""
        return self.policy.policy().tightened(self.tighten)

    @property
    def store_address(self) -> str:
        """The store's URL in SQLAlchemy's form."""
        if self.store_url is not None:
            return self.store_url.get_secret_value()
        return f"sqlite:///{self.state_folder / 'ringfence.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment over the file, whose content is passed as keyword arguments."""
        return env_settings, init_settings


def provider_of(account: AccountSettings) -> str:
    """Return the provider that an account under `accounts` names."""
    provider: str = getattr(account, PROVIDER)
    return provider


def _with_provider(name: str, section: type[AccountSettings]) -> type[AccountSettings]:
    """Return a provider's section with a key that names the provider."""
    kind: Any = (Literal[name], Field(description="Name of the provider."))
    return create_model(f"{section.__name__}OfAccount", __base__=section, **{PROVIDER: kind})


def _table_of(kinds: Sequence[type[AccountSettings]]) -> Any:
    """Return the type of a table of accounts, each at one of the installed providers."""
    named = [(get_args(kind.model_fields[PROVIDER].annotation)[0], kind) for kind in kinds]
    tagged: list[Any] = [Annotated[kind, Tag(name)] for name, kind in named]
    table: Any = Mapping
    one_of: Any = Union
    return table[str, Annotated[one_of[tuple(tagged)], Discriminator(_provider_in)] if len(tagged) > 1 else kinds[0]]


def _provider_in(table: object) -> str | None:
    """Return the provider that the table of an account names; None where it names none."""
    if isinstance(table, AccountSettings):
        return provider_of(table)
    named = cast("Mapping[str, object]", table).get(PROVIDER) if isinstance(table, Mapping) else None
    return named if isinstance(named, str) else None


@cache
def settings_class() -> type[Settings]:
    """Return the settings model with a section for the account at each installed provider.

    Raises:
        BadProvider: A provider has the name of another setting.
    """
    sections: dict[str, Any] = {}
    kinds: list[type[AccountSettings]] = []
    for name in provider_names():
        if name in Settings.model_fields:
            raise BadProvider(f"The provider {name} cannot be used: `{name}` is a setting of Ringfence itself.")
        section = provider_named(name).settings
        sections[name] = (section, section())
        kinds.append(_with_provider(name, section))
    sections["accounts"] = (_table_of(kinds), {})
    return create_model("InstalledSettings", __base__=Settings, **sections)
