"""The body of a provisioned route, field by field as in the examples of Create and Update Provisioned Route.

Types are those of the examples: some booleans and counts are JSON values, others are text. Every default is inferred:
the documents say that an omitted field is "reset to its system default" and show none of these defaults.
"""

from typing import Literal

from pydantic import Field

from sandbox.convirza.fields import BareNumber, BareNumberOrNone, Count, Flag, Number, Status, Text
from sandbox.frame.inputs import Body

Media = Literal["", "file", "text"]
"""`file` refers to an uploaded prompt; the other two are inferred."""


class SmsSettings(Body):
    """Who handles the texts of the route's numbers."""

    assigned_users: list[int] = Field(default_factory=list[int])
    sms_notifications: bool = False
    email_notifications: bool = False
    unclaimed_sms: bool = False


class CustomSource(Body):
    """One row of `customSourceList`; the identifier is text here and nowhere else."""

    custom_source_id: str = Field(pattern=r"^[0-9]+$")
    custom_source_type: Text


class OverflowNumber(Body):
    """A number that rings when the first does not answer; written three times, in two shapes."""

    number: str = Field(pattern=r"^\([0-9]{3}\)-[0-9]{3}-[0-9]{4}$")
    rings: Count
    overflow_order: int = Field(ge=1)
    unmaskNumber: BareNumber
    overflowNumber: BareNumber


class HuntOption(Body):
    """One destination of a hunt group."""

    destination: BareNumber
    order: int = Field(ge=1)


class HuntOptions(Body):
    """The hunt group; `round_robin` is in the example, the other values are inferred."""

    type: Literal["", "round_robin", "simultaneous"] = ""
    options: list[HuntOption] = Field(default_factory=list[HuntOption])


class RoutingConfig(Body):
    """`routing_configuration.config`."""

    ringto: BareNumberOrNone = ""
    isSimultaneousRing: bool = False
    click_to_call_enabled: bool = False
    dnis_as_cid: str = ""
    voice_prompt: str = ""
    whisper_enabled: bool = False
    whisper_type: Media = ""
    whisper_message: str = ""
    ftc_whisper_enabled: Flag = "0"
    ftc_whisper_type: Media = ""
    ftc_whisper_message: str = ""
    message_enabled: Flag = "0"
    message_type: Media = ""
    message: str = ""
    activate_voicemail: bool = False
    voicemail_greeting: str = ""
    activate_voiceagent: bool = False
    is_ODN_enabled: bool = False
    click_to_call: bool = False
    play_disclaimer: Literal["", "before", "after"] = ""
    play_on_hold_enabled: bool = False
    play_on_hold_message: str = ""
    play_on_hold_message_type: Media = ""
    record_call: bool = False
    overflowNumbers: list[OverflowNumber] = Field(default_factory=list[OverflowNumber])
    assigned_agent_id: int | None = None
    route_voice_agent_enabled: bool = False
    voice_agent_rings_count: int = Field(default=0, ge=0)
    voice_agent_id: int | None = None
    voicemail_rings_count: Count = "0"
    hunt_options: HuntOptions = Field(default_factory=HuntOptions)


class RoutingConfiguration(Body):
    """How calls are distributed, and everything that happens to them on the way."""

    routing_type: Literal["simple", "round-robin", "round_robin", "simultaneous"] = "simple"
    config: RoutingConfig = Field(default_factory=RoutingConfig)


class RouteBody(Body):
    """Everything about a route that can be updated; only the name is required (inferred)."""

    provisioned_route_name: Text
    provisioned_route_status: Status = "active"
    call_value: Number = 0
    repeat_interval: int = Field(default=0, ge=0)
    org_unit_id: int | None = None
    webhook_id: int | None = None
    sms_enabled: bool = False
    spam_enabled: bool = False
    sms_settings: SmsSettings = Field(default_factory=SmsSettings)
    customSourceList: list[CustomSource] = Field(default_factory=list[CustomSource])
    routing_configuration: RoutingConfiguration = Field(default_factory=RoutingConfiguration)

    @property
    def config(self) -> RoutingConfig:
        """The inner configuration."""
        return self.routing_configuration.config

    @property
    def uses_voice_agent(self) -> bool:
        """Whether an AI voice agent answers; inferred: either of its two switches is enough."""
        return self.config.activate_voiceagent or self.config.route_voice_agent_enabled


class TrackingNumber(Body):
    """A number of the account that the new route takes."""

    phone_number_id: int
    phone_number: BareNumber


class CreateRouteBody(RouteBody):
    """The body of a create; the numbers are not in the update example, so an update refuses them."""

    phone_numbers: list[TrackingNumber] = Field(default_factory=list[TrackingNumber])
