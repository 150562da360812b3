"""The tool that lists texts which did not arrive, with the reason, and whether to send them again."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import Field

from tools.builtin import BuiltinCall, BuiltinEffect, Reply, UntrustedText, builtin_tool
from tools.events.handlers import visible_accounts
from tools.events.record import Event
from tools.overview.failures import FAILED_STATES, UNKNOWN, Failure
from tools.overview.gather import gather
from tools.overview.handlers import Arguments
from tools.overview.optional_reads import OptionalReads
from tools.overview.replies import HERE, named_account, reply_with_gaps, without_none
from tools.overview.views import TooLong
from tools.phone_number import AnyNumber
from tools.registry import provider_named
from tools.webhooks import PLAIN_SENDER

TOOLSET: Final = "messaging"

MOST_EVENTS: Final = 500
"""So many received reports are read for one answer."""

PAGE: Final = 100
"""So many of them are read at once."""

_WORDS: Final = re.compile(r"[A-Za-z0-9 _.\-]{1,40}")
"""A code of a provider: some words. Anything else could be text from outside, and is not shown."""

SENDS_NOTHING: Final = (
    "Nothing was sent again. A repeated text costs again and may reach people twice: let the user decide whom."
)


class FailureQuery(Arguments):
    """Which failed texts to list."""

    days: int = Field(default=7, ge=1, le=90, description="How far back.")
    number: AnyNumber | None = Field(default=None, description="Only to this recipient.")
    limit: int = Field(default=50, ge=1, le=500, description="Rows to show.")
    cursor: str = Field(default="0", pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before.")


@builtin_tool(
    "list_failed_texts",
    toolset=TOOLSET,
    effect=BuiltinEffect.PROVIDER_READ,
    arguments=FailureQuery,
    synonyms=("undelivered", "did not arrive", "bounced", "failed deliveries", "error code", "not received", "resend"),
)
async def list_failed_texts(query: FailureQuery, call: BuiltinCall) -> Reply:
    """List texts of all providers that did not arrive: why, how sure that is, and whether to send them again.

    It sends nothing.
    """
    until = call.services.clock.now()
    since = until - timedelta(days=query.days)
    gathered = await gather(
        call.services.views(call.session), lambda view: view.failures(since, until, query.number), call.session
    )
    record = OptionalReads()
    received = await record.read(_received(call, since, query.number), shows="delivery reports in the inbox") or []
    everywhere = [*received, *((account, one) for account, failures in gathered.found.items() for one in failures)]
    found = {(account, one.message): (one, named_account(call, account)) for account, one in everywhere}
    rows = sorted(found.values(), key=lambda row: row[0].at or since, reverse=True)
    start = int(query.cursor)
    content: dict[str, Any] = {
        "since": since.isoformat(timespec="minutes"),
        "total": len(rows),
        "resend": dict(Counter(one.cause.resend for one, _ in rows)),
        "reasons": [
            {"why": why, "texts": count} for why, count in Counter(one.cause.why for one, _ in rows).most_common()
        ],
        "texts": [{**_row(one), **account} for one, account in rows[start : start + query.limit]],
    }
    if start + query.limit < len(rows):
        content["next_cursor"] = str(start + query.limit)
    gaps = gathered.with_gaps(HERE, record.gaps)
    return reply_with_gaps(content, gaps, call, rows="texts", notes=[SENDS_NOTHING] if rows else [])


TOOLS = (list_failed_texts,)


async def _received(call: BuiltinCall, since: datetime, number: str | None) -> list[tuple[str, Failure]]:
    """Return the failures among the delivery reports that providers posted to the inbox, each with its account.

    Raises:
        TooLong: There are more events than are read.
    """
    latest: dict[tuple[str, str, int], Event] = {}
    accounts, after = visible_accounts(call), 0
    for _ in range(MOST_EVENTS // PAGE):
        page = await call.services.events.find(number=number, accounts=accounts, since=since, after=after, limit=PAGE)
        for event in page:
            part = event.callback.received_for, event.callback.subject, event.callback.part
            # Reports may come in another order than they were made: a final state stays.
            if part not in latest or not latest[part].callback.is_final:
                latest[part] = event
        if len(page) < PAGE:
            return [_failure(event) for event in latest.values() if _is_failure(event, call)]
        after = page[-1].number
    raise TooLong(f"there are more than {MOST_EVENTS} events; give a number or fewer days")


def _is_failure(event: Event, call: BuiltinCall) -> bool:
    reported = event.callback
    if reported.received_for not in call.services.accounts_of(reported.provider):
        return False
    return reported.kind in {"sms", "pool"} and reported.state.casefold() in FAILED_STATES


def _failure(event: Event) -> tuple[str, Failure]:
    reported = event.callback
    explain = provider_named(reported.provider).explain_failure
    failure = Failure(
        provider=reported.provider,
        message=reported.subject,
        state=reported.state,
        code=reported.reason,
        cause=explain.load()(reported.state, reported.reason) if explain else UNKNOWN,
        to=reported.number,
        at=reported.at or event.received_at,
    )
    return reported.received_for, failure


def _row(one: Failure) -> Mapping[str, Any]:
    return without_none(
        {
            "provider": one.provider,
            "to": one.to if one.to is None or PLAIN_SENDER.fullmatch(one.to) else UntrustedText(one.to),
            "at": one.at.isoformat(timespec="minutes") if one.at else None,
            "state": _as_code(one.state),
            "code": _as_code(one.code) if one.code else None,
            "why": one.cause.why,
            "basis": one.cause.basis,
            "resend": one.cause.resend,
            "price": str(one.price) if one.price else None,
            "message": one.message,
        }
    )


def _as_code(text: str) -> str:
    return text if _WORDS.fullmatch(text) else "not shown"
