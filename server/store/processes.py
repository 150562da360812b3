"""The processes on a store: how each is named, whether it still runs, and its last sign of life."""

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import delete, select

from server.store.engine import Database
from server.store.key_values import get_value, put_value
from server.store.schema import facts
from server.store.transactions.locks import Locks

Role = Literal["server", "worker"]

FORGOTTEN_AFTER: Final = timedelta(days=1)
"""A process that gave no sign of life for so long is not listed any more."""

_ENDED: Final = {"Z", "X"}  # zombies are still listed


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOfLife:
    """The last sign of life of a process."""

    name: str
    """As `this_process` names it."""

    role: Role
    at: datetime

    @property
    def machine(self) -> str:
        """The name of its machine or container."""
        return self.name.split(" ", 1)[0]

    @property
    def pid(self) -> str:
        """Its number on that machine."""
        return self.name.rsplit(" ", 2)[1]


class StoredProcesses:
    """Remembers the signs of life of servers and workers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, role: Role, at: datetime) -> None:
        """Give a sign of life of this process."""
        name = this_process()
        value = json.dumps({"name": name, "at": at.isoformat()})
        key = _key(role, name)
        await self._database.write(lambda connection: put_value(connection, key, value), locks=Locks.on(f"value {key}"))

    async def last_beat(self, role: Role, name: str) -> str | None:
        """Return a text that changes with each sign of life; None before the first."""
        return await self._database.read(lambda connection: get_value(connection, _key(role, name)))

    async def latest(self, now: datetime) -> list[SignOfLife]:
        """Return the last sign of life of each process, newest first, without those that are long gone."""
        found = [one for one in await self._all() if now - one.at < FORGOTTEN_AFTER]
        return sorted(found, key=lambda one: one.at, reverse=True)

    async def forget_old(self, now: datetime) -> None:
        """Delete the signs of life of processes that are long gone."""
        old = [_key(one.role, one.name) for one in await self._all() if now - one.at >= FORGOTTEN_AFTER]
        if old:
            await self._database.write(
                lambda connection: connection.execute(delete(facts).where(facts.c.name.in_(old)))
            )

    async def _all(self) -> list[SignOfLife]:
        roles: tuple[Role, ...] = ("server", "worker")
        found: list[SignOfLife] = []
        for role in roles:
            query = select(facts.c.value).where(facts.c.name > f"{role} ", facts.c.name < f"{role}!")
            found += [one for row in await self._database.fetch(query) if (one := _read(role, row["value"]))]
        return found


def _read(role: Role, value: str) -> SignOfLife | None:
    """Read a stored sign of life; None for one of an older form."""
    try:
        stored: dict[str, Any] = json.loads(value)
        return SignOfLife(name=stored["name"], role=role, at=datetime.fromisoformat(stored["at"]))
    except (ValueError, TypeError, KeyError):
        return None


def _key(role: Role, name: str) -> str:
    return f"{role} {hashlib.sha256(name.encode('utf-8')).hexdigest()[:32]}"


def this_process() -> str:
    """Return a text that identifies this process among all that ever shared the store."""
    return f"{_pid_namespace()} {os.getpid()} {_start_time(os.getpid())}"


def is_gone(owner: str | None) -> bool | None:
    """Return True if the process that sent an action has ended, False if it runs.

    None if that cannot be checked: it is on another machine or in another container.
    """
    if owner is None:
        return None
    namespace, pid, started = owner.rsplit(" ", 2)
    if namespace != _pid_namespace() or not started:
        return None
    return _start_time(int(pid)) != started


def _pid_namespace() -> str:
    """Identify the machine and container: containers may share a host name, and each has its own process 1."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
            return f"{platform.node()} {file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return platform.node()


def _start_time(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; empty if it has ended or there is no /proc."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            facts = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if facts[0] in _ENDED else facts[19]
