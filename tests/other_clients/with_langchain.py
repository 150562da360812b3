"""LangChain's adapters: an error of a tool is an exception with its text, or the text itself."""

import asyncio
import json
import os
import sys
from typing import Any

from langchain_core.tools import ToolException
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult

GUARDED = json.loads(os.environ["GUARDED"])


async def say_yes(mcp_context: Any, params: Any, context: Any) -> ElicitResult:
    return ElicitResult(action="accept", content={"approve": True})


async def talk(**person: Any) -> tuple[int, str, str]:
    server = {"transport": "stdio", "command": sys.argv[1], "args": sys.argv[2:], "env": dict(os.environ)}
    client = MultiServerMCPClient({"ringfence": server}, **person)
    tools = {tool.name: tool for tool in await client.get_tools()}
    listed = await tools["list_all_numbers"].ainvoke({})
    try:
        guarded = await tools["call_write_operation"].ainvoke(GUARDED)
    except ToolException as asked:
        guarded = str(asked)
    return len(tools), json.dumps(listed, default=str), json.dumps(guarded, default=str)


async def main() -> None:
    tools, read, pending = await talk()
    _, _, done = await talk(callbacks=Callbacks(on_elicitation=say_yes))
    print(json.dumps({"tools": tools, "read": read, "pending": pending, "done": done}))


asyncio.run(main())
