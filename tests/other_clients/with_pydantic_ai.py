"""pydantic-ai: its model gets the structured content of a success, and the text of an error."""

import asyncio
import json
import os
import sys
from typing import Any

from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from pydantic_ai import ModelRetry
from pydantic_ai.mcp import MCPToolset

GUARDED = json.loads(os.environ["GUARDED"])


async def say_yes(message: str, response_type: Any, params: Any, context: Any) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


async def talk(**person: Any) -> tuple[int, str, str]:
    transport = StdioTransport(sys.argv[1], sys.argv[2:], env=dict(os.environ), keep_alive=False)
    async with MCPToolset(transport, init_timeout=60, **person) as toolset:
        tools = await toolset.list_tools()
        listed = await toolset.direct_call_tool("list_all_numbers", {})
        try:
            guarded = await toolset.direct_call_tool("call_write_operation", GUARDED)
        except ModelRetry as asked:
            guarded = str(asked)
    return len(tools), json.dumps(listed, default=str), json.dumps(guarded, default=str)


async def main() -> None:
    tools, read, pending = await talk()
    _, _, done = await talk(elicitation_handler=say_yes)
    print(json.dumps({"tools": tools, "read": read, "pending": pending, "done": done}))


asyncio.run(main())
