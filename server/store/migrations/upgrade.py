"""Upgrades the tables of an older store. Imported when a store needs it: alembic takes a second to load."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import URL

from guard.errors import JournalUnavailable
from server.store.engine import is_file

# Alembic keeps its state in global variables, so threads take turns.
_TURN = threading.Lock()


def upgrade(url: URL) -> None:
    """Run the migrations that a store lacks.

    Raises:
        JournalUnavailable: A newer Ringfence upgraded the store.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["url"] = url.set(drivername="sqlite" if is_file(url) else url.drivername)
    try:
        with _TURN:
            command.upgrade(config, "head")
    except CommandError:
        raise JournalUnavailable(
            "The store was upgraded by a newer Ringfence than this one, so guarded calls are refused. "
            "Install the newer version."
        ) from None
