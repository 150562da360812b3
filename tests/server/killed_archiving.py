"""`python -m tests.server.killed_archiving FOLDER FILE`: archives, and kills itself once the first rows are deleted."""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio

from server.console.passkeys.audit_check import SignatureCheck
from server.store.archiving.archives import StoredArchives
from server.store.store import open_store
from tests.record_file import FILE


async def main(folder: Path, file: Path) -> None:
    """Archive what is older than 2025."""
    store = open_store(f"sqlite:///{folder / FILE}", folder)
    archives, now = StoredArchives(store.database, store.audit), datetime.now(UTC)
    before = datetime(2025, 1, 1, tzinfo=UTC)
    async for progress in archives.archive(file, before=before, now=now, by="a test", passkeys=SignatureCheck()):
        if progress.rows:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), Path(sys.argv[2]))
