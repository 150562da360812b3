"""The health checks of `ringfence doctor`: installation, store, collector, channels, logins, undocumented endpoints."""

import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast

import anyio.to_thread
from pydantic import BaseModel, ValidationError

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
from guard.rules.time_zones import describe_missing_zones, find_missing_zones
from ringfence_installation import FOLDER, REMEDY, find_changed_files, find_neighbours, recorded_files
from server.console.oidc.discovery import discover
from server.console.oidc.errors import ProviderMisfit
from server.console.oidc.pages import BACK
from server.console.oidc.transport import get_json
from server.http.oauth.introspection import try_introspection
from server.http.oauth.issuer import KEYS, find_endpoint, reason_of
from server.notices.channel import Channel
from server.notices.not_taken import NotTaken
from server.settings.model import Settings
from server.settings.secrets_file import is_open_to_others
from server.settings.sections.oauth import IntrospectionSettings
from server.settings.sections.telemetry import TelemetrySettings
from server.store.sealed.audit import ANOTHER_KEY
from server.store.store import Store
from server.telemetry.collector import CollectorRefused, require_taken
from tools.registry import operations_of, provider_named


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    """`warn` is for the operator to judge: nothing that is certain to be wrong."""

    detail: str


def check_installation(folder: str = FOLDER) -> list[CheckResult]:
    """Check that Ringfence's files are as they were installed, and that no other distribution can replace them."""
    recorded, changed = recorded_files(folder), find_changed_files(folder)
    neighbours = [
        CheckResult(
            "installation",
            "warn",
            f"{neighbour} puts a package `{package}` into this environment, too: updating or removing it breaks "
            f"Ringfence; {REMEDY}",
        )
        for neighbour, package in find_neighbours(folder)
    ]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        detail = f"not as installed: {changed[0]}{more} in {folder}; {REMEDY}"
        return [CheckResult("installation", "fail", detail), *neighbours]
    files = f"all {len(recorded)} files are as they were installed" if recorded else "a checkout, not an installation"
    return [CheckResult("installation", "ok", f"Ringfence {version('ringfence')} in {folder}: {files}"), *neighbours]


def check_zone_data(*, has_quiet_hours: bool) -> CheckResult:
    """Check that this system knows the time zones of all telephone numbers; quiet hours cannot do without."""
    missing = find_missing_zones()
    if not missing:
        return CheckResult("time zones", "ok", "this system has the zones of all telephone numbers")
    effect = (
        "paid calls to numbers there are refused, because quiet hours are set"
        if has_quiet_hours
        else "questions do not show the local time of scheduled sends there"
    )
    return CheckResult(
        "time zones", "fail" if has_quiet_hours else "warn", f"{describe_missing_zones(missing)}: {effect}"
    )


def check_secrets_file(file: Path) -> list[CheckResult]:
    """Check that nobody else can read the file of secrets; nothing where there is none."""
    try:
        is_open = is_open_to_others(file)
    except OSError:
        return []
    if is_open:
        detail = f"{file} can be read by other users of this machine; close it with chmod 600"
        return [CheckResult("secrets", "fail", detail)]
    if not os.access(file, os.R_OK):
        return [CheckResult("secrets", "warn", f"{file} cannot be read by this user, so it sets nothing")]
    return [CheckResult("secrets", "ok", f"{file} is closed to other users")]


async def check_store(store: Store) -> list[CheckResult]:
    """Check that guarded calls can be recorded, that nothing is frozen, and that a passcode is set for approvals."""
    try:
        await store.database.write(lambda _: None)  # whoever gets this far could write
        is_ours, is_frozen = await store.audit.has_our_key(), await store.freeze.is_on()
        passcode, gap = await store.key_values.get("passcode"), await store.audit.find_gap()
        waiting = await store.optouts.count_requests()
    except JournalUnavailable as error:
        return [CheckResult("store", "fail", str(error))]
    frozen = (
        [CheckResult("guard", "fail", "frozen: every guarded call is refused until `ringfence unfreeze`")]
        if is_frozen
        else []
    )
    if not is_ours:
        return [CheckResult("store", "fail", ANOTHER_KEY), *frozen]
    if gap is not None:
        detail = f"{gap.what}: every guarded call is refused until `ringfence audit accept`"
        return [CheckResult("audit log", "fail", detail), *frozen]
    hint = "" if passcode else "; no passcode is set yet, set one with `ringfence approvals passcode`"
    unread = (
        [CheckResult("opt-outs", "warn", f"{waiting} to read: `ringfence optouts requests` lists who may want to stop")]
        if waiting
        else []
    )
    return [CheckResult("store", "ok", f"can be read and written{hint}"), *frozen, *unread]


async def check_single_sign_on(settings: Settings) -> list[CheckResult]:
    """Check that the company's OpenID Connect provider answers and does what a sign-in needs; nothing without one."""
    oidc = settings.sign_in.oidc
    if oidc is None:
        return []
    try:
        provider = await discover(oidc)
        await get_json(provider.jwks_uri)
    except ProviderMisfit as misfit:
        return [CheckResult("single sign-on", "fail", str(misfit))]
    page = settings.approvals.address
    back = f"{page.rstrip('/')}{BACK}" if page else f"http://127.0.0.1:PORT{BACK}, with the port of the page"
    return [CheckResult("single sign-on", "ok", f"{oidc.issuer} answers; its redirect URI for us must be {back}")]


async def check_authorization_server(settings: Settings) -> list[CheckResult]:
    """Check that the keys of the authorization server can be read, whose tokens clients bring; nothing without one."""
    oauth = settings.http.oauth
    if oauth is None:
        return []
    try:
        await get_json(await find_endpoint(oauth.issuer, KEYS))
    except ProviderMisfit as misfit:
        return [CheckResult("access tokens", "fail", f"{oauth.issuer}: {reason_of(misfit)}")]
    audience = " or ".join(oauth.audiences)
    answers = CheckResult("access tokens", "ok", f"{oauth.issuer} answers; its tokens must be for {audience}")
    if oauth.introspection is None:
        return [answers]
    return [answers, await _check_introspection(oauth.issuer, oauth.introspection)]


async def _check_introspection(issuer: str, settings: IntrospectionSettings) -> CheckResult:
    """Check that the authorization server answers when it is asked about a token, with one that nobody has."""
    try:
        await try_introspection(issuer, settings)
    except ProviderMisfit as misfit:
        return CheckResult("introspection", "fail", f"{issuer}: {reason_of(misfit)}")
    asked = "every token" if settings.tokens == "all" else "tokens that are no JWT"
    return CheckResult("introspection", "ok", f"{issuer} answers; it is asked about {asked} as {settings.client_id}")


async def check_collector(settings: TelemetrySettings) -> list[CheckResult]:
    """Check that the collector of the settings takes spans and measurements; nothing without one."""
    if settings.endpoint is None:
        return []
    try:
        await require_taken(settings)
    except CollectorRefused as refused:
        return [CheckResult("telemetry", "fail", f"the collector takes nothing: {refused}")]
    told = f"{settings.endpoint} takes spans and measurements, as {settings.service_name}"
    return [CheckResult("telemetry", "ok", told)]


async def check_channels(channels: Sequence[Channel], store: Store, now: datetime) -> list[CheckResult]:
    """Check that each channel of notices is one that can be sent to, and that it took what it got in the last day."""
    results = [await _check_channel(channel) for channel in channels]
    try:
        troubles = await store.notices.troubles([channel.name for channel in channels], since=now - timedelta(days=1))
    except JournalUnavailable:  # `check_store` reports it
        troubles = []
    for trouble in troubles:
        detail = (
            f"{trouble.reason}; a notice of {trouble.since:%Y-%m-%d %H:%M} UTC "
            f"{'was given up' if trouble.is_over else 'waits'}. Try it with `ringfence notify test {trouble.channel}`"
        )
        results.append(CheckResult(f"channel {trouble.channel}", "warn", detail))
    return results


async def _check_channel(channel: Channel) -> CheckResult:
    subject, wanted = f"channel {channel.name}", ", ".join(channel.settings.events)
    try:
        await anyio.to_thread.run_sync(channel.transport)
    except NotTaken as unknown:
        return CheckResult(subject, "fail", str(unknown))
    return CheckResult(subject, "ok", f"gets {wanted}; nothing was sent")


async def check_provider(client: ApiClient, key: str | None = None, *, account: str | None = None) -> CheckResult:
    """Check that the credentials work, with a read that counts against no limit.

    `key` is where the account stands in the settings, and `account` its name where the provider has others.
    """
    title = client.provider.title if account is None else f"{client.provider.title}, account {account}"
    key = key or client.provider.name
    try:
        await client.send(provider_named(client.provider.name).harmless_read.load()())
    except NotFound:
        pass
    except TelephonyError as error:
        return CheckResult(title, "fail", f"{error}{_advise(error, client, key)}")
    return CheckResult(title, "ok", f"answers at {client.base_url}")


def _advise(error: TelephonyError, client: ApiClient, name: str) -> str:
    """Say what the operator can do; an error's own advice is for a model, and sends it to the operator."""
    match error:
        case ProviderUnreachable():
            return f" Check {name}.base_url in the settings, and the network from this machine to {client.base_url}"
        case NotAuthenticated():
            return f" Check the credentials in the settings under {name}."
        case _:
            return ""


async def check_undocumented(client: ApiClient) -> AsyncGenerator[CheckResult]:
    """Try each endpoint with an undocumented part that a free read can try; ids come from the lists read before."""
    ids: dict[str, object] = {}
    skipped: list[str] = []
    unsure = [one for one in operations_of(client.provider.name).values() if one.spec.basis.unsure_parts]
    for operation in sorted(unsure, key=_needs_arguments):
        call = _free_read(operation, ids)
        if call is None:
            skipped.append(operation.spec.tool_name)
        else:
            yield await _try(client, call, ids)
    if skipped:
        which = f"{skipped[0]} and {len(skipped) - 1} more" if len(skipped) > 1 else skipped[0]
        detail = f"not tried, because they write or need an id that no list gave: {which}"
        yield CheckResult(client.provider.title, "warn", detail)


def _needs_arguments(operation: OperationType) -> bool:
    return any(field.is_required() for field in operation.model_fields.values())


def _free_read(operation: OperationType, ids: dict[str, object]) -> Operation[Any] | None:
    """Build a call that changes, costs and counts nothing, if the ids it needs are known."""
    spec = operation.spec
    needed = {name for name, field in operation.model_fields.items() if field.is_required()}
    if not spec.effect.is_plain_read or spec.limit is not None or not needed <= set(ids):
        return None
    try:
        return operation.model_validate({name: ids[name] for name in needed})
    except ValidationError:  # such as one of two arguments, either of which names what to read
        return None


async def _try(client: ApiClient, call: Operation[Any], ids: dict[str, object]) -> CheckResult:
    """Send one call, and add the ids in its answer to those that are known."""
    spec = call.spec
    subject = f"{spec.tool_name} ({spec.method} {spec.path}, {spec.basis.words})"
    another = f"if the API has it otherwise, set corrections.{spec.tool_name} in the settings"
    try:
        answer = await client.send(call)
    except NotFound:
        return CheckResult(subject, "warn", f"404, not found; {another}")
    except NotPermitted as error:
        return CheckResult(subject, "warn", f"the path exists, but this account may not use it: {error}")
    except UnexpectedAnswer as error:
        return CheckResult(subject, "warn", f"answered in an unknown form: {error}")
    except Refused as error:
        return CheckResult(subject, "warn", f"refused: {error}; {another}")
    except TelephonyError as error:
        return CheckResult(subject, "fail", f"{error}{_advise(error, client, client.provider.name)}")
    for name, value in _first_ids(answer):
        ids.setdefault(name, value)
    return CheckResult(subject, "ok", "answered as expected")


def _first_ids(answer: object) -> Iterable[tuple[str, object]]:
    """Yield the ids in the first row of a list, by the names under which other operations take them."""
    if isinstance(answer, BaseModel):
        for value in vars(answer).values():
            row = cast("list[object]", value)[0] if isinstance(value, list) and value else None
            if isinstance(row, BaseModel):
                yield from ((name, of) for name, of in vars(row).items() if name.endswith("_id") and of is not None)
