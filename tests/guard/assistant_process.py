"""Assistants with their servers, each a process of its own: they make the calls that come in over a socket.

The program loads everything once and forks, which makes several processes as cheap as one. A line is a JSON list of
`[tool, arguments]`, made side by side; the answer is a line with what each gave back.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp import Client

import guard.pipeline
import server.store.store
from tests.connecting import connect, server_for, settings_for
from tools.registry import operations_of

LONGEST_LINE = 1_000_000
LOADED = (guard.pipeline, server.store.store, operations_of("voicetel"))
"""What a server loads when it is first needed, loaded before the fork."""


async def main(port: int, url: str, folder: str, rules: str) -> None:
    """Connect to the test and make its calls until it hangs up."""
    _, mcp_server = server_for(settings_for(Path(folder), url, **json.loads(rules)))
    async with await anyio.connect_tcp("127.0.0.1", port) as test, connect(mcp_server) as client:
        lines = BufferedByteReceiveStream(test)
        while True:
            try:
                line = await lines.receive_until(b"\n", LONGEST_LINE)
            except (anyio.IncompleteRead, anyio.EndOfStream):
                return
            await _tell(test, await _side_by_side(client, json.loads(line)))


async def _side_by_side(client: Client, calls: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []

    async def make(tool: str, arguments: dict[str, Any]) -> None:
        result = await client.call_tool(tool, arguments)
        told.append({"is_error": bool(result.is_error), **(result.structured_content or {})})

    async with anyio.create_task_group() as group:
        for tool, arguments in calls:
            group.start_soon(make, tool, arguments)
    return told


async def _tell(test: SocketStream, told: list[dict[str, Any]]) -> None:
    await test.send(json.dumps(told).encode() + b"\n")


def _fork(count: int) -> list[int]:
    """So many processes in all; the first knows the others."""
    others: list[int] = []
    while len(others) < count - 1:
        other = os.fork()
        if other == 0:
            return []
        others.append(other)
    return others


if __name__ == "__main__":
    others = _fork(int(sys.argv[1]))
    to_port, url, folder, rules = sys.argv[2:]
    anyio.run(main, int(to_port), url, folder, rules)
    for other in others:
        os.waitpid(other, 0)
