"""The tools of this server: the list comes from a cache on disk, a tool is looked up when it is called."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from clients.deferred import Deferred
from server.mcp.listing.cache import ListingCache, RegisteredTool
from server.settings.model import Settings
from tools.registry import operation_named, operations_in, provider_names
from tools.selection import ToolSelection, names_not_offered

if TYPE_CHECKING:
    from clients.operation import OperationType
    from tools.builtin import BuiltinTool

Declaration: TypeAlias = "OperationType | BuiltinTool"

FIND_TOOLS: Final = Deferred[Callable[..., Sequence[RegisteredTool]]]("server.mcp.listing.entries:find_tools")
BUILTIN_TOOLS: Final["Deferred[Callable[[Collection[str]], tuple[BuiltinTool, ...]]]"] = Deferred(
    "tools.builtin_list:builtin_tools"
)
"""Deferred: a list that is cached needs no declaration of a tool, and the first answer is that list."""


class NotOffered(Exception):
    """A client's headers name a toolset or tool that this server does not offer."""


class ToolRegistry:
    """Lists the tools that the operator selected, and looks them up by name."""

    def __init__(self, settings: Settings) -> None:
        self.selection: ToolSelection = settings.selection
        self.providers = settings.set_up or provider_names()  # where none is set up, show what there is
        self._cache = ListingCache(settings.state_folder)
        self._set_up = settings.set_up
        self._declared: dict[str, Declaration] = {}
        """What listed tools call, by name, as far as they were called."""

    @cached_property
    def listed(self) -> dict[str, RegisteredTool]:
        """The tools that the operator selected, by name, in alphabetical order.

        Raises:
            UnknownTool: The selection names a toolset or tool that does not exist.
        """
        key = repr((self.selection, self.providers))
        found = self._cache.read(key)
        if found is None:
            found = FIND_TOOLS.load()(self.selection, providers=self.providers, set_up=self._set_up)
            self._cache.write(key, found)
        return {one.tool.name: one for one in sorted(found, key=lambda one: one.tool.name)}

    def visible(self, narrowed: ToolSelection | None) -> frozenset[str]:
        """Return the names of the tools that a client sees; its headers may leave out some.

        Raises:
            NotOffered: The headers name a toolset or tool that is not offered here.
        """
        if narrowed is None:
            return self._every_name
        offered = [one.info for one in self.listed.values()]
        if unknown := names_not_offered(narrowed, offered):
            toolsets = sorted({name for tool in offered for name in tool.toolsets})
            raise NotOffered(
                f"The headers name what this server does not offer: {', '.join(unknown)}. "
                f"It offers the toolsets {', '.join(toolsets)}."
            )
        return frozenset(tool.name for tool in offered if narrowed.includes(tool))

    def declaration(self, name: str) -> "Declaration | None":
        """Return the operation or built-in tool that a listed tool calls; None where no such tool is listed."""
        if name not in self._declared and (declared := self._find_declaration(name)) is not None:
            self._declared[name] = declared
        return self._declared.get(name)

    def _find_declaration(self, name: str) -> "Declaration | None":
        registered = self.listed.get(name)
        if registered is None:
            return None
        if registered.module is None:
            return self._builtin[name]
        provider, _, module = registered.module.partition(".")
        declared = {operation.spec.tool_name: operation for operation in operations_in(provider, module)}
        return declared.get(name) or operation_named(name)

    def input_schema(self, name: str) -> dict[str, Any] | None:
        """Return the schema of a listed tool. The SDK compares `Mcp-Param-…` headers with it."""
        registered = self.listed.get(name)
        return registered.tool.input_schema if registered else None

    @cached_property
    def _every_name(self) -> frozenset[str]:
        return frozenset(self.listed)

    @cached_property
    def _builtin(self) -> "dict[str, BuiltinTool]":
        """The built-in tools by name. Those of a provider are loaded with it, so not before they are needed."""
        return {tool.name: tool for tool in BUILTIN_TOOLS.load()(self._set_up)}
