"""What a client hears besides the SDK's own words: which scopes there are, and that its token cannot be checked now."""

from collections.abc import Sequence
from typing import Final

from mcp.types import INTERNAL_ERROR, ErrorData, JSONRPCError
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.oauth.errors import AuthorizationServerUnavailable

ENDPOINT: Final = "/mcp"
"""The only path that tokens open."""

RETRY_SECONDS: Final = 5


class Refusals:
    """Adds the scopes to what a refusal tells the client, as MCP wants it, and answers while a token cannot be checked.

    A token is looked at where it opens something, and nowhere else.
    """

    def __init__(self, app: ASGIApp, scopes: Sequence[str]) -> None:
        """`scopes` are those that a client without any may ask for."""
        self._app = app
        self._scopes = f', scope="{" ".join(scopes)}"'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] != ENDPOINT:
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"authorization"]}
        elif sum(name == b"authorization" for name, _ in scope["headers"]) > 1:
            await _refuse_several(scope, receive, send)  # what stands before us may have looked at another one
            return

        async def told(message: Message) -> None:
            await send(self._with_scopes(message) if message["type"] == "http.response.start" else message)

        try:
            await self._app(scope, receive, told)
        except AuthorizationServerUnavailable as unavailable:
            await _unavailable(str(unavailable))(scope, receive, send)

    def _with_scopes(self, message: Message) -> Message:
        headers = [
            (name, value + self._scopes if name == b"www-authenticate" and b"scope=" not in value else value)
            for name, value in message.get("headers", ())
        ]
        return {**message, "headers": headers}


_refuse_several: Final = PlainTextResponse(
    "One Authorization header is expected.", 400, {"WWW-Authenticate": 'Bearer error="invalid_request"'}
)


def _unavailable(reason: str) -> Response:
    """Say why nobody can say whether the token counts, as an error that clients show and do not sign in again for."""
    said = f"Your access token cannot be checked now: {reason} Nothing was done. Try again in {RETRY_SECONDS} seconds."
    return error_response(503, None, INTERNAL_ERROR, said, {"Retry-After": str(RETRY_SECONDS)})


def error_response(
    status: int, identifier: str | int | None, code: int, said: str, headers: dict[str, str]
) -> Response:
    """Build an answer whose body is an error of JSON-RPC, which clients show."""
    error = JSONRPCError(jsonrpc="2.0", id=identifier, error=ErrorData(code=code, message=said))
    return Response(error.model_dump_json(by_alias=True), status, headers, "application/json")
