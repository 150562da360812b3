"""Convirza provisioned routes: what happens to a call to a tracking number."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from clients.effects import Charge, Effect
from clients.operation import (
    UNREAD,
    Answer,
    ChangesSomething,
    NumberForward,
    Operation,
    Undo,
    Verification,
    put_back,
    verify_addition,
    verify_removal,
)
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import Id, Number, Word
from tools.convirza.grades import BODIES_INFERRED, ONLY_METHOD, ONLY_METHOD_OF_ITEM
from tools.convirza.internal_reads import FindRoute
from tools.convirza.paging import PagedOperation
from tools.convirza.route_models import ProvisionedRoute, RouteRow, Routes
from tools.convirza.route_settings import Part, RouteConfig, RouteSettings, Status, route_body
from tools.convirza.updates import describe_full_update, fields_of, restore_settings, same_settings

NOT_SETTABLE: Final = ("route_id", "phone_numbers", "created", "modified")
"""Fields of a read that are not settings."""

PARITY: Final = "The read may not show every setting; the documentation does not say."

AGENT_PRICE: Final = "Convirza publishes no price for the minutes of an AI voice agent."


class RouteChange(Answer):
    """The route, and Convirza's confirmation."""

    route_id: int | None = Field(default=None, alias="provisioned_route_id")
    message: str | None = None


@convirza.operation(
    "GET",
    "/v3/provisioned-routes",
    effect=Effect.READ,
    toolset="routing",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="routes",
    synonyms=("tracking numbers", "campaigns", "call flows", "where do calls go"),
)
class ListProvisionedRoutes(PagedOperation[Routes]):
    """List tracking routes with status, numbers and where they ring."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    status: Annotated[Status | None, Field(serialization_alias="provisioned_route_status")] = None
    """Only these."""


@convirza.operation(
    "GET",
    "/v3/provisioned-routes/{route_id}",
    effect=Effect.READ,
    toolset="routing",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("show", "details", "settings", "call flow", "where does it ring"),
)
class GetProvisionedRoute(Operation[ProvisionedRoute]):
    """Show a route with all its settings."""

    route_id: Id
    """Route, from convirza_list_provisioned_routes."""


class TrackingNumber(Part):  # noqa: D101 - a docstring would stand in the schema that a model reads
    phone_number_id: Id
    phone_number: Number


def _agent_charge(config: RouteConfig | None) -> Charge | None:
    return Charge(item="voice agent minute", per="call", unknown=AGENT_PRICE) if _uses_agent(config) else None


def _uses_agent(config: RouteConfig | None) -> bool:
    return config is not None and config.uses_voice_agent


def _warnings(status: str | None, config: RouteConfig | None) -> tuple[str, ...]:
    found: list[str] = []
    if status == "inactive":
        found.append("Inactive: calls to the route's tracking numbers are no longer answered.")
    if status == "active":
        found.append("Active: calls to the route's tracking numbers ring where it says, from now on.")
    if config is not None and config.record_call is True:
        found.append("Recording calls may need every party's consent; see play_disclaimer.")
    if config is not None and config.play_disclaimer == "none":
        found.append("Callers hear no recording notice: where calls are recorded, their consent may be missing.")
    if _uses_agent(config):
        found.append("An AI voice agent talks to callers.")
    return tuple(found)


@convirza.operation(
    "POST",
    "/v3/provisioned-routes",
    effect=Effect.PAID | Effect.REROUTES | Effect.PRIVILEGED,  # it may record callers, with or without a notice
    subject="Create the route {name:text} on {phone_numbers:number}[, ringing {config.ring_to}]",
    toolset="routing",
    docs="create-provisioned-route-31106410e0",
    confirmed_by=("route_id",),
    synonyms=("new tracking number", "campaign", "call flow", "set up"),
)
class CreateProvisionedRoute(RouteSettings, Operation[RouteChange]):
    """Create a live route and put tracking numbers on it, each of them rented (inferred)."""

    name: Annotated[Word, Field(serialization_alias="provisioned_route_name")]
    """Name of the route."""

    phone_numbers: Annotated[list[TrackingNumber], Field(min_length=1)]
    """Unused numbers, from convirza_list_assigned_numbers."""

    status: Annotated[Status | None, Field(serialization_alias="provisioned_route_status")] = None
    """Probably active if left out."""

    def charge(self) -> Charge:
        why = "Convirza publishes no prices; each tracking number is probably rented by the month."
        agent = f" {AGENT_PRICE}" if _uses_agent(self.config) else ""
        return Charge(item="tracking number", quantity=len(self.phone_numbers), per="month", unknown=why + agent)

    def destinations(self) -> tuple[str, ...]:
        return self.config.numbers if self.config else ()

    def forwards(self, before: Any) -> tuple[NumberForward, ...]:
        return tuple(NumberForward(None, to) for to in self.destinations())

    def warnings(self) -> tuple[str, ...]:
        found = _warnings(self.status or "active", self.config)
        if self.config is None or not (self.config.numbers or self.config.uses_voice_agent):
            return (*found, "No ring_to: callers reach nobody.")
        return found

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(answer, RouteChange) or answer.route_id is None:
            return Undo(verdict="none", lost="The new route's id is not known.")
        lost = "What was charged stays charged; what becomes of the numbers is not documented."
        return put_back(DeleteProvisionedRoute, lost=lost, route_id=answer.route_id)

    def before(self) -> FindRoute:
        return FindRoute(name=self.name, number_ids=frozenset(number.phone_number_id for number in self.phone_numbers))

    def verification(self, sent_at: datetime) -> Verification[RouteRow]:
        return verify_addition(self.before())

    def to_wire(self) -> dict[str, Any]:
        return route_body(self)


class _ChangeOfRoute(RouteSettings):
    """What a full and a partial update have in common."""

    route_id: Id
    """Route, from convirza_list_provisioned_routes."""

    def before(self) -> GetProvisionedRoute:
        return GetProvisionedRoute(route_id=self.route_id)

    def charge(self) -> Charge | None:
        return _agent_charge(self.config)

    def destinations(self) -> tuple[str, ...]:
        return self.config.numbers if self.config else ()

    def forwards(self, before: Any) -> tuple[NumberForward, ...]:
        rows = before.phone_numbers if isinstance(before, ProvisionedRoute) else []
        numbers: list[str | None] = [row.phone_number for row in rows if row.phone_number] or [None]
        return tuple(NumberForward(number, to) for number in numbers for to in self.destinations())

    def verification(self, sent_at: datetime) -> Verification[ProvisionedRoute]:
        return Verification(read=self.before(), check=lambda found: same_settings(found, fields_of(self, "route_id")))


@convirza.operation(
    "PUT",
    "/v3/provisioned-routes/{route_id}",
    effect=Effect.REROUTES | Effect.DESTRUCTIVE | Effect.PAID | Effect.PRIVILEGED,
    subject="Replace all settings of the route [{before.name:text}|{route_id}]",
    toolset="routing",
    docs="update-provisioned-route-31106413e0",
    confirmed_by=("route_id",),
    synonyms=("put", "full update", "overwrite", "reconfigure"),
)
class ReplaceProvisionedRoute(_ChangeOfRoute, Operation[RouteChange]):
    """Replace all settings of a route, RESETTING what is left out; use convirza_update_provisioned_route instead."""

    name: Annotated[Word, Field(serialization_alias="provisioned_route_name")]
    """Name of the route."""

    status: Annotated[Status, Field(serialization_alias="provisioned_route_status")]
    """Required, as leaving it out may switch the route on."""

    def warnings(self) -> tuple[str, ...]:
        found = _warnings(self.status, self.config)
        if self.config is None or not (self.config.numbers or self.config.uses_voice_agent):
            return (*found, "ring_to is left out and so reset: callers reach nobody (inferred).")
        return found

    def changes(self, before: Any) -> tuple[str, ...]:
        read = before if isinstance(before, ProvisionedRoute) else None
        return describe_full_update(read, fields_of(self, "route_id"), kept=frozenset(NOT_SETTABLE))

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, ProvisionedRoute):
            return UNREAD
        settings = fields_of(before, *NOT_SETTABLE)
        return put_back(ReplaceProvisionedRoute, lost=PARITY, route_id=self.route_id, **settings)

    def to_wire(self) -> dict[str, Any]:
        return route_body(self, without=frozenset({"route_id"}))


@convirza.operation(
    "PATCH",
    "/v3/provisioned-routes/{route_id}",
    effect=Effect.REROUTES | Effect.PAID | Effect.PRIVILEGED,
    subject="Change {settings} of the route [{before.name:text}|{route_id}]",
    toolset="routing",
    docs="partial-update-provisioned-route-31106414e0",
    basis=BODIES_INFERRED,
    synonyms=(
        "patch",
        "forward",
        "change ring to",
        "deactivate",
        "pause",
        "redirect",
        "recording",
        "whisper",
        "greeting",
    ),
)
class UpdateProvisionedRoute(_ChangeOfRoute, ChangesSomething, Operation[RouteChange]):
    """Change some settings of a route; the others stay."""

    name: Annotated[Word | None, Field(serialization_alias="provisioned_route_name")] = None
    """New name."""

    status: Annotated[Status | None, Field(serialization_alias="provisioned_route_status")] = None
    """Inactive takes its numbers down."""

    def warnings(self) -> tuple[str, ...]:
        found = _warnings(self.status, self.config)
        if self.config is None:
            return found
        return (
            *found,
            "We expect the other settings to stay as they are, but the documentation does not say so. "
            "Check the route afterwards.",
        )

    def undo(self, before: Any, answer: Any) -> Undo:
        read = before if isinstance(before, ProvisionedRoute) else None
        return restore_settings(UpdateProvisionedRoute, read, fields_of(self, "route_id"), route_id=self.route_id)

    def to_wire(self) -> dict[str, Any]:
        return route_body(self, without=frozenset({"route_id"}))


@convirza.operation(
    "DELETE",
    "/v3/provisioned-routes/{route_id}",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Delete the route [{before.name:text}|{route_id}] for good",
    toolset="routing",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    irreversible=True,
    synonyms=("remove", "tracking number", "campaign", "take down"),
)
class DeleteProvisionedRoute(Operation[RouteChange]):
    """Delete a route: callers of its tracking numbers reach nobody; to pause it, set it inactive."""

    route_id: Id
    """Route, from convirza_list_provisioned_routes."""

    def before(self) -> GetProvisionedRoute:
        return GetProvisionedRoute(route_id=self.route_id)

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, ProvisionedRoute) or not before.phone_numbers:
            return ()
        live = ", ".join(str(number.phone_number) for number in before.phone_numbers)
        return (f"Takes down {live}; whether the numbers stay on the account is not documented.",)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(
            verdict="none",
            lost="No document says whether the numbers stay; if they do, convirza_create_provisioned_route takes them.",
        )

    def verification(self, sent_at: datetime) -> Verification[ProvisionedRoute]:
        return verify_removal(self.before())
