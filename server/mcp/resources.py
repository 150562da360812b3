"""Resources: the documents under `ringfence://…` that a client can read."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from server.mcp import resource_content
from server.mcp.card import document as card
from server.mcp.dispatcher import Dispatcher
from server.mcp.resource_content import NoSuchDocument
from server.mcp.session import Session
from server.services import Services

MARKDOWN: Final = "text/markdown"
SCHEME: Final = "ringfence://"

Read = Callable[[Session, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Document:
    """A document, or a kind of documents whose URI ends in a name."""

    kind: str
    name: str
    description: str
    parameter: str | None = None

    @property
    def uri(self) -> str:
        """The URI, with its parameter in braces where it has one."""
        return f"{SCHEME}{self.kind}" + (f"/{{{self.parameter}}}" if self.parameter else "")


DOCUMENTS: Final = (
    Document("guide", "guide", "How to work with this server."),
    Document("policy", "policy", "The rules in force, and what each means."),
    Document("providers", "provider", "A provider's limits and quirks, and which of its paths are inferred.", "name"),
    Document(
        "operations",
        "operation",
        "An operation's arguments, price rule, an example, and what policy says.",
        "name",
    ),
    Document("actions", "action", "A guarded call of yours and its outcome.", "action_id"),
)


class Resources:
    """Answers the three methods of resources."""

    def __init__(self, services: Services, dispatcher: Dispatcher) -> None:
        self._services = services
        self._dispatcher = dispatcher
        self._selection = services.settings.selection
        self._readers: Mapping[str, Read] = {
            "guide": self._guide,
            "policy": self._policy,
            "providers": self._provider,
            "operations": self._operation,
            "actions": self._action,
        }

    async def list(
        self, _context: ServerRequestContext[None, Any], _params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """List the documents that have one fixed URI."""
        return ListResourcesResult(
            resources=[
                Resource(uri=one.uri, name=one.name, description=one.description, mime_type=MARKDOWN)
                for one in DOCUMENTS
                if one.parameter is None
            ]
        )

    async def list_templates(
        self, _context: ServerRequestContext[None, Any], _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """List the kinds of documents that have a name in their URI."""
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(uri_template=one.uri, name=one.name, description=one.description, mime_type=MARKDOWN)
                for one in DOCUMENTS
                if one.parameter is not None
            ]
        )

    async def read(
        self, context: ServerRequestContext[None, Any], params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        """Read one document.

        Raises:
            MCPError: There is no document under this URI.
        """
        uri = str(params.uri)
        if uri == card.URI:
            return ReadResourceResult(contents=[card.read_card()])
        kind, _, name = uri.removeprefix(SCHEME).partition("/")
        document = next((one for one in DOCUMENTS if one.kind == kind and (one.parameter is None) == (not name)), None)
        if not uri.startswith(SCHEME) or document is None or "/" in name:
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown resource: {uri}", data={"uri": uri})
        try:
            text = await self._readers[kind](Session(context, self._selection, params), name)
        except NoSuchDocument as missing:
            raise MCPError(code=INVALID_PARAMS, message=f"{missing} ({uri})", data={"uri": uri}) from None
        return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, text=text, mime_type=MARKDOWN)])

    async def _guide(self, _session: Session, _name: str) -> str:
        return resource_content.guide(self._services)

    async def _policy(self, session: Session, _name: str) -> str:
        return resource_content.policy(self._services, session)

    async def _provider(self, session: Session, name: str) -> str:
        return resource_content.provider(self._services, session, name)

    async def _operation(self, session: Session, name: str) -> str:
        return resource_content.operation(self._services, session, name)

    async def _action(self, session: Session, action_id: str) -> str:
        return await resource_content.action(self._services, self._dispatcher, session, action_id)
