"""What the programs of the tests import, imported before any of them is forked."""

import pkgutil
from importlib import import_module
from typing import Final

from ringfence_installation import PACKAGES
from server.settings.model import settings_class

RUN: Final = "server.store.migrations."
"""Modules that Alembic runs."""

ON_FIRST_USE: Final = (
    "anyio._backends._asyncio",
    "dbos._sys_db_sqlite",
    "httpcore2",
    "phonenumbers.data.region_US",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.auto",
)
"""Modules that libraries import when they are first used."""

OF_PROGRAMS: Final = ("tests.guard.crashing.trials", "tests.connecting", "tests.over_http")
"""What programs of the tests import besides; they themselves are run, and so not imported before."""


def load() -> None:
    """Import every module of Ringfence, which no single program does, and build the settings of all providers."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.startswith(RUN):
                import_module(module.name)
    for name in (*ON_FIRST_USE, *OF_PROGRAMS):
        import_module(name)
    settings_class()
