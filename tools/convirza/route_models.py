"""A provisioned route as Convirza shows it, under the names of `route_settings`."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from clients.fields import AnsweredNumber, AnsweredTime
from clients.operation import Answer
from clients.wire.response import whole_number
from tools.convirza.field_types import AnsweredChoice, EmptyIsNone, list_in, object_in
from tools.convirza.paging import Listing
from tools.convirza.route_settings import flatten_routing


class SmsSettingsRead(Answer):
    """Who handles the texts."""

    assigned_users: list[int] | None = None
    sms_notifications: bool | None = None
    email_notifications: bool | None = None
    unclaimed_sms: bool | None = None


class CustomSourceRead(Answer):
    """A custom source."""

    id: int | None = Field(default=None, alias="custom_source_id")
    slot: str | None = Field(default=None, alias="custom_source_type")


class OverflowNumberRead(Answer):
    """A number that rings when nobody answers."""

    number: AnsweredNumber | None = None
    rings: int | None = None


class HuntGroupRead(Answer):
    """The hunt group, in order."""

    type: AnsweredChoice | None = None
    numbers: list[AnsweredNumber] = []

    @model_validator(mode="before")
    @classmethod
    def _options_in_order(cls, data: object) -> object:
        group = object_in(data)
        if group is None or "options" not in group:
            return data
        return {**group, "numbers": [option.get("destination") for option in _ordered(group["options"], "order")]}


def _ordered(rows: object, key: str) -> list[dict[str, Any]]:
    entries = [entry for row in list_in(rows) or [] if (entry := object_in(row)) is not None]
    return sorted(entries, key=lambda entry: whole_number(entry.get(key)) or 0)


def _overflow_in_order(rows: object) -> object:
    return rows if list_in(rows) is None else _ordered(rows, "overflow_order")


class RouteConfigRead(Answer):
    """Where calls go and what callers hear."""

    ring_to: Annotated[AnsweredNumber | None, EmptyIsNone] = Field(default=None, alias="ringto")
    simultaneous_ring: bool | None = Field(default=None, alias="isSimultaneousRing")
    click_to_call_enabled: bool | None = None
    click_to_call: bool | None = None
    dnis_as_caller_id: str | None = Field(default=None, alias="dnis_as_cid")
    voice_prompt: str | None = None
    whisper_enabled: bool | None = None
    whisper_type: AnsweredChoice | None = None
    whisper_message: str | None = None
    first_caller_whisper_enabled: bool | None = Field(default=None, alias="ftc_whisper_enabled")
    first_caller_whisper_type: AnsweredChoice | None = Field(default=None, alias="ftc_whisper_type")
    first_caller_whisper_message: str | None = Field(default=None, alias="ftc_whisper_message")
    message_enabled: bool | None = None
    message_type: AnsweredChoice | None = None
    message: str | None = None
    voicemail_enabled: bool | None = Field(default=None, alias="activate_voicemail")
    voicemail_greeting: str | None = None
    voicemail_rings: Annotated[int | None, EmptyIsNone] = Field(default=None, alias="voicemail_rings_count")
    voice_agent_active: bool | None = Field(default=None, alias="activate_voiceagent")
    voice_agent_on_route: bool | None = Field(default=None, alias="route_voice_agent_enabled")
    voice_agent_id: int | None = None
    voice_agent_rings: int | None = Field(default=None, alias="voice_agent_rings_count")
    assigned_agent_id: int | None = None
    odn_enabled: bool | None = Field(default=None, alias="is_ODN_enabled")
    play_disclaimer: AnsweredChoice | None = None
    on_hold_enabled: bool | None = Field(default=None, alias="play_on_hold_enabled")
    on_hold_type: AnsweredChoice | None = Field(default=None, alias="play_on_hold_message_type")
    on_hold_message: str | None = Field(default=None, alias="play_on_hold_message")
    record_call: bool | None = None
    overflow_numbers: Annotated[list[OverflowNumberRead] | None, BeforeValidator(_overflow_in_order)] = Field(
        default=None, alias="overflowNumbers"
    )
    hunt_group: HuntGroupRead | None = Field(default=None, alias="hunt_options")


def _underscored(value: object) -> object:
    return value.replace("-", "_") if isinstance(value, str) else value


class Routing(Answer):
    """How calls are distributed."""

    routing_type: Annotated[str | None, BeforeValidator(_underscored)] = None
    config: RouteConfigRead | None = None


class TrackingNumberRead(Answer):
    """A tracking number of a route."""

    phone_number_id: int | None = None
    phone_number: AnsweredNumber | None = None


class ProvisionedRoute(Routing):
    """A route with everything it is set to."""

    route_id: int | None = Field(default=None, alias="provisioned_route_id")
    name: str | None = Field(default=None, alias="provisioned_route_name")
    status: str | None = Field(default=None, alias="provisioned_route_status")
    phone_numbers: list[TrackingNumberRead] = []
    call_value: float | None = None
    repeat_interval: int | None = None
    org_unit_id: int | None = None
    webhook_id: int | None = None
    sms_enabled: bool | None = None
    spam_enabled: bool | None = None
    sms_settings: SmsSettingsRead | None = None
    custom_sources: list[CustomSourceRead] | None = Field(default=None, alias="customSourceList")
    created: AnsweredTime | None = None
    modified: AnsweredTime | None = None

    @model_validator(mode="before")
    @classmethod
    def _lay_routing_open(cls, data: object) -> object:
        return flatten_routing(data)


class RouteRow(Answer):
    """A route in the list, without most of its settings."""

    route_id: int | None = Field(default=None, alias="provisioned_route_id")
    name: str | None = Field(default=None, alias="provisioned_route_name")
    status: str | None = Field(default=None, alias="provisioned_route_status")
    phone_numbers: list[TrackingNumberRead] = []
    ring_to: AnsweredNumber | None = None
    org_unit_id: int | None = None
    modified: AnsweredTime | None = None

    def is_of(self, name: str, number_ids: frozenset[int]) -> bool:
        """Whether it is shown with this name and all these numbers."""
        return self.name == name and number_ids <= {number.phone_number_id for number in self.phone_numbers}

    def is_another(self, name: str, number_ids: frozenset[int]) -> bool:
        """Whether it plainly is not the route of this name and these numbers: its own are shown, and are others."""
        own = {number.phone_number_id for number in self.phone_numbers}
        if not own:
            return "phone_numbers" in self.model_fields_set and self.name not in {None, name}
        return None not in own and own.isdisjoint(number_ids)

    @model_validator(mode="before")
    @classmethod
    def _find_where_it_rings(cls, data: object) -> object:
        route = object_in(flatten_routing(data))
        config = object_in(route.get("config")) if route else None
        return {**route, "ring_to": config.get("ringto") or None} if route and config else data


class Routes(Listing):
    """Routes of a group and the groups below it."""

    rows_name: ClassVar[str] = "routes"
    routes: list[RouteRow] = Field(default=[], alias="provisioned_routes")
