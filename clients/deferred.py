"""An import that waits until it is needed: the one mechanism behind all that a start leaves out.

A start imports neither the store (SQLAlchemy), nor the migrations (alembic), nor what only calls need: each takes
longer to load than everything else that answers a client's first request.
"""

from functools import cached_property
from importlib import import_module
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Deferred(Generic[T]):
    """Something that a module defines, named as `module:name`; the module is imported when it is first loaded."""

    def __init__(self, reference: str) -> None:
        self.module, _, self.name = reference.partition(":")

    def load(self) -> T:
        """Import the module, once, and return what it defines.

        Raises:
            ImportError: There is no such module.
            AttributeError: The module does not define it.
        """
        return self._loaded

    @cached_property
    def _loaded(self) -> T:
        return cast("T", getattr(import_module(self.module), self.name))
