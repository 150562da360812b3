"""Everything that a provisioned route can be set to.

Every field of the examples on the pages of Create and Update Provisioned Route, under clean names and types. On the
wire the same things are booleans or `"1"`, numbers or `"3"`, camel case or snake case; the serializers know which.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, SerializationInfo

from clients.fields import WIRE
from clients.phone_numbers import require_harmless_caller
from tools.convirza.field_types import (
    Amount,
    Count,
    Id,
    IdOrNone,
    Media,
    Number,
    OffByEmptyText,
    TextCount,
    TextFlag,
    Word,
    body,
    object_in,
)

CallerId = Annotated[str, AfterValidator(require_harmless_caller)]
"""A word or a number that is shown as the caller's."""


class Part(BaseModel):
    """A nested argument."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SmsSettings(Part):  # noqa: D101 - a docstring would stand in the schema that a model reads
    assigned_users: list[Id] | None = None
    sms_notifications: bool | None = None
    email_notifications: bool | None = None
    unclaimed_sms: bool | None = None


def _text(value: int, info: SerializationInfo) -> int | str:
    return str(value) if info.context == WIRE else value


class CustomSource(Part):  # noqa: D101 - a docstring would stand in the schema that a model reads
    id: Annotated[int, Field(ge=1, serialization_alias="custom_source_id"), PlainSerializer(_text)]
    slot: Annotated[Word, Field(serialization_alias="custom_source_type")]


class OverflowNumber(Part):  # noqa: D101 - a docstring would stand in the schema that a model reads
    number: Number
    rings: int = Field(ge=1)


def _overflow(numbers: list[OverflowNumber], info: SerializationInfo) -> list[dict[str, Any]]:
    # The number is written three times, in two forms; the order is that of the list.
    if info.context != WIRE:
        return [number.model_dump() for number in numbers]
    return [
        {
            "number": f"({digits[:3]})-{digits[3:6]}-{digits[6:]}",
            "rings": str(entry.rings),
            "overflow_order": order,
            "unmaskNumber": digits,
            "overflowNumber": digits,
        }
        for order, entry in enumerate(numbers, start=1)
        for digits in [entry.number[2:]]
    ]


class HuntGroup(Part):  # noqa: D101 - a docstring would stand in the schema that a model reads
    type: Annotated[Literal["none", "round_robin", "simultaneous"], OffByEmptyText]
    numbers: list[Number] = []
    """In order."""


def _hunt(group: HuntGroup, info: SerializationInfo) -> dict[str, Any]:
    if info.context != WIRE:
        return group.model_dump()
    options = [{"destination": number[2:], "order": order} for order, number in enumerate(group.numbers, start=1)]
    return {"type": "" if group.type == "none" else group.type, "options": options}


class RouteConfig(Part):  # noqa: D101 - a docstring would stand in the schema that a model reads
    ring_to: Annotated[Number | None, Field(serialization_alias="ringto")] = None
    """Number that rings."""

    simultaneous_ring: Annotated[bool | None, Field(serialization_alias="isSimultaneousRing")] = None
    click_to_call_enabled: bool | None = None  # no document says how it differs from the next
    click_to_call: bool | None = None
    dnis_as_caller_id: Annotated[CallerId | None, Field(serialization_alias="dnis_as_cid")] = None
    """Caller ID shown: `phone_number`."""

    voice_prompt: str | None = None
    whisper_enabled: bool | None = None
    whisper_type: Media | None = None
    whisper_message: str | None = None
    """Text, or a prompt id where the type is file; likewise below."""

    first_caller_whisper_enabled: Annotated[TextFlag | None, Field(serialization_alias="ftc_whisper_enabled")] = None
    first_caller_whisper_type: Annotated[Media | None, Field(serialization_alias="ftc_whisper_type")] = None
    first_caller_whisper_message: Annotated[str | None, Field(serialization_alias="ftc_whisper_message")] = None
    message_enabled: TextFlag | None = None
    message_type: Media | None = None
    message: str | None = None
    voicemail_enabled: Annotated[bool | None, Field(serialization_alias="activate_voicemail")] = None
    voicemail_greeting: str | None = None
    voicemail_rings: Annotated[TextCount | None, Field(serialization_alias="voicemail_rings_count")] = None
    voice_agent_active: Annotated[bool | None, Field(serialization_alias="activate_voiceagent")] = None
    """The AI agent has two switches; set both."""

    voice_agent_on_route: Annotated[bool | None, Field(serialization_alias="route_voice_agent_enabled")] = None
    voice_agent_id: IdOrNone | None = None
    """From convirza_list_voice_agents; 0 for none."""

    voice_agent_rings: Annotated[Count | None, Field(serialization_alias="voice_agent_rings_count")] = None
    assigned_agent_id: IdOrNone | None = None
    odn_enabled: Annotated[bool | None, Field(serialization_alias="is_ODN_enabled")] = None
    play_disclaimer: Annotated[Literal["none", "before", "after"], OffByEmptyText] | None = None
    """Recording notice; `after` is inferred."""

    on_hold_enabled: Annotated[bool | None, Field(serialization_alias="play_on_hold_enabled")] = None
    on_hold_type: Annotated[Media | None, Field(serialization_alias="play_on_hold_message_type")] = None
    on_hold_message: Annotated[str | None, Field(serialization_alias="play_on_hold_message")] = None
    record_call: bool | None = None
    overflow_numbers: Annotated[
        Annotated[list[OverflowNumber], PlainSerializer(_overflow)] | None, Field(serialization_alias="overflowNumbers")
    ] = None
    hunt_group: Annotated[
        Annotated[HuntGroup, PlainSerializer(_hunt)] | None, Field(serialization_alias="hunt_options")
    ] = None

    @property
    def uses_voice_agent(self) -> bool:
        """True when this turns an AI voice agent on, or puts one in."""
        return bool(self.voice_agent_active or self.voice_agent_on_route or self.voice_agent_id)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number that calls are sent to."""
        first = [self.ring_to] if self.ring_to else []
        overflow = [entry.number for entry in self.overflow_numbers or []]
        return (*first, *overflow, *(self.hunt_group.numbers if self.hunt_group else []))


def _underscored(value: object) -> object:
    return value.replace("-", "_") if isinstance(value, str) else value


def _hyphen(value: str, info: SerializationInfo) -> str:
    return value.replace("_", "-") if info.context == WIRE else value


Strategy = Annotated[
    Literal["simple", "round_robin", "simultaneous"], BeforeValidator(_underscored), PlainSerializer(_hyphen)
]
"""`round-robin` on the wire, as the prose has it."""


Status = Literal["active", "inactive"]


class RouteSettings(BaseModel):
    """The arguments that create, replace and update share."""

    call_value: Amount | None = None
    """What one conversion is worth."""

    repeat_interval: Count | None = None
    """Unit undocumented, probably days."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    webhook_id: IdOrNone | None = None
    """Receives the call data, from convirza_list_webhooks; 0 for none."""

    sms_enabled: bool | None = None
    """Forward texts."""

    spam_enabled: bool | None = None
    """Spam protection."""

    sms_settings: SmsSettings | None = None
    """Users and notices for texts."""

    custom_sources: Annotated[list[CustomSource] | None, Field(serialization_alias="customSourceList")] = None
    """Custom source ids and slots such as CS1."""

    routing_type: Strategy | None = None
    """Ring strategy."""

    config: RouteConfig | None = None
    """Where calls go and what callers hear."""


def route_body(settings: BaseModel, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the body as documented: strategy and configuration are nested once more."""
    wire = body(settings, without=without)
    routing = {name: wire.pop(name) for name in ("routing_type", "config") if name in wire}
    return wire | ({"routing_configuration": routing} if routing else {})


def flatten_routing(data: object) -> object:
    """Return a read route without that nesting."""
    route = object_in(data)
    return data if route is None else {**route, **(object_in(route.get("routing_configuration")) or {})}
