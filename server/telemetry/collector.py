"""The collector of the settings: its addresses, and whether it takes anything."""

from collections.abc import Mapping
from typing import Final, Literal

import httpx2

from server.settings.sections.telemetry import TelemetrySettings

PATIENCE: Final = 5.0
"""Seconds."""


class CollectorRefused(Exception):
    """The collector takes no spans; the message is the reason in a few words."""


def address_of(settings: TelemetrySettings, signal: Literal["traces", "metrics"]) -> str:
    """Return where spans or measurements are posted, as OTLP over HTTP has it."""
    return f"{(settings.endpoint or '').rstrip('/')}/v1/{signal}"


def headers_of(settings: TelemetrySettings) -> Mapping[str, str]:
    """Return the headers of every request to the collector."""
    return {name: value.get_secret_value() for name, value in settings.headers.items()}


async def require_taken(settings: TelemetrySettings) -> None:
    """Post no spans and no measurements to the collector, which are requests that it takes like any other.

    Raises:
        CollectorRefused: It cannot be reached, or does not take them.
    """
    headers = {**headers_of(settings), "Content-Type": "application/x-protobuf"}
    async with httpx2.AsyncClient(timeout=PATIENCE, follow_redirects=False) as http:
        for address in (address_of(settings, "traces"), address_of(settings, "metrics")):
            try:
                answer = await http.post(address, content=b"", headers=headers)
            except httpx2.TimeoutException:
                raise CollectorRefused(f"{address} did not answer within {PATIENCE:.0f} seconds") from None
            except (httpx2.HTTPError, httpx2.InvalidURL):
                raise CollectorRefused(f"{address} cannot be reached") from None
            if not answer.is_success:
                raise CollectorRefused(f"{address} answered {answer.status_code}")
