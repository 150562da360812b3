"""One trial: fork a process that makes a call, kill it, fork the next one, and write down what both did."""

import gc
import json
import os
import random
import select
import signal
import statistics
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import anyio

from server.settings.model import Settings
from tests.connecting import settings_for
from tests.guard.crashing.calls import CALLS, Call
from tests.guard.crashing.processes import call_until_killed, find_out
from tests.guard.crashing.provider import Provider
from tests.guard.crashing.steps import OVER, STARTED, Signals, Step
from tools.operation_catalog import RegisteredOperations

PATIENCE: Final = 60.0
"""Seconds in which a child must say something: far more than it takes, since the machine may be busy."""

MEASURED: Final = 3
"""How many undisturbed calls tell how long one takes."""

BEYOND: Final = 1.1
"""Moments are drawn over a little more than the duration of a call."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One kill, and what was found after it."""

    number: int
    call: str
    killed: str
    """At which step, or after how many milliseconds."""

    reached: list[str]
    """The steps that the killed process had told of."""

    effects: int
    """How often the provider carried the call out, in both processes together."""

    store: str
    """Name of the folder that the store lies in."""

    found: dict[str, Any]
    """The fields of a `Finding`."""


class Batch:
    """Trials of one call, one after the other, against one sandbox."""

    def __init__(self, call: str, url: str, folder: Path, *, new_store: bool) -> None:
        self._name = call
        self._call: Call = CALLS[call]
        self._provider = Provider(url)
        self._folder = folder
        self._new_store = new_store
        self._numbers = iter(range(100))
        self._made: dict[str, Settings] = {}
        self._from = STARTED if new_store else Step.APPROVED

    def at_steps(self, rounds: int) -> Iterator[Trial]:
        """Kill at every step of the call, so many times."""
        for _ in range(rounds):
            for step in Step:
                if step is not Step.SPENT or self._call.says_what_it_took:
                    yield self._trial(step)

    def at_moments(self, count: int, seed: int) -> Iterator[Trial]:
        """Kill at moments spread over a call: from the person's yes on, or from the start where the store is new."""
        generator = random.Random(seed)  # noqa: S311 - not for secrets; the same seed gives the same moments
        span = BEYOND * statistics.median(self._duration() for _ in range(MEASURED))
        for _ in range(count):
            yield self._trial(generator.uniform(0, span))

    def warm_up(self) -> None:
        """Load in this process whatever a call loads, and leave neither thread nor event loop behind."""
        number = next(self._numbers)
        operation = self._call.make(number)
        settings = settings_for(self._folder / "warm", self._provider.voicetel)
        anyio.run(find_out, settings, operation, self._provider.let_go)
        assert RegisteredOperations().operation_named(operation.spec.tool_name)  # what a check of an outcome loads
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(PATIENCE)
        assert threading.active_count() == 1, threading.enumerate()
        gc.collect()
        gc.freeze()  # what is never collected is never written to, and so shared with the children

    def _trial(self, kill: Step | float) -> Trial:
        number = next(self._numbers)
        operation = self._call.make(number)
        settings = self._settings(f"store-{number}" if self._new_store else "store")
        self._provider.reset()
        reached = self._kill(number, settings, kill)
        ready = _Child(lambda pipe: self._next(pipe, settings, number))
        found = json.loads(ready.lines_until(lambda line: line.startswith("{"))[-1])
        ready.wait()
        return Trial(
            number=number,
            call=operation.spec.tool_name,
            killed=kill.value if isinstance(kill, Step) else f"{kill * 1000:.1f} ms after: {self._from}",
            reached=reached,
            effects=self._provider.effects(self._call),
            store=settings.state_folder.name,
            found=found,
        )

    def _kill(self, number: int, settings: Settings, kill: Step | float) -> list[str]:
        """Let a child make the call, and kill it at a step or after so many seconds."""
        if kill in {Step.AT_THE_PROVIDER, Step.IN_EFFECT}:
            self._provider.hold_back(self._call, in_effect=kill is Step.IN_EFFECT)
        child = _Child(lambda pipe: self._first(pipe, settings, number, kill if isinstance(kill, Step) else None))
        if not isinstance(kill, Step):
            reached = child.lines_until(lambda line: line == self._from) + child.lines_for(kill)
        elif kill in {Step.AT_THE_PROVIDER, Step.IN_EFFECT}:
            reached = child.lines_until(lambda line: line == Step.INTENT)
            deadline = time.monotonic() + PATIENCE
            while not self._provider.is_holding():
                assert time.monotonic() < deadline, "The request never arrived."
        else:
            reached = child.lines_until(lambda line: line == kill)
        child.kill()
        return reached

    def _duration(self) -> float:
        number = next(self._numbers)
        self._provider.reset()
        settings = self._settings("store")
        child = _Child(lambda pipe: self._first(pipe, settings, number, None))
        child.lines_until(lambda line: line == self._from)
        started = time.monotonic()
        child.lines_until(lambda line: line == OVER)
        took = time.monotonic() - started
        child.kill()
        return took

    def _settings(self, store: str) -> Settings:
        """Return the settings of a server on a store, made once: a child would make them anew."""
        if store not in self._made:
            self._made[store] = settings_for(self._folder / store, self._provider.voicetel)
        return self._made[store]

    def _first(self, pipe: int, settings: Settings, number: int, stop_at: Step | None) -> None:
        anyio.run(call_until_killed, settings, self._call.make(number), Signals(pipe, stop_at))

    def _next(self, pipe: int, settings: Settings, number: int) -> None:
        found = anyio.run(find_out, settings, self._call.make(number), self._provider.let_go)
        Signals(pipe, None).tell(json.dumps(asdict(found)))


class _Child:
    """A forked process and the lines it writes."""

    def __init__(self, work: Callable[[int], None]) -> None:
        self._reads, writes = os.pipe()
        self._left = b""
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._reads)
            _work_and_leave(work, writes)
        os.close(writes)

    def lines_until(self, is_last: Callable[[str], bool]) -> list[str]:
        """Return the lines up to the first that `is_last` accepts."""
        lines: list[str] = []
        while True:
            for line in self._lines(PATIENCE):
                lines.append(line)
                if is_last(line):
                    return lines

    def lines_for(self, seconds: float) -> list[str]:
        """Return the lines that the child writes within so many seconds."""
        end = time.monotonic() + seconds
        lines: list[str] = []
        while (left := end - time.monotonic()) > 0:
            lines += self._lines(left, may_be_silent=True)
        return lines

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        assert os.WIFSIGNALED(status), "It was gone before it was killed."
        os.close(self._reads)

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        os.waitpid(self._pid, 0)
        os.close(self._reads)

    def _lines(self, seconds: float, *, may_be_silent: bool = False) -> list[str]:
        ready, _, _ = select.select([self._reads], [], [], seconds)
        if not ready:
            assert may_be_silent, "The child said nothing."
            return []
        chunk = os.read(self._reads, 65536)
        assert chunk, "The child ended before it said what was waited for."
        *whole, self._left = (self._left + chunk).split(b"\n")
        lines = [line.decode() for line in whole]
        for line in lines:
            assert not line.startswith("failed"), json.loads(line.removeprefix("failed "))
        return lines


def _work_and_leave(work: Callable[[int], None], pipe: int) -> None:
    """Do the work of a child and end its process; never return into the code of its parent."""
    try:
        work(pipe)
    except BaseException:
        os.write(pipe, f"failed {json.dumps(traceback.format_exc())}\n".encode())
    finally:
        os._exit(0)
