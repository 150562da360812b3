"""Gives a command the options of the filter of actions, as `ActionFilter` declares them."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from clients.shared.clock import SystemClock
from server.cli.terminal import Target, fail
from server.store.reports.filter import CRITERIA, ActionFilter, BadFilter, read_filter

P = ParamSpec("P")


def filtering(command: Callable[Concatenate[Target, ActionFilter, P], None]) -> Callable[..., None]:
    """Give a command an option for each value of the filter, which it is handed as its second argument."""

    @wraps(command)
    def run(target: Target, *args: P.args, **kwargs: P.kwargs) -> None:
        given: dict[str, Any] = {name: kwargs.pop(name) for name in CRITERIA}
        try:
            wanted = read_filter(given, SystemClock().now())
        except BadFilter as bad:
            fail(str(bad))
        command(target, wanted, *args, **kwargs)

    [first, _, *own] = signature(command).parameters.values()
    options = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, typer.Option(help=shown.help)],
        )
        for name, shown in CRITERIA.items()
    ]
    run.__signature__ = signature(command).replace(  # type: ignore[attr-defined]
        parameters=[first, *(one.replace(kind=Parameter.KEYWORD_ONLY) for one in own), *options]
    )
    return run
