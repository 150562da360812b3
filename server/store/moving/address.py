"""The stores that a record is copied between, as an operator names them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.engine import URL, make_url

from server.store import schema
from server.store.engine import for_reading, is_file, make_engine, with_blocking_driver

PROGRESS_TABLE: Final = "copy_progress"
"""The table in which a store that is not open yet holds how far the copy is."""

VERSION: Final = text("SELECT version_num FROM alembic_version")
"""Finds the version of a store's tables, or the mark that closes it."""


class CannotCopy(Exception):
    """A record cannot be copied from one store to the other; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """A store that a record is copied from or to."""

    url: URL

    @classmethod
    def of(cls, text: str) -> "Address":
        """Read the address of a store, in any form that the settings accept."""
        return cls(with_blocking_driver(make_url(text)))

    @property
    def whole(self) -> str:
        """The address with its password."""
        return self.url.render_as_string(hide_password=False)

    @property
    def file(self) -> Path | None:
        """The file of the store; None where it is no file."""
        return Path(self.url.database or "") if is_file(self.url) else None

    @property
    def name(self) -> str:
        """The database, in one form and without its user and password: it is printed, and stored."""
        if (file := self.file) is not None:
            return f"sqlite:///{file.resolve()}"
        host = self.url.host or self.url.query.get("host", "localhost")
        return f"postgresql://{host}:{self.url.port or 5432}/{self.url.database}"

    def version(self) -> str | None:
        """Return the version, or the mark, of the store; None where none of our tables is there.

        Raises:
            CannotCopy: There are such tables, of something else.
        """
        if (file := self.file) is not None and not file.exists():
            return None
        engine = make_engine(self.url)
        try:
            with for_reading(engine).begin() as connection:
                found = set(inspect(connection).get_table_names())
                if "alembic_version" in found:
                    return str(connection.execute(VERSION).scalar())
        finally:
            engine.dispose()
        if ours := sorted(found & {*schema.metadata.tables, PROGRESS_TABLE}):
            raise CannotCopy(f"{self.name} has a table {ours[0]} that is not of a record. Nothing was written there.")
        return None
