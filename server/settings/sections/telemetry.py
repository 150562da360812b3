"""The settings of telemetry: where spans and measurements are sent, and as what."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Final, cast

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from clients.settings import Section, matching, require_expanded, require_header_text, strip_surroundings

_HEADER: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


def _installed(endpoint: str) -> str:
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise ValueError('this needs the extra `otel`: uv tool install ".[otel]" in a checkout')
    return endpoint


class TelemetrySettings(Section):
    """Spans and measurements for a collector of OpenTelemetry."""

    endpoint: (
        Annotated[
            str,
            BeforeValidator(strip_surroundings),
            matching(
                r"https?://[^/?#@\s]+(/[^?#@\s]*)?", "an address such as http://127.0.0.1:4318, without a key in it"
            ),
            AfterValidator(_installed),
        ]
        | None
    ) = None
    """URL of a collector that takes OTLP over HTTP, without /v1/traces; nothing is recorded if left out."""

    service_name: str = Field(default="ringfence", min_length=1, max_length=100)
    """Name under which the collector shows this server."""

    ratio: float = Field(default=1.0, ge=0, le=1)
    """Part of the calls whose spans are sent, from 0 to 1; everything is measured whatever it is."""

    interval: float = Field(default=30.0, ge=1, le=3600)
    """Seconds between two reports of what is measured."""

    headers: Mapping[str, SecretStr] = {}
    """Headers of every request to the collector, such as its key; only from the environment or ringfence.env."""

    @field_validator("headers", mode="before")
    @classmethod
    def _as_headers(cls, value: object) -> object:
        """Take names as variables have them: X_API_KEY for the header x-api-key."""
        if not isinstance(value, Mapping):
            return value
        given = cast("Mapping[str, object]", value)
        return {
            name.strip().lower().replace("_", "-"): strip_surroundings(require_expanded(header))
            for name, header in given.items()
        }

    @field_validator("headers")
    @classmethod
    def _require_headers(cls, headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        if not all(map(_HEADER.fullmatch, headers)):
            raise ValueError("names of HTTP headers are expected, such as x-api-key")
        for header in headers.values():
            require_header_text(header)
        return headers
