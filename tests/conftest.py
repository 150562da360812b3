"""No test sees the settings or the store of the machine it runs on."""

import gc
import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.operator_side import OperatorSide

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own there
ALLOCATIONS: Final = 20_000
"""How many more objects are made than freed between two collections."""

ENOUGH: Final = 4 * 1024**3
"""Bytes of memory that all folders of a run fit into several times."""


def pytest_configure() -> None:
    """Let the processes that tests start keep what they compile: each would compile our modules and the SDK anew.

    The folders of tests lie in memory where there is enough: the store writes through to the disk with every commit,
    and no test pulls the plug.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if _may_hold_programs(MEMORY) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _may_hold_programs(folder: Path) -> bool:
    """Return True for a folder in which this user can write, and run what was written."""
    return os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_NOEXEC


def pytest_collection_finish() -> None:
    """Keep what is loaded by now out of every later garbage collection: it stays until the end.

    With Python's own threshold, collections take a tenth of the time of the tests. What a test leaves open is still
    found: pytest collects once more at the end.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("RINGFENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RINGFENCE_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("RINGFENCE_APPROVALS__PAGE", "off")  # tests of the page turn it on, at a port of their own
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def operator(tmp_path: Path) -> OperatorSide:
    """Return the operator of every server in this process; the environment set above names the store's folder."""
    return OperatorSide(tmp_path / "state")
