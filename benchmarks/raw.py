"""Raw JSON-RPC clients in both eras of the protocol: they cost little, so that a measurement shows the server.

They block, and each has one caller. A caller that answers questions says yes to every one of them.
"""

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from io import BufferedReader, BufferedRWPair
from typing import IO, Any, Final, Protocol

Message = dict[str, Any]
IDLE: Final = 3
"""Seconds after which a connection is made anew: uvicorn closes one that is idle for five."""

YES: Final = {"action": "accept", "content": {"approve": True}}


class Era(Enum):
    """A revision of the protocol, one of each era."""

    HANDSHAKE = "2025-11-25"
    MODERN = "2026-07-28"


class Caller(Protocol):
    """A client that calls a tool and waits for its result."""

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Message:
        """Call a tool, and return its result."""
        ...


class Refused(Exception):
    """The server answered with an error: a failed call must not be measured as a fast one."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a caller makes again and again, and a word that its result has only where it was carried out."""

    caller: Caller
    tool: str
    arguments: Message
    proof: str

    def __call__(self) -> None:
        """Call once.

        Raises:
            Refused: The server answered with an error, with a question, or without what the provider answered.
        """
        result = self.caller.call(self.tool, self.arguments)
        if not any(self.proof in block.get("text", "") for block in result["content"]):
            raise Refused(f"no {self.proof} in {json.dumps(result)}")


class StdioCaller:
    """A caller at the two pipes of a server."""

    def __init__(self, to_server: IO[bytes], from_server: IO[bytes], era: Era) -> None:
        self._to, self._from, self._era = to_server, from_server, era
        self._sent = 0
        if era is Era.HANDSHAKE:
            self.request("initialize", _hello())
            self._write({"method": "notifications/initialized"})

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Message:
        """Call a tool, answer its question with yes, and return its result."""
        params: Message = {"name": tool, "arguments": dict(arguments)}
        result = self.request("tools/call", params)
        while result.get("resultType") == "input_required":
            answers = dict.fromkeys(result["inputRequests"], YES)
            again = {"inputResponses": answers, "requestState": result.get("requestState")}
            result = self.request("tools/call", params | again)
        return _checked(result)

    def request(self, method: str, params: Message) -> Message:
        """Send a request, and return its result."""
        self._sent += 1
        self._write({"id": self._sent, "method": method, "params": params | _meta(self._era)})
        while True:
            line = self._from.readline()
            if not line:
                raise Refused("the server has ended")
            message: Message = json.loads(line)
            if message.get("method") == "elicitation/create":
                self._write({"id": message["id"], "result": YES})
            elif message.get("id") == self._sent:
                return _result(message)

    def _write(self, message: Message) -> None:
        self._to.write(_encoded(message) + b"\n")
        self._to.flush()


class HttpCaller:
    """A caller over one kept connection. It can answer no question: before 2026-07-28 nobody can without a session."""

    def __init__(self, port: int, era: Era) -> None:
        self._port, self._era = port, era
        self._sent = 0
        self._used = 0.0
        self._connect()

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Message:
        """Call a tool, and return its result."""
        return _checked(self.request("tools/call", {"name": tool, "arguments": dict(arguments)}, name=tool))

    def request(self, method: str, params: Message, *, name: str = "") -> Message:
        """Send a request, and return its result; `name` is what the newer era repeats in a header."""
        if time.monotonic() - self._used > IDLE:
            self.close()
            self._connect()
        self._sent += 1
        body = _encoded({"id": self._sent, "method": method, "params": params | _meta(self._era)})
        more = f"Mcp-Method: {method}\r\nMcp-Name: {name}\r\n" if self._era is Era.MODERN else ""
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {self._era.value}\r\n"
            f"{more}Content-Length: {len(body)}\r\n\r\n"
        )
        self._connection.sendall(head.encode("ascii") + body)
        content = _read_body(self._answers)
        self._used = time.monotonic()
        return _result(_message_in(content))

    def close(self) -> None:
        """Close the connection."""
        self._answers.close()
        self._connection.close()

    def _connect(self) -> None:
        self._connection = socket.create_connection(("127.0.0.1", self._port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._connection.makefile("rb")
        self._used = time.monotonic()


def _read_body(answers: BufferedReader | BufferedRWPair) -> bytes:
    """Read one answer, and return its body."""
    status = answers.readline()
    if not status:
        raise Refused("the server has closed the connection")
    length: int | None = None
    while line := answers.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if length is None:
        chunks: list[bytes] = []
        while size := int(answers.readline(), 16):
            chunks.append(answers.read(size))
            answers.readline()
        answers.readline()
        body = b"".join(chunks)
    else:
        body = answers.read(length)
    if b" 200 " not in status:
        raise Refused(f"{status!r} {body!r}")
    return body


def _message_in(body: bytes) -> Message:
    """Return the answer in a body: JSON, or the last message of a stream of events."""
    if not body.startswith(b"{"):
        body = [line for line in body.splitlines() if line.startswith(b"data: {")][-1].removeprefix(b"data: ")
    message: Message = json.loads(body)
    return message


def _result(message: Message) -> Message:
    if "error" in message:
        raise Refused(json.dumps(message["error"]))
    result: Message = message["result"]
    return result


def _checked(result: Message) -> Message:
    """Return a result; a question that nobody answers is none."""
    if result.get("isError") or "content" not in result:
        raise Refused(json.dumps(result))
    return result


def _encoded(message: Message) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode()


def _capabilities() -> Message:
    return {"elicitation": {"form": {}}}


def _hello() -> Message:
    return {
        "protocolVersion": Era.HANDSHAKE.value,
        "capabilities": _capabilities(),
        "clientInfo": {"name": "benchmark", "version": "1"},
    }


def _meta(era: Era) -> Message:
    if era is Era.HANDSHAKE:
        return {}
    prefix = "io.modelcontextprotocol/"
    return {
        "_meta": {
            f"{prefix}protocolVersion": era.value,
            f"{prefix}clientCapabilities": _capabilities(),
            f"{prefix}clientInfo": {"name": "benchmark", "version": "1"},
        }
    }
