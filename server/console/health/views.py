"""Prepares the health of the installation for the templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clients.shared.limits import Limit
from server.console.views import span
from server.settings.model import Settings
from server.store.limits import Room, StoredLimits
from server.store.processes import SignOfLife, is_gone, this_process
from server.store.shared import limit_of_account
from tools.registry import operations_of, provider_named

SILENT_AFTER: Final = 150
"""Seconds without a sign of life after which a process of another machine is silent: servers give one a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitView:
    """What is left of a provider's limit."""

    limit: Limit
    room: Room
    period: str
    wait: str
    """How long until another call is possible; empty while one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account that is set up."""

    name: str
    provider: str
    where: str
    """What sets it."""

    limits: tuple[LimitView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessView:
    """A process on the record."""

    sign: SignOfLife
    standing: str
    is_well: bool
    is_this: bool


async def build_accounts(settings: Settings, limits: StoredLimits) -> list[AccountView]:
    """Prepare each account that is set up, with what is left of the limits that count its calls."""
    found: list[AccountView] = []
    for name in settings.account_names:
        provider = settings.provider_of(name)
        counted = [limit_of_account(one, None if name == provider else name) for one in _limits_of(provider)]
        found.append(
            AccountView(
                name=name,
                provider=provider_named(provider).title,
                where=str(settings.where_set(tuple(settings.key_of(name).split(".", 1)))),
                limits=tuple([_limit(one, await limits.left(one)) for one in counted]),
            )
        )
    return found


def _limits_of(provider: str) -> list[Limit]:
    """Return the limits that operations of a provider count against."""
    declared = (operation.spec.limit for operation in operations_of(provider).values())
    return sorted({limit for limit in declared if limit is not None}, key=lambda limit: limit.name)


def _limit(limit: Limit, room: Room) -> LimitView:
    wait = "" if room.calls else span(max(1, round(room.wait)))
    return LimitView(limit=limit, room=room, period=_period(limit.seconds), wait=wait)


def _period(seconds: float) -> str:
    named = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}
    return named.get(int(seconds), f"in {span(int(seconds))}")


def build_processes(signs: Sequence[SignOfLife], now: datetime) -> list[ProcessView]:
    """Prepare the processes that gave a sign of life."""
    return [_process(sign, now) for sign in signs]


def _process(sign: SignOfLife, now: datetime) -> ProcessView:
    silent = max(0, int((now - sign.at).total_seconds()))
    gone = is_gone(sign.name)
    if gone is None:
        is_well = silent < SILENT_AFTER
        standing = "runs" if is_well else f"gave no sign of life for {span(silent)}"
    else:
        is_well, standing = not gone, "ended" if gone else "runs"
    return ProcessView(sign=sign, standing=standing, is_well=is_well, is_this=sign.name == this_process())
