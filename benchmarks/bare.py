"""The servers to compare with: an empty MCP server, and one with handwritten tools that make the same requests.

`python -m benchmarks.bare empty | tool [PORT]`; the provider's address and key come from the environment.
"""

import os
import sys
from typing import Annotated, Any

import httpx2
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

UsNumber = Annotated[str, Field(pattern=r"^[2-9][0-9]{9}$")]


class Approval(BaseModel):
    """What the person at the client answers."""

    approve: bool


def ask(number: str, destination: str) -> Elicit[Approval]:
    """Return the bare question of a call, in a form that both eras of the protocol carry."""
    return Elicit(f"Forward calls of {number} to {destination}?", Approval)


def main() -> None:
    """Serve over stdio, or over HTTP on a port."""
    kind, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None
    server = MCPServer("bare", log_level="WARNING")
    if kind == "tool":
        _add_tools(server)
    if port is None:
        server.run("stdio")
    else:
        server.run("streamable-http", port=port, stateless_http=True)


def _add_tools(server: MCPServer) -> None:
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

    async def set_forward(number: UsNumber, destination: UsNumber) -> dict[str, Any]:
        """Forward a number's calls to another number."""
        answer = await http.put(f"/v2.2/numbers/{number}/forward", json={"destination": destination})
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def set_forward_with_yes(number: UsNumber, destination: UsNumber, context: Context) -> dict[str, Any]:
        """Forward a number's calls to another number, if the person says yes; before 2026-07-28."""
        answer = await context.elicit(f"Forward calls of {number} to {destination}?", Approval)
        if answer.action != "accept" or not answer.data.approve:
            return {"declined": True}
        return await set_forward(number, destination)

    async def set_forward_with_answer(
        number: UsNumber, destination: UsNumber, approval: Annotated[Approval, Resolve(ask)]
    ) -> dict[str, Any]:
        """Forward a number's calls to another number, if the person says yes; since 2026-07-28."""
        return await set_forward(number, destination) if approval.approve else {"declined": True}

    for tool in (search_inventory, set_forward, set_forward_with_yes, set_forward_with_answer):
        server.add_tool(tool)


if __name__ == "__main__":
    main()
