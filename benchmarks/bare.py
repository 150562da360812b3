"""The servers to compare with: an empty MCP server, and one with a handwritten tool that makes the same request.

`python -m benchmarks.bare empty | tool [PORT]`; the provider's address and key come from the environment.
"""

import os
import sys
from typing import Annotated, Any

import httpx2
from mcp.server import MCPServer
from pydantic import Field


def main() -> None:
    """Serve over stdio, or over HTTP on a port."""
    kind, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None
    server = MCPServer("bare", log_level="WARNING")
    if kind == "tool":
        _add_tool(server)
    if port is None:
        server.run("stdio")
    else:
        server.run("streamable-http", port=port, stateless_http=True)


def _add_tool(server: MCPServer) -> None:
    http = httpx2.AsyncClient(
        base_url=os.environ["BARE_URL"], headers={"Authorization": f"Bearer {os.environ['BARE_KEY']}"}
    )

    async def search_inventory(
        tn_mask: Annotated[str, Field(pattern=r"^[0-9*]{1,10}$")], quantity: Annotated[int, Field(ge=1, le=1000)] = 10
    ) -> dict[str, Any]:
        """Find telephone numbers that can be ordered."""
        answer = await http.get("/v2.2/inventory", params={"tnMask": tn_mask, "quantity": quantity})
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data

    server.add_tool(search_inventory, name="voicetel_search_inventory")


if __name__ == "__main__":
    main()
