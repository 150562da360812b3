"""The rows that are measured side by side: each opens its servers, and yields what a round measures, in turn."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import create_engine, make_url, text

from benchmarks.batches import CALLS, Figures, Load
from benchmarks.raw import Era, HttpCaller
from benchmarks.sides import (
    BY_HAND,
    EMPTY,
    READ,
    RINGFENCE,
    WRITE,
    Rig,
    Side,
    callers,
    learn_prices,
    resident_mebibytes,
)
from benchmarks.writers_lock import LOG_STATEMENTS, LOGGING, read_lock_times
from server.store.transactions.locks import LOCK_END_OF_AUDIT, LOCK_WHOLE_STORE
from tests.server.postgres import Postgres, programs, running_postgres

MANY: Final = 10
"""Callers at once."""

STARTS: Final = 3
"""Starts in a round, of which the fastest counts."""

USED: Final = 150
"""Calls of each kind before memory is read."""

FASTEST: Final = f"fastest of {STARTS}, ms"
MEMORY: Final = "memory, MiB"
HELD: Final = "locks of all writers, held a call, ms"
HELD_OWN: Final = "locks of an account, held a call, ms"
WAITED: Final = "all locks, waited for a call, ms"

GUARDED: Final = "guarded call with a yes, stdio, {era}"
ALLOWED: Final = "guarded call that policy allows, HTTP, SQLite"
ON_POSTGRES: Final = "guarded call that policy allows, HTTP, PostgreSQL"
ONE: Final = "{what}, 1 caller"
TEN: Final = f"{{what}}, {MANY} callers"
IN_TWO: Final = f"{TEN}, 2 processes"
LOGGED: Final = f"{TEN}, with a log"
READ_STDIO: Final = "read call, stdio, {era}"
READ_HTTP: Final = "read call, HTTP, {era}"
START: Final = "start to first answer"
AFTER_USE: Final = "memory after use, stdio"


class Measurement(Protocol):
    """What a round does once."""

    def measure(self, seconds: float) -> Figures:
        """Measure for about so many seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """One measurement of one side, for one line of the table."""

    what: str
    side: str
    measurement: Measurement


Row = Callable[[Rig, ExitStack], list[Trial]]
"""Opens what the trials of a row need, for as long as the stack is open."""


def guarded(rig: Rig, stack: ExitStack) -> list[Trial]:
    """Open the guarded call over stdio: the driver answers its question with yes."""
    trials: list[Trial] = []
    for era in Era:
        for side in (RINGFENCE, BY_HAND):
            caller, pid = stack.enter_context(rig.over_stdio(side, rig.environment(rig.new_folder()), era))
            call = side.call_of(caller, WRITE, asked_in=era)
            learn_prices(rig, call)
            trials.append(Trial(GUARDED.format(era=era.value), side.name, Load([call], [pid])))
    return trials


def allowed(rig: Rig, stack: ExitStack) -> list[Trial]:
    """Open the guarded call that policy allows, over HTTP, with a store in SQLite."""
    return [
        *(trial for side in rig.calling() for trial in _allowed_by(rig, stack, side, ALLOWED, {})),
        _in_two_processes(rig, stack, ALLOWED, {}),
    ]


def on_postgres(rig: Rig, stack: ExitStack) -> list[Trial]:
    """Open the same with a store in PostgreSQL; nothing where that is not installed."""
    where = programs()
    if where is None:
        return []
    postgres = stack.enter_context(running_postgres(where, *LOGGING))
    return [
        *_allowed_by(rig, stack, RINGFENCE, ON_POSTGRES, {"RINGFENCE_STORE_URL": postgres.database()}),
        _in_two_processes(rig, stack, ON_POSTGRES, {"RINGFENCE_STORE_URL": postgres.database()}),
        _logged(rig, stack, postgres),
    ]


def read_over_stdio(rig: Rig, stack: ExitStack) -> list[Trial]:
    """Open a read over stdio, in both eras."""
    trials: list[Trial] = []
    for era in Era:
        for side in rig.calling():
            caller, pid = stack.enter_context(rig.over_stdio(side, rig.environment(rig.new_folder()), era))
            call = side.call_of(caller, READ)
            trials.append(Trial(READ_STDIO.format(era=era.value), side.name, Load([call], [pid])))
    return trials


def read_over_http(rig: Rig, stack: ExitStack) -> list[Trial]:
    """Open a read over HTTP, in both eras, by one and by ten callers."""
    trials: list[Trial] = []
    for side in rig.calling():
        port, pid = stack.enter_context(rig.over_http(side, rig.environment(rig.new_folder())))
        for era in Era:
            what = READ_HTTP.format(era=era.value)
            trials += _by_one_and_many(stack, side, what, port, pid, era, READ)
    return trials


def start(rig: Rig, stack: ExitStack) -> list[Trial]:
    """Open nothing: each trial starts its server, with the default selection of tools."""
    sides = (RINGFENCE, EMPTY, *rig.calling()[1:])
    return [Trial(START, side.name, _Start(rig, side)) for side in sides]


def memory(rig: Rig, stack: ExitStack) -> list[Trial]:
    """Open nothing: each trial starts its server over stdio, and uses it."""
    return [Trial(AFTER_USE, side.name, _Memory(rig, side)) for side in rig.calling()]


ROWS: Final[Mapping[str, Row]] = {
    "guarded": guarded,
    "allowed": allowed,
    "postgres": on_postgres,
    "read-stdio": read_over_stdio,
    "read-http": read_over_http,
    "start": start,
    "memory": memory,
}
"""The rows by the word that runs one alone."""


class _Start:
    """From the start of the process to the answer of the first `tools/list`."""

    def __init__(self, rig: Rig, side: Side) -> None:
        self._rig, self._side = rig, side
        self._env = rig.environment(rig.new_folder())

    def measure(self, seconds: float) -> Figures:
        """Return the fastest of several starts."""
        return {FASTEST: min(self._once() for _ in range(STARTS))}

    def _once(self) -> float:
        began = time.perf_counter()
        with self._rig.over_stdio(self._side, self._env, Era.HANDSHAKE) as (caller, _):
            caller.request("tools/list", {})
            return 1000 * (time.perf_counter() - began)


class _Memory:
    """What is resident after reads and guarded calls."""

    def __init__(self, rig: Rig, side: Side) -> None:
        self._rig, self._side = rig, side

    def measure(self, seconds: float) -> Figures:
        """Start the server, use it, and read its memory."""
        self._rig.renew_provider()
        env = self._rig.environment(self._rig.new_folder())
        with self._rig.over_stdio(self._side, env, Era.HANDSHAKE) as (caller, pid):
            read = self._side.call_of(caller, READ)
            write = self._side.call_of(caller, WRITE, asked_in=Era.HANDSHAKE)
            for _ in range(USED):
                read()
                write()
            return {MEMORY: resident_mebibytes(pid)}


class _LoggedLoad:
    """A load whose database logs its statements, from which the times of its locks are read."""

    def __init__(self, load: Load, postgres: Postgres) -> None:
        self._load, self._postgres = load, postgres

    def measure(self, seconds: float) -> Figures:
        """Measure the load, and return what its locks cost a call."""
        size = self._postgres.log.stat().st_size
        figures = self._load.measure(seconds)
        calls = figures[CALLS]
        with self._postgres.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(size)
            times = read_lock_times(log)
        of_all = times.held_of((LOCK_WHOLE_STORE, LOCK_END_OF_AUDIT))
        own = sum(times.held.values()) - of_all
        return {HELD: of_all / calls, HELD_OWN: own / calls, WAITED: times.waited / calls}


def _allowed_by(rig: Rig, stack: ExitStack, side: Side, what: str, settings: dict[str, str]) -> list[Trial]:
    port, pid = _serve_allowing(rig, stack, side, _allowing(rig, settings))
    return _by_one_and_many(stack, side, what, port, pid, Era.MODERN, WRITE)


def _by_one_and_many(stack: ExitStack, side: Side, what: str, port: int, pid: int, era: Era, kind: str) -> list[Trial]:
    return [
        Trial(name.format(what=what), side.name, _load(side, callers(stack, port, era, count), kind, [pid]))
        for name, count in ((ONE, 1), (TEN, MANY))
    ]


def _in_two_processes(rig: Rig, stack: ExitStack, what: str, settings: dict[str, str]) -> Trial:
    env = _allowing(rig, settings)
    served = [_serve_allowing(rig, stack, RINGFENCE, env) for _ in range(2)]
    half = [callers(stack, port, Era.MODERN, MANY // 2) for port, _ in served]
    load = _load(RINGFENCE, [caller for some in half for caller in some], WRITE, [pid for _, pid in served])
    return Trial(IN_TWO.format(what=what), RINGFENCE.name, load)


def _logged(rig: Rig, stack: ExitStack, postgres: Postgres) -> Trial:
    address = postgres.database()
    engine = create_engine(make_url(address), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = make_url(address).database
        connection.execute(text(f"ALTER DATABASE {name} {LOG_STATEMENTS}"))
    engine.dispose()
    port, pid = _serve_allowing(rig, stack, RINGFENCE, _allowing(rig, {"RINGFENCE_STORE_URL": address}))
    load = _load(RINGFENCE, callers(stack, port, Era.MODERN, MANY), WRITE, [pid])
    return Trial(LOGGED.format(what=ON_POSTGRES), RINGFENCE.name, _LoggedLoad(load, postgres))


def _allowing(rig: Rig, settings: dict[str, str]) -> dict[str, str]:
    allow = {f"RINGFENCE_POLICY__{effect}": "allow" for effect in ("PAID", "OUTWARD")}
    return rig.environment(rig.new_folder(), **allow, **settings)


def _serve_allowing(rig: Rig, stack: ExitStack, side: Side, env: dict[str, str]) -> tuple[int, int]:
    """Start a server that knows its prices; return its port and process id."""
    port, pid = stack.enter_context(rig.over_http(side, env))
    [caller] = callers(stack, port, Era.MODERN, 1)
    learn_prices(rig, side.call_of(caller, WRITE))
    return port, pid


def _load(side: Side, some: Sequence[HttpCaller], kind: str, pids: Sequence[int]) -> Load:
    calls = [side.call_of(caller, kind, number=number) for number, caller in enumerate(some)]
    return Load(calls, pids)
