"""The store's file, read with plain SQL as an auditor with a copy of it would.

Tests come through the public doors: a client, the command line, the approval page. Only what none of them shows is read
here, such as the money that a killed call holds; and only what a fault or a forger does to the file is done here, such
as a row that somebody changed, or an answer that grew old while nobody called.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio.to_thread

FILE = "ringfence.db"


async def rows(folder: Path, query: str, *values: Any) -> list[dict[str, Any]]:
    """Return what a query finds in the store of a folder, each row by its column names."""

    def read() -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as file:
            file.row_factory = sqlite3.Row
            return [dict(row) for row in file.execute(query, values)]

    return await anyio.to_thread.run_sync(read)


async def change(folder: Path, statement: str, *values: Any) -> None:
    """Change the store of a folder behind the back of its servers.

    Waits in a thread for the lock, which a server can only give back while this process's event loop runs.
    """

    def write() -> None:
        with closing(sqlite3.connect(folder / FILE)) as file, file:
            file.execute(statement, values)

    await anyio.to_thread.run_sync(write)
