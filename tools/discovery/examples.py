"""An example call of each operation, from `examples.json` in its provider's package."""

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
    """An account for examples, whose settings all fit the strictest form that an example needs."""

    def value_of(self, name: str) -> str:
        """Return the same value for every setting."""
        return "2015550100"


def example_of(operation: OperationType) -> dict[str, Any]:
    """Return example arguments of an operation."""
    spec = operation.spec
    return examples(spec.provider.name)[spec.name]


def example_call(operation: OperationType) -> Any:
    """Return the validated call with the example arguments.

    Raises:
        BadArguments: The example does not fit the operation.
    """
    return parse(operation, example_of(operation), ExampleAccount())[0]


@cache
def examples(provider: str) -> Mapping[str, dict[str, Any]]:
    """Read the examples of a provider's operations, by the operation's name."""
    text = (files(provider_named(provider).package) / "examples.json").read_text(encoding="utf-8")
    return cast("Mapping[str, dict[str, Any]]", json.loads(text))
