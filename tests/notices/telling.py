"""A server whose operators are told what happens: its looks are made by the test, one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from server.notices.channel import channels_of
from server.notices.composition import Composition
from server.notices.delivery import Delivery
from server.notices.gathering import Gathering
from server.services import Services
from server.settings.model import Settings
from tests.connecting import settings_for
from tests.notices.receivers import KEY

BASE: Final = "https://ringfence.example.com"
SENDER: Final = "+12015550142"
NOWHERE: Final = "http://127.0.0.1:9"
"""The address of a provider that is not called."""

BEFORE: Final = datetime(2026, 1, 1, tzinfo=UTC)


def told_to(folder: Path, voicetel: str, *, more: dict[str, Any] | None = None, **channels: Any) -> Settings:
    """Return settings with these channels: a webhook's URL, or the table of one."""
    tables = {
        name: {"webhook": channel, "signing_key": KEY} if isinstance(channel, str) else channel
        for name, channel in channels.items()
    }
    return settings_for(folder, voicetel, notify={"channels": tables}, **(more or {}))


@dataclass(slots=True)
class Telling:
    """What runs beside a server to tell its operators."""

    services: Services
    base: str | None = BASE
    gather: timedelta = timedelta()
    began_at: datetime = BEFORE
    gathering: Gathering = field(init=False)
    deliveries: Sequence[Delivery] = field(init=False)

    def __post_init__(self) -> None:
        """Make its parts, as a server does."""
        channels = channels_of(self.services.settings.notify)
        composition = Composition(self.services, self.base)
        self.gathering = Gathering(self.services, channels, self.began_at, self.gather)
        self.deliveries = [Delivery(self.services, channel, composition) for channel in channels]

    async def look(self) -> None:
        """Look once: gather what there is, and send what is due."""
        await self.gather_now()
        await self.send()

    async def gather_now(self) -> None:
        """Gather what there is, and send nothing."""
        await self.gathering.begin()
        await self.gathering.look()

    async def send(self) -> int:
        """Send what is due; return how many attempts that were."""
        return sum([await delivery.send_due() for delivery in self.deliveries])


def text_to(place: int, words: str = "Your table is ready.") -> dict[str, Any]:
    """Return the arguments of a text to a customer."""
    return {"from_number": SENDER, "to_number": f"+1212555{100 + place:04d}", "text": words}
