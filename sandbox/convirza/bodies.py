"""The bodies of the other resources; `Body` where a public page shows one, `OpenBody` where none does."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from sandbox.convirza.fields import E164, BareNumber, BareNumberOrNone, Instant, OpenBody, Status, Text
from sandbox.frame.inputs import Body

RoleName = Literal["Admin", "Standard", "ReadOnly"]
ROLE_IDS: dict[RoleName, Literal[1, 2, 3]] = {"Admin": 1, "Standard": 2, "ReadOnly": 3}
"""Documented with the list of users."""

Email = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")


class UserBody(Body):
    """Create User. Which fields are required is inferred.

    The example says `role: "Admin"`, the prose says `role_id`: either is accepted, and `role_id` wins (inferred).
    """

    username: str = Email
    first_name: Text
    last_name: Text
    ct_user_ou_id: int
    role: RoleName | None = None
    role_id: Literal[1, 2, 3] | None = None
    user_ext_id: str | None = None
    user_status: Status = "active"
    aliases: list[str] | str | None = None
    timezone: str | None = None
    agent_ring_to: E164 | None = None
    agent_code: int | None = None
    score_call: bool = False
    access_audio: bool = False

    @model_validator(mode="after")
    def _one_role(self) -> Self:
        if self.role_id is not None:
            self.role = next(name for name, number in ROLE_IDS.items() if number == self.role_id)
            self.role_id = None
        if self.role is None:
            raise ValueError("role is required: Admin, Standard or ReadOnly")
        return self


class OpenUserBody(UserBody):
    """Update User: the page's body is not public, so the fields of Create User are assumed."""

    model_config = ConfigDict(strict=True, extra="allow")


class GroupBody(Body):
    """Create Group; the parent is named as in the example (`org_unit_parent_id`) or as in the prose, both are taken."""

    org_unit_name: Text
    org_unit_ext_id: str | None = None
    org_unit_parent_id: int | None = None
    parent_org_unit_id: int | None = None
    top_ou_id: int | None = None
    billing_id: int | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    phone_number: str | None = None
    industry_id: int | None = None
    timezone: str | None = None

    @model_validator(mode="after")
    def _one_parent(self) -> Self:
        if self.parent_org_unit_id is not None:
            self.org_unit_parent_id = self.parent_org_unit_id
            self.parent_org_unit_id = None
        return self


class OpenGroupBody(GroupBody):
    """Update Group: the page's body is not public, so the fields of Create Group and the status are assumed."""

    model_config = ConfigDict(strict=True, extra="allow")

    org_unit_status: Status = "active"


class StaticParameter(OpenBody):
    """A fixed pair that is sent along with every event (inferred names)."""

    field_name: Text
    static_value: str


class WebhookBody(OpenBody):
    """A webhook; every name is inferred from the knowledge base, which speaks of URL, parameters, payload and kind."""

    webhook_name: Text
    webhook_url: str = Field(pattern=r"^https?://\S+$")
    webhook_type: Literal["pre_call", "post_call"] = "post_call"
    webhook_status: Status = "active"
    org_unit_id: int | None = None
    static_parameters: list[StaticParameter] = Field(default_factory=list[StaticParameter])
    optional_payload: list[str] = Field(default_factory=list[str])


class VoiceAgentBody(OpenBody):
    """An AI voice agent; every name is inferred."""

    agent_name: Text
    agent_status: Status = "active"
    org_unit_id: int | None = None
    greeting: str = ""
    prompt: str = ""
    voice: str = "default"
    language: str = "en-US"
    transfer_number: BareNumberOrNone = ""


class BroadcastBody(OpenBody):
    """An SMS broadcast; every name is inferred, and so is that it is sent at once without `scheduled_at`."""

    broadcast_name: Text
    message: Text
    phone_number: BareNumber
    """The tracking number it is sent from."""
    recipients: list[E164] = Field(min_length=1)
    scheduled_at: Instant | None = None
    org_unit_id: int | None = None


class TagBody(OpenBody):
    """A tag; every name is inferred."""

    tag_name: Text
    org_unit_id: int | None = None


class NumberOrder(OpenBody):
    """An order for one number; inferred from v2's reservation, which takes these three fields."""

    number: BareNumber
    number_id: int | None = None
    source: int | None = None
    org_unit_id: int | None = None
