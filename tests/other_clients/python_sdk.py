"""The official Python SDK, version 1: the protocol of 2025-06-18 and 2025-11-25."""

import asyncio
import json
import os
import sys
from typing import Any

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import ElicitResult

GUARDED = json.loads(os.environ["GUARDED"])


async def say_yes(context: Any, params: Any) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


async def talk(person: Any) -> tuple[int, str, str]:
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with (
        stdio_client(server) as (read, write),
        ClientSession(read, write, elicitation_callback=person) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        listed = await session.call_tool("list_all_numbers", {})
        guarded = await session.call_tool("call_write_operation", GUARDED)
    return len(tools), text_of(listed), text_of(guarded)


def text_of(result: Any) -> str:
    return "\n".join(block.text for block in result.content)


async def main() -> None:
    tools, read, pending = await talk(None)
    _, _, done = await talk(say_yes)
    print(json.dumps({"tools": tools, "read": read, "pending": pending, "done": done}))


asyncio.run(main())
