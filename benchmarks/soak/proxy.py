"""A round-robin proxy of TCP in front of the servers, which can cut the connections that it carries."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from random import Random

import anyio
from anyio.abc import ByteStream, SocketAttribute


class Proxy:
    """Hands each new connection to the next server that accepts it."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._turn = count()
        self._open: set[anyio.CancelScope] = set()
        self.cuts = 0

    def cut(self, chance: Random, share: float) -> None:
        """Cut each open connection with this likelihood, whatever it carries."""
        for scope in [one for one in self._open if chance.random() < share]:
            scope.cancel()
            self.cuts += 1

    async def carry(self, client: ByteStream) -> None:
        """Carry one connection until a side ends it; a client that no server accepts is hung up on."""
        with anyio.CancelScope() as scope:
            self._open.add(scope)
            try:
                async with client:
                    server = await self._connect()
                    if server is not None:
                        async with server:
                            await _carry_both_ways(client, server)
            finally:
                self._open.discard(scope)

    async def _connect(self) -> ByteStream | None:
        first = next(self._turn)
        for number in range(len(self._ports)):
            try:
                return await anyio.connect_tcp("127.0.0.1", self._ports[(first + number) % len(self._ports)])
            except OSError:
                continue
        return None


@asynccontextmanager
async def run_proxy(ports: Sequence[int], port: int) -> AsyncGenerator[Proxy]:
    """Run a proxy on a port of loopback as long as the block runs."""
    proxy = Proxy(ports)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as listener:
        assert listener.extra(SocketAttribute.local_port) == port  # noqa: S101, S610 - not Django
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, proxy.carry)
            yield proxy
            group.cancel_scope.cancel()


async def _carry_both_ways(one: ByteStream, other: ByteStream) -> None:
    async with anyio.create_task_group() as group:

        async def pump(source: ByteStream, sink: ByteStream) -> None:
            try:
                while True:
                    await sink.send(await source.receive())
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                group.cancel_scope.cancel()

        group.start_soon(pump, one, other)
        group.start_soon(pump, other, one)
