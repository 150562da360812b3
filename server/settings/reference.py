"""The table of settings for the documentation, derived from the settings themselves."""

from typing import Any, cast

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

_ACCOUNTS = (
    "| `accounts.ACCOUNT.provider` | `RINGFENCE_ACCOUNTS__ACCOUNT__PROVIDER` | required | Name of the provider. |",
    "| `accounts.ACCOUNT.KEY` | `RINGFENCE_ACCOUNTS__ACCOUNT__KEY` | none | Every key that the section of the provider "
    "has. |",
)


def settings_table() -> str:
    """Build the table: a row per setting with its key in `ringfence.toml`, variable, default and description."""
    lines = ["| key | environment | default | what it does |", "| --- | --- | --- | --- |"]
    fields = settings_class().model_fields
    for name in (*provider_names(), *Settings.model_fields):
        field = fields[name]
        if name == "accounts":
            lines += _ACCOUNTS
        elif name in _ROWS_OF:
            lines += _section(f"{name}[]" if name == "budget" else f"{name}.TOOL", _ROWS_OF[name], in_environment=False)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            lines += _section(name, field.annotation, in_environment=True)
        else:
            variable = f"`RINGFENCE_{name.upper()}`"
            lines.append(_row(name, variable, field, field_descriptions(settings_class()).get(name, "")))
    return "\n".join(lines)


def _section(name: str, section: type[BaseModel], *, in_environment: bool) -> list[str]:
    sentences = field_descriptions(section)
    rows: list[str] = []
    for key, field in section.model_fields.items():
        inner = bare(field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            rows += _section(f"{name}.{key}", inner, in_environment=in_environment)
            continue
        variable = f"`{variable_of(f'{name}.{key}')}`" if in_environment else "(file only)"
        rows.append(_row(f"{name}.{key}", variable, field, sentences.get(key, "")))
        named, within = _BY_NAME.get(f"{name}.{key}", ("", None))
        if within is not None:
            rows += _section(f"{name}.{key}.{named}", within, in_environment=True)
    return rows


def _row(key: str, variable: str, field: FieldInfo, sentence: str) -> str:
    return f"| `{key}` | {variable} | {_default(field)} | {sentence} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "the user's state folder"
    default: Any = field.default
    if default is None or default == {} or default == []:
        return "none"
    if isinstance(default, list):
        return "`" + ", ".join(str(item) for item in cast("list[object]", default)) + "`"
    return f"`{getattr(default, 'word', default)}`"
