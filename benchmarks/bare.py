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


def ask(to_number: str, text: str) -> Elicit[Approval]:
    """Return the bare question of a call, in a form that both eras of the protocol carry."""
    return Elicit(f"Text {to_number}: {text}", Approval)


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

    async def send_message(from_number: UsNumber, to_number: UsNumber, text: str) -> dict[str, Any]:
        """Send a text message."""
        message = {"fromNumber": from_number, "toNumber": to_number, "text": text}
        answer = await http.post("/v2.2/messages", json=message)
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def send_message_with_yes(
        from_number: UsNumber, to_number: UsNumber, text: str, context: Context
    ) -> dict[str, Any]:
        """Send a text message if the person says yes; before 2026-07-28."""
        answer = await context.elicit(f"Text {to_number}: {text}", Approval)
        if answer.action != "accept" or not answer.data.approve:
            return {"declined": True}
        return await send_message(from_number, to_number, text)

    async def send_message_with_answer(
        from_number: UsNumber, to_number: UsNumber, text: str, approval: Annotated[Approval, Resolve(ask)]
    ) -> dict[str, Any]:
        """Send a text message if the person says yes; since 2026-07-28."""
        return await send_message(from_number, to_number, text) if approval.approve else {"declined": True}

    for tool in (search_inventory, send_message, send_message_with_yes, send_message_with_answer):
        server.add_tool(tool)


if __name__ == "__main__":
    main()
