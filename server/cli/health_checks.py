"""What `ringfence doctor` looks at: the store, each provider's login, and the paths that no document shows."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import BaseModel

from clients.client import ApiClient
from clients.errors import (
    NotAuthenticated,
    NotFound,
    NotPermitted,
    ProviderUnreachable,
    Refused,
    TelephonyError,
    UnexpectedAnswer,
)
from clients.operation import Operation, OperationType
from guard.errors import JournalUnavailable
from server.store.audit import ANOTHER_KEY
from server.store.store import Store
from tools.registry import operations_of, provider_named


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "no", "look"]
    """`look` is for the operator to judge: nothing that is certain to be wrong."""

    detail: str


async def examine_store(record: Store) -> list[Finding]:
    """Whether guarded calls can be put on record, whether they are stopped, and whether anybody could approve."""
    try:
        async with record.database.transaction():
            pass  # whoever gets this far could write
        is_ours, is_frozen = await record.audit.has_our_key(), await record.freeze.is_on()
        passcode = await record.key_values.get("passcode")
    except JournalUnavailable as broken:
        return [Finding("store", "no", str(broken))]
    frozen = (
        [Finding("guard", "no", "frozen: every guarded call is refused until `ringfence unfreeze`")]
        if is_frozen
        else []
    )
    if not is_ours:
        return [Finding("store", "no", ANOTHER_KEY), *frozen]
    hint = "" if passcode else "; no passcode is set yet: ringfence approvals passcode"
    return [Finding("store", "ok", f"can be read and written{hint}"), *frozen]


async def examine_provider(client: ApiClient) -> Finding:
    """Whether the credentials work. Reads something that counts against no limit."""
    title = client.provider.title
    try:
        await client.send(provider_named(client.provider.name).harmless_read.load()())
    except NotFound:
        pass
    except TelephonyError as error:
        return Finding(title, "no", f"{error}{_what_to_do(error, client)}")
    return Finding(title, "ok", f"answers at {client.base_url}")


def _what_to_do(error: TelephonyError, client: ApiClient) -> str:
    """For the operator, whom the errors' own advice tells a model to ask."""
    name = client.provider.name
    match error:
        case ProviderUnreachable():
            return f" Check {name}.base_url in the settings, and the way there from this machine: {client.base_url}"
        case NotAuthenticated():
            return f" Check the credentials in the settings under {name}."
        case _:
            return ""


async def examine_inferred(client: ApiClient) -> AsyncGenerator[Finding]:
    """What each inferred path answered, as far as a free read tells; ids come from the lists that were read before."""
    seen: dict[str, object] = {}
    skipped: list[str] = []
    inferred = [one for one in operations_of(client.provider.name).values() if one.spec.basis == "inferred"]
    for operation in sorted(inferred, key=_needs_arguments):
        call = _harmless(operation, seen)
        if call is None:
            skipped.append(operation.spec.tool_name)
        else:
            yield await _tried(client, call, seen)
    if skipped:
        which = f"{skipped[0]} and {len(skipped) - 1} more" if len(skipped) > 1 else skipped[0]
        yield Finding(client.provider.title, "look", f"not tried, as they write or need what no list gave: {which}")


def _needs_arguments(operation: OperationType) -> bool:
    return any(field.is_required() for field in operation.model_fields.values())


def _harmless(operation: OperationType, seen: dict[str, object]) -> Operation[Any] | None:
    spec = operation.spec
    needed = {name for name, field in operation.model_fields.items() if field.is_required()}
    if not spec.effect.is_plain_read or spec.limit is not None or not needed <= set(seen):
        return None
    return operation.model_validate({name: seen[name] for name in needed})


async def _tried(client: ApiClient, call: Operation[Any], seen: dict[str, object]) -> Finding:
    spec = call.spec
    what = f"{spec.tool_name} (inferred: {spec.method} {spec.path})"
    another = f"if the API has another path, name it as paths.{spec.tool_name} in the settings"
    try:
        answer = await client.send(call)
    except NotFound:
        return Finding(what, "look", f"404, not found; {another}")
    except NotPermitted as denied:
        return Finding(what, "look", f"the path is there, but this account may not: {denied}")
    except UnexpectedAnswer as odd:
        return Finding(what, "look", f"answered in a form we do not know: {odd}")
    except Refused as refused:
        return Finding(what, "look", f"refused: {refused}; {another}")
    except TelephonyError as error:
        return Finding(what, "no", f"{error}{_what_to_do(error, client)}")
    for name, value in _first_ids(answer):
        seen.setdefault(name, value)
    return Finding(what, "ok", "answered as expected")


def _first_ids(answer: object) -> Iterable[tuple[str, object]]:
    """Ids in the first row of a list, by the names under which other operations ask for them."""
    if isinstance(answer, BaseModel):
        for value in vars(answer).values():
            row = cast("list[object]", value)[0] if isinstance(value, list) and value else None
            if isinstance(row, BaseModel):
                yield from ((name, of) for name, of in vars(row).items() if name.endswith("_id") and of is not None)
