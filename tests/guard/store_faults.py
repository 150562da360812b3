"""Ways in which the store of a server fails: locked by another process, on a full disk, not to be written at all."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

BUSY_SECONDS: Final = 0.3
"""How long a writer waits in these tests."""

DISK_SIZE: Final = "2m"

Fault = Callable[[Path], AbstractContextManager[None]]
"""A fault of the store that lies in a folder, as long as its block runs."""


@contextmanager
def lock_store(folder: Path) -> Generator[None]:
    """Another process holds the store's lock."""
    with closing(sqlite3.connect(folder / "ringfence.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def fill_disk(folder: Path) -> Generator[None]:
    """Nothing more fits on the disk of the store."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        free = shutil.disk_usage(folder).free
        file.write(b"\0" * free)
    assert shutil.disk_usage(folder).free == 0
    yield
    filler.unlink()


@contextmanager
def remount_read_only(folder: Path) -> Generator[None]:
    """Make the disk of the store read-only while the block runs."""
    _mount("remount,ro", folder)
    yield
    _mount("remount,rw", folder)


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """Mount a disk so small that it can be filled, and yield its folder; skip the test where none can be mounted."""
    folder.mkdir()
    if os.geteuid() != 0 or _try_mount(f"size={DISK_SIZE}", folder) != 0:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607


def address(folder: Path) -> str:
    """Return the address of a store that does not wait long for its lock."""
    return f"sqlite:///{folder / 'ringfence.db'}?timeout={BUSY_SECONDS}"


def _mount(options: str, folder: Path) -> None:
    assert _try_mount(options, folder) == 0


def _try_mount(options: str, folder: Path) -> int:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603
