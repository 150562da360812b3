"""A channel: where notices are sent. Made of the settings; its URL is in none of its words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from clients.deferred import Deferred
from clients.redaction import redact
from clients.settings import reveal
from guard.notices.event import Event
from guard.notices.notice import Notice
from server.notices.webhook import Webhook
from server.settings.sections.notify import ChannelSettings, NotifySettings, signing_bytes


class Transport(Protocol):
    """How notices reach a channel."""

    async def send(self, notice: Notice, notice_id: str) -> None:
        """Send a notice. `notice_id` is the same for every attempt.

        Raises:
            NotTaken: The channel did not take it.
        """
        ...


class MakeTransport(Protocol):
    """The signature of `server.notices.service.Service`."""

    def __call__(self, url: str) -> Transport:
        """Return how notices reach the service at a URL."""
        ...


SERVICE: Final = Deferred[MakeTransport]("server.notices.service:Service")
"""Services are sent to by apprise, which takes half a second to load: no start waits for it."""

_TOKEN: Final = re.compile(r"(?=\S*[0-9])[^.\s]{12,}|[^.\s]{24,}")
"""A part of a URL that is more than a word or the name of a host, which must not vanish from every log."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of the settings."""

    name: str
    settings: ChannelSettings

    def wants(self, event: Event) -> bool:
        """Return True if notices of an event are sent here."""
        return event in self.settings.events

    def transport(self) -> Transport:
        """Return how notices reach it. For a service this loads apprise, which blocks.

        Raises:
            NotTaken: Apprise knows no such service.
        """
        webhook, key = self.settings.webhook, self.settings.signing_key
        if webhook is not None and key is not None:
            return Webhook(webhook.get_secret_value(), signing_bytes(key) or b"")
        return SERVICE.load()(reveal(self.settings.url) or "")


def channels_of(settings: NotifySettings) -> Sequence[Channel]:
    """Return the channels of the settings; the redactor learns what is secret about them."""
    for channel in settings.channels.values():
        for secret in filter(None, (channel.url, channel.webhook, channel.signing_key)):
            _hide(secret.get_secret_value())
    return [Channel(name, channel) for name, channel in settings.channels.items()]


def _hide(secret: str) -> None:
    """Have the redactor hide a URL and the parts of it that may be secrets."""
    redact.learn(secret)
    try:
        parts = urlsplit(secret)
        named = [parts.password or "", parts.username or "", parts.hostname or "", *parts.path.split("/")]
    except ValueError:
        return
    for part in (*named, *(value for _, value in parse_qsl(parts.query))):
        if part == parts.password or _TOKEN.fullmatch(part):
            redact.learn(part)
