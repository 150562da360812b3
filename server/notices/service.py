"""A channel at one of the services that apprise knows: chats, mail, telephones. The only door to apprise."""

import logging
import re
from typing import Final

import anyio.to_thread
from apprise import Apprise, AppriseAsset, AppriseResult, NotifyFormat, NotifyType
from apprise.result import AppriseResultStatus

from guard.notices.event import Event
from guard.notices.notice import TEST, Notice
from server.notices.not_taken import NotTaken

PATIENCE_SECONDS: Final = 20.0
"""How long a service may take; mail has several answers to wait for."""

UNKNOWN_SERVICE: Final = (
    "apprise knows no service of this URL; docs/notices.md has examples, such as slack://TOKENA/TOKENB/TOKENC"
)

_KINDS: Final = {
    TEST: NotifyType.SUCCESS,
    Event.WAITS: NotifyType.INFO,
    Event.RESUMED: NotifyType.SUCCESS,
    Event.UNKNOWN: NotifyType.FAILURE,
    Event.FROZEN: NotifyType.FAILURE,
}
"""How services mark a notice, where it is no warning."""

_STATUS: Final = re.compile(r"\berror=(\d{3})\b")


class Service:
    """Implements `server.notices.channel.Transport` for one URL."""

    def __init__(self, url: str) -> None:
        """Check the URL.

        Raises:
            NotTaken: Apprise knows no such service.
        """
        _keep_silent()
        # Its annotations have a bare `dict`.
        service = Apprise.instantiate(url, asset=_asset())  # pyright: ignore[reportUnknownMemberType]
        if service is None:
            raise NotTaken(UNKNOWN_SERVICE)
        self._apprise = Apprise(asset=_asset())
        self._apprise.add(service)  # pyright: ignore[reportUnknownMemberType]

    async def send(self, notice: Notice, notice_id: str) -> None:
        """Send a notice as text.

        Raises:
            NotTaken: The service could not be reached, or refused it.
        """
        result = await anyio.to_thread.run_sync(self._send, notice, abandon_on_cancel=True)
        if not result:
            raise NotTaken(_reason(result))

    def _send(self, notice: Notice) -> AppriseResult:
        link = [notice.link] if notice.link else []
        return self._apprise.notify(  # pyright: ignore[reportUnknownMemberType]
            title=notice.title,
            body="\n".join([*notice.lines, *link]) or notice.title,
            notify_type=_KINDS.get(notice.event, NotifyType.WARNING),
            body_format=NotifyFormat.TEXT,
            interpret_escapes=False,
            timeout=PATIENCE_SECONDS,
        )


def _asset() -> AppriseAsset:
    return AppriseAsset(app_id="Ringfence", app_desc="Ringfence", app_url="", secure_logging=True)


def _keep_silent() -> None:
    """Keep what apprise logs, which may hold parts of URLs and answers, out of the log of this process."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _reason(result: AppriseResult) -> str:
    """Say why a service did not take a notice, without what it answered."""
    if result.status is AppriseResultStatus.TIMEOUT:
        return "did not answer in time"
    said = [entry.message for entry in result.logs()]
    for message in said:
        if (status := _STATUS.search(message)) is not None:
            return f"answered {status[1]}"
    return "could not be reached" if any("onnection" in message for message in said) else "did not take it"
