"""An example call of every operation, from the `examples.json` beside its provider's operations."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

from clients.operation import OperationType
from clients.settings import AccountSettings
from tools.arguments import parse
from tools.registry import provider_named


class ExampleAccount(AccountSettings):
    """Settings for examples: each has the strictest form that one of them needs."""

    def value_of(self, name: str) -> str:
        """The same for every setting."""
        return "2015550100"


def example_of(operation: OperationType) -> dict[str, Any]:
    """Arguments with which the operation could be called."""
    spec = operation.spec
    return examples(spec.provider.name)[spec.name]


def example_call(operation: OperationType) -> Any:
    """The validated call of its example.

    Raises:
        BadArguments: The example does not fit the operation.
    """
    return parse(operation, example_of(operation), ExampleAccount())[0]


@cache
def examples(provider: str) -> Mapping[str, dict[str, Any]]:
    """The examples of a provider's operations, by the operation's name."""
    text = (files(provider_named(provider).package) / "examples.json").read_text(encoding="utf-8")
    return cast("Mapping[str, dict[str, Any]]", json.loads(text))
