"""The calls of clients: everything that needs the guard, the tools themselves or a provider.

Imported with the first of them: a client lists tools before it calls one, and waits for that list.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from mcp.server.apps import client_supports_apps
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, InputRequiredResult

from clients.redaction import redact
from clients.telemetry.instruments import TOOL_CALLS
from clients.telemetry.spans import ACTION, ERROR, OUTCOME, REFUSAL, TOOL, add_facts
from guard.action import State
from server.mcp.approval_page import ApprovalPage
from server.mcp.card.content import without_facts
from server.mcp.completions import Completions
from server.mcp.dispatcher import Dispatcher
from server.mcp.listing.registry import ToolRegistry
from server.mcp.listing.visibility import visible_to
from server.mcp.resources import Resources
from server.mcp.results import problem
from server.mcp.session import Session
from server.mcp.unknown_tool import explain_unknown_tool
from server.services import Services
from tools.builtin import BuiltinTool

_ID: Final = re.compile("(act|plan)_[a-z0-9]{8}")

logger = logging.getLogger(__name__)


class Calls:
    """Answers the requests of clients that are no listing: calls of tools, documents, completions."""

    def __init__(self, registry: ToolRegistry, services: Services, page: ApprovalPage) -> None:
        self._registry = registry
        self._services = services
        self._dispatcher = Dispatcher(services, page)
        self.resources = Resources(services, self._dispatcher)
        self.completions = Completions(services)

    async def call_tool(
        self, context: ServerRequestContext[None, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool that the client sees; what a card shows goes only to a client that shows cards.

        Raises:
            MCPError: There is no such tool here; by the protocol this is an error of the request, not of a tool.
        """
        result = await self._call(context, params)
        _note_outcome(params.name, result)
        if isinstance(result, InputRequiredResult) or client_supports_apps(context):
            return result
        return without_facts(result)

    async def _call(
        self, context: ServerRequestContext[None, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        visible = visible_to(self._registry, context, self._services)
        session = Session(context, self._registry.selection, params, visible)
        declaration = self._registry.declaration(params.name) if params.name in visible else None
        if declaration is None:
            reason = explain_unknown_tool(params.name, self._registry, visible, self._services, session)
            TOOL_CALLS.add(1, {OUTCOME: "error", ERROR: "UnknownTool"})  # without its name: a client made it up
            raise MCPError(code=INVALID_PARAMS, message=reason)
        add_facts({TOOL: params.name})
        arguments = params.arguments or {}
        try:
            if isinstance(declaration, BuiltinTool):
                return await self._dispatcher.call_builtin(declaration, arguments, session)
            return await self._dispatcher.call(declaration, arguments, session)
        except MCPError:
            raise
        except Exception as fault:
            logger.exception("Tool %r raised an unexpected exception", params.name)
            return problem(redact(str(fault)), kind=type(fault).__name__)


def _note_outcome(tool: str, result: CallToolResult | InputRequiredResult) -> None:
    """Count a call of a tool that exists, and note on its span what came of it and which action or plan it is about."""
    content, facts = _content_of(result), {OUTCOME: _outcome_of(result)}
    error = {ERROR: str(content.get("error", "error"))} if facts[OUTCOME] == "error" else {}
    TOOL_CALLS.add(1, {TOOL: tool, **facts, **error})
    facts |= {REFUSAL: error[ERROR]} if error else {}  # the MCP library has a word of its own for the error of a tool
    about = str(content.get("action") or content.get("plan"))
    add_facts(facts | ({ACTION: about} if _ID.fullmatch(about) else {}))


def _outcome_of(result: CallToolResult | InputRequiredResult) -> str:
    """Return in a word what came of a call: the client is to ask its user, it waits for a person, or it is answered."""
    if isinstance(result, InputRequiredResult):
        return "asked"
    if result.is_error:
        return "error"
    return "waiting" if _content_of(result).get("state") == State.PROPOSED else "answered"


def _content_of(result: CallToolResult | InputRequiredResult) -> Mapping[str, Any]:
    return result.structured_content or {} if isinstance(result, CallToolResult) else {}
