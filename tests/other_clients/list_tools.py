"""Print `tools/list` as JSON: `list_tools.py COMMAND …` starts the server over stdio."""

import json
import os
import sys

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters


async def main() -> None:
    """List all tools."""
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
    print(json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]))


if __name__ == "__main__":
    anyio.run(main)
