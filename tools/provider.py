"""The declaration of one provider: the object that registers everything in its folder.

A package registers its provider through the entry-point group `ringfence.providers`; docs/writing-a-provider.md shows
how. The object itself is light. Whatever takes long to import (client, operations, view) is deferred until the provider
is set up or one of its operations is looked up.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from clients.deferred import Deferred
from clients.settings import AccountSettings

if TYPE_CHECKING:
    from clients.client import ApiClient
    from clients.operation import Operation
    from clients.resources import ClientResources
    from guard.allowances.coverage import FindMembers
    from guard.rules.quote import PriceSource
    from tools.builtin import BuiltinTool
    from tools.overview.failures import Cause
    from tools.overview.views import View
    from tools.policy_reader import Reader
    from tools.webhooks import Callback, Kind

_NAME = re.compile(r"[a-z][a-z0-9]{1,15}")


Connect: TypeAlias = "Callable[[Any, ClientResources], ApiClient]"
"""Makes a client from the provider's settings, which are of the class that the provider declares."""

MakeView: TypeAlias = "Callable[[Reader, Any], View]"
"""Makes the provider's view, for the tools over all providers, from a reader and the provider's settings."""

ReadCallback: TypeAlias = "Callable[[Kind, object], Callback]"
"""Reads one webhook body of a kind; raises `BadCallback` where it is not what the documents show."""

ExplainFailure: TypeAlias = "Callable[[str, str | None], Cause]"
"""Says why a message of a state, and with the provider's own word for the reason, did not arrive."""

Complete: TypeAlias = "Callable[[Reader], Awaitable[Sequence[str]]]"
"""Lists the values of a prompt's argument, for completion."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Everything about one provider."""

    name: str
    """First word of its tools' names and key of its section in the settings: lower-case letters and digits."""

    title: str
    settings: type[AccountSettings]
    package: str
    """The package that holds `operations/` and `examples.json`, as in `__name__` of its `__init__.py`."""

    operations: tuple[str, ...]
    """Modules of `<package>.operations`, in the order in which the documentation shows them."""

    everyday: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Tools of the default selection, by the module of `operations` that declares them."""

    connect: Deferred[Connect]
    harmless_read: "Deferred[Callable[[], Operation[Any]]]"
    """A read that costs nothing and counts against no limit, for `ringfence doctor`."""

    view: Deferred[MakeView] | None = None
    prices: "Deferred[Callable[[ApiClient], PriceSource]] | None" = None
    """Where quotes come from; None where the provider publishes no prices."""

    read_callback: Deferred[ReadCallback] | None = None
    """Reads its webhooks; None where the provider posts none that Ringfence receives."""

    explain_failure: Deferred[ExplainFailure] | None = None
    """Says why a message did not arrive; None where no document names the reasons."""

    group_members: "Deferred[FindMembers] | None" = None
    """Makes the read that shows the numbers in one of its groups; None where it has no groups of numbers."""

    completions: Mapping[str, Deferred[Complete]] = field(default_factory=dict[str, Deferred[Complete]])
    """Completions by the kind of value that a prompt's argument names."""

    tools: "Deferred[Sequence[BuiltinTool]] | None" = None
    """Its tools that are not a single operation."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r}: a provider's name has 2 to 16 lower-case letters and digits.")
