"""fastmcp's client: it hands on structured content."""

import asyncio
import json
import os
import sys
from typing import Any

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport

GUARDED = json.loads(os.environ["GUARDED"])


async def say_yes(message: str, response_type: Any, params: Any, context: Any) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


async def talk(**person: Any) -> tuple[int, str, str]:
    transport = StdioTransport(sys.argv[1], sys.argv[2:], env=dict(os.environ), keep_alive=False)
    async with Client(transport, **person) as client:
        tools = await client.list_tools()
        listed = await client.call_tool("list_all_numbers", {})
        guarded = await client.call_tool("call_write_operation", GUARDED, raise_on_error=False)
    return len(tools), json.dumps(listed.structured_content), json.dumps(guarded.structured_content)


async def main() -> None:
    tools, read, pending = await talk()
    _, _, done = await talk(elicitation_handler=say_yes)
    print(json.dumps({"tools": tools, "read": read, "pending": pending, "done": done}))


asyncio.run(main())
