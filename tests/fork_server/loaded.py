"""What the programs of the tests import, imported before any of them is forked."""

import pkgutil
from importlib import import_module
from typing import Final

from ringfence_installation import PACKAGES

PROGRAMS: Final = ("tests.guard.crashing.trials", "tests.connecting", "tests.over_http")
"""What programs of the tests import besides; they themselves are run, and so not imported before."""


RUN: Final = "server.store.migrations."
"""Modules that Alembic runs."""


def load() -> None:
    """Import every module of Ringfence, as no single program does."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.startswith(RUN):
                import_module(module.name)
    for program in PROGRAMS:
        import_module(program)
