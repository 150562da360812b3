"""HTTP as the frame hands it on: a request read whole, a finished answer, and the exception that carries one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.types import Receive, Scope

Wire = dict[str, object]
"""A JSON object."""


@dataclass(frozen=True)
class Request:
    """One HTTP request with its whole body; `path` is relative to the provider's mount."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    """The caller's IP address; empty if unknown."""
    base_url: str
    """The provider's mount as the client reached it, with a slash at the end."""

    @classmethod
    async def read(cls, scope: Scope, receive: Receive) -> Self:
        """Read an ASGI request."""
        request = StarletteRequest(scope, receive)
        root = scope.get("root_path", "")
        return cls(
            method=request.method,
            path=scope["path"].removeprefix(root),
            query_string=request.url.query,
            headers=request.headers,
            body=await request.body(),
            client=request.client.host if request.client else "",
            base_url=str(request.url.replace(path=f"{root}/", query="")),
        )

    @property
    def media_type(self) -> str:
        """The content type in lower case, without its parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def bearer(self) -> str | None:
        """The bearer token; None if there is no such header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else None


@dataclass(frozen=True)
class Answer:
    """A finished answer, so that a replay returns exactly the same bytes."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"

    def to_response(self) -> Response:
        """Return the answer as Starlette sends it; an empty one has no media type."""
        return Response(self.body, self.status, dict(self.headers), self.media_type if self.body else None)


class Refusal(Exception):
    """Raised anywhere below a provider to answer with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}: {answer.body.decode(errors='replace')}")
        self.answer = answer


def encode(value: object) -> bytes:
    """Return JSON in which a Decimal is a number; make it text first where the documents show text."""
    return json.dumps(value, default=_number, ensure_ascii=False).encode()


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
