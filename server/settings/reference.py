"""What can be set, derived from the settings themselves: for the documentation and `ringfence settings explain`."""

from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clients.descriptions import field_descriptions
from server.settings.keys import bare, variable_of
from server.settings.model import Settings, TokenSettings, settings_class
from server.settings.rules import AccountPolicySettings, BudgetSettings, CorrectionSettings, PriceSettings
from server.settings.sections.notify import ChannelSettings
from tools.registry import provider_names

_ROWS_OF: dict[str, type[BaseModel]] = {
    "budget": BudgetSettings,
    "prices": PriceSettings,
    "corrections": CorrectionSettings,
}
"""Sections that are a list or a table of several."""

_BY_NAME: dict[str, tuple[str, type[BaseModel]]] = {
    "http.tokens": ("HOLDER", TokenSettings),
    "notify.channels": ("CHANNEL", ChannelSettings),
    "policy.accounts": ("ACCOUNT", AccountPolicySettings),
}
"""Tables of sections within a section, with what names each of them."""

_DEFAULT_STATE_FOLDER: Final = "the user's state folder"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting, as its declaration describes it."""

    key: str
    """Its key in `ringfence.toml`; what people choose is in capitals."""

    variable: str | None
    """Its environment variable; None if it has none."""

    default: str | None
    """In words, `none` where it is left out; None if the setting is required in its section."""

    sentence: str

    @property
    def is_pattern(self) -> bool:
        """True if its key stands for several: a row of a list, or a name that people choose."""
        return "[]" in self.key or self.key != self.key.lower()


_ACCOUNTS: Final = (
    SettingRow("accounts.ACCOUNT.provider", "RINGFENCE_ACCOUNTS__ACCOUNT__PROVIDER", None, "Name of the provider."),
    SettingRow(
        "accounts.ACCOUNT.KEY",
        "RINGFENCE_ACCOUNTS__ACCOUNT__KEY",
        "none",
        "Every key that the section of the provider has.",
    ),
)


def settings_table() -> str:
    """Build the table: a row per setting with its key in `ringfence.toml`, variable, default and description."""
    lines = ["| key | environment | default | what it does |", "| --- | --- | --- | --- |"]
    for row in setting_rows():
        variable = f"`{row.variable}`" if row.variable else "(file only)"
        default = "required" if row.default is None else row.default
        is_value = default not in {"required", "none", _DEFAULT_STATE_FOLDER}
        lines.append(f"| `{row.key}` | {variable} | {f'`{default}`' if is_value else default} | {row.sentence} |")
    return "\n".join(lines)


def setting_rows() -> list[SettingRow]:
    """Return every setting, section by section."""
    rows: list[SettingRow] = []
    fields = settings_class().model_fields
    for name in (*provider_names(), *Settings.model_fields):
        field = fields[name]
        if name == "accounts":
            rows += _ACCOUNTS
        elif name in _ROWS_OF:
            rows += _section(f"{name}[]" if name == "budget" else f"{name}.TOOL", _ROWS_OF[name], in_environment=False)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            rows += _section(name, field.annotation, in_environment=True)
        else:
            sentence = field_descriptions(settings_class()).get(name, "")
            rows.append(SettingRow(name, f"RINGFENCE_{name.upper()}", _default(field), sentence))
    return rows


def _section(name: str, section: type[BaseModel], *, in_environment: bool) -> list[SettingRow]:
    sentences = field_descriptions(section)
    rows: list[SettingRow] = []
    for key, field in section.model_fields.items():
        inner = bare(field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            rows += _section(f"{name}.{key}", inner, in_environment=in_environment)
            continue
        variable = variable_of(f"{name}.{key}") if in_environment else None
        rows.append(SettingRow(f"{name}.{key}", variable, _default(field), sentences.get(key, "")))
        named, within = _BY_NAME.get(f"{name}.{key}", ("", None))
        if within is not None:
            rows += _section(f"{name}.{key}.{named}", within, in_environment=True)
    return rows


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    if field.default_factory is not None:
        return _DEFAULT_STATE_FOLDER
    default: Any = field.default
    if default is None or default == {} or default == []:
        return "none"
    if isinstance(default, list):
        return ", ".join(str(item) for item in cast("list[object]", default))
    return str(getattr(default, "word", default))
