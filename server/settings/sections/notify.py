"""The settings of notices: the channels, each with its secret, and the events that it wants."""

import base64
import binascii
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from clients.settings import Section, require_expanded, strip_surroundings
from guard.notices.event import Event

KEY_PREFIX: Final = "whsec_"
"""How the key of a signature begins, as Standard Webhooks has it: libraries of receivers take it as it is."""

_SERVICE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_WEBHOOK: Final = re.compile(r"https?://[^/?#\s]+[^#\s]*")
_SHORTEST_KEY, _LONGEST_KEY = 24, 64
"""Bytes, as Standard Webhooks has it."""


def _service(url: SecretStr) -> SecretStr:
    """Check the form of a service's URL. The message must not repeat it: it is a secret."""
    if not _SERVICE.fullmatch(url.get_secret_value()):
        raise ValueError("a URL of apprise is expected, such as slack://... or mailtos://..., without blanks")
    if find_spec("apprise") is None:
        raise ValueError('this needs the extra `notify`: uv tool install ".[notify]" in a checkout')
    return url


def _webhook(url: SecretStr) -> SecretStr:
    if not _WEBHOOK.fullmatch(url.get_secret_value()):
        raise ValueError("an address that begins with https:// or http:// is expected, without blanks")
    return url


def _signing_key(key: SecretStr) -> SecretStr:
    if not _SHORTEST_KEY <= len(signing_bytes(key) or b"") <= _LONGEST_KEY:
        raise ValueError(
            f"{KEY_PREFIX} is expected, and behind it {_SHORTEST_KEY} to {_LONGEST_KEY} random bytes in base64, such "
            "as `openssl rand -base64 32` prints"
        )
    return key


def signing_bytes(key: SecretStr) -> bytes | None:
    """Return the bytes of a key; None if it is none."""
    text = key.get_secret_value()
    try:
        return base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True) if text.startswith(KEY_PREFIX) else None
    except (binascii.Error, ValueError):
        return None


def _strip(value: object) -> object:
    return strip_surroundings(require_expanded(value))


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class ChannelSettings(Section):
    """Where notices are sent: a service that apprise knows, or a signed webhook."""

    url: Annotated[SecretStr, BeforeValidator(_strip), AfterValidator(_service)] | None = None
    """URL of a service as apprise writes it, such as slack://TOKENS or mailtos://USER:PASSWORD@HOST; it is a secret."""

    webhook: Annotated[SecretStr, BeforeValidator(_strip), AfterValidator(_webhook)] | None = None
    """URL that notices are posted to as JSON with a signature, in place of `url`."""

    signing_key: Annotated[SecretStr, BeforeValidator(_strip), AfterValidator(_signing_key)] | None = None
    """Key of the webhook's signature: whsec_ and 24 to 64 random bytes in base64, which the receiver needs too."""

    events: Annotated[list[Event], NoDecode, BeforeValidator(_split)] = Field(default=list(Event), min_length=1)
    """Events that the channel wants; all if left out."""

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if (self.url is None) == (self.webhook is None):
            raise ValueError("either `url` or `webhook` is expected")
        if (self.webhook is None) != (self.signing_key is None):
            raise ValueError("`webhook` and `signing_key` are expected together")
        return self


_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class NotifySettings(Section):
    """What operators are told, and where."""

    channels: Mapping[str, ChannelSettings] = {}
    """Where notices are sent, by a name of yours."""

    not_picked_up_minutes: float = Field(default=5, gt=0, le=24 * 60)
    """Minutes after which it is told that the assistant does not carry out what a person approved."""

    @field_validator("channels")
    @classmethod
    def _require_names(cls, channels: Mapping[str, ChannelSettings]) -> Mapping[str, ChannelSettings]:
        if not all(map(_NAME.fullmatch, channels)):
            raise ValueError("names of up to 32 small letters, digits, - and _ are expected")
        return channels
