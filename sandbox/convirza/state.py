"""Everything the simulated Convirza remembers, and the few rules that several resources share."""

import secrets
from collections.abc import Iterator
from decimal import Decimal

from sandbox.convirza.fields import parse_instant
from sandbox.convirza.inventory import CarrierInventory
from sandbox.convirza.records import (
    Broadcast,
    CallRecord,
    MediaPrompt,
    Org,
    PhoneNumber,
    ProvisionedRoute,
    SmsConversation,
    Tag,
    User,
    VoiceAgent,
    Webhook,
)
from sandbox.convirza.sessions import Sessions
from sandbox.frame.provider import ProviderState
from sandbox.provider import Surroundings

PRICES = {
    "number_order": Decimal("1.00"),
    "tracking_number_month": Decimal("3.00"),
    "sms_segment": Decimal("0.02"),
    "tracking_minute": Decimal("0.045"),
    "voice_agent_minute": Decimal("0.15"),
}
"""inferred, all of them: Convirza publishes no prices."""

SEGMENT_LENGTH = 160


class State(ProviderState):
    """The account, its hierarchy and everything in it; it is billed later, so no money can run out (inferred)."""

    provider = "convirza"

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.sessions = Sessions(surroundings.clock)
        self.carrier = CarrierInventory()
        self.orgs: dict[int, Org] = {}
        self.users: dict[int, User] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.prompts: dict[str, MediaPrompt] = {}
        self.voice_agents: dict[int, VoiceAgent] = {}
        self.numbers: dict[int, PhoneNumber] = {}
        self.routes: dict[int, ProvisionedRoute] = {}
        self.broadcasts: dict[int, Broadcast] = {}
        self.calls: dict[int, CallRecord] = {}
        self.sms: dict[int, SmsConversation] = {}
        self.tags: dict[int, Tag] = {}
        self.ad_sources: dict[int, str] = {}
        self.industries: dict[int, str] = {}
        self.opted_out: set[str] = set()
        self.signing_key = secrets.token_bytes(32)

    def hierarchy(self, org_unit_id: int) -> list[int]:
        """Return the unit itself, then every unit below it."""
        if org_unit_id not in self.orgs:
            return []
        below = (child for child in self.orgs.values() if child.parent == org_unit_id)
        return [org_unit_id, *(unit for child in below for unit in self.hierarchy(child.id))]

    def ancestors(self, org_unit_id: int) -> Iterator[int]:
        """Yield the units above, nearest first."""
        org = self.orgs.get(org_unit_id)
        while org is not None and org.parent is not None:
            yield org.parent
            org = self.orgs.get(org.parent)

    def numbers_of(self, route_id: int) -> list[PhoneNumber]:
        """Return the tracking numbers of a route."""
        return [number for number in self.numbers.values() if number.route_id == route_id]

    def number_named(self, number: str) -> PhoneNumber | None:
        """Return the account's number with these ten digits."""
        return next((held for held in self.numbers.values() if held.number == number), None)

    def send_due_broadcasts(self) -> None:
        """Send every broadcast whose time has come."""
        now = self.clock.now()
        for broadcast in self.broadcasts.values():
            due = broadcast.body.scheduled_at
            if broadcast.status == "scheduled" and (due is None or parse_instant(due) <= now):
                self._send(broadcast)

    def _send(self, broadcast: Broadcast) -> None:
        """Send to everyone who has not opted out; inferred: the provider skips them, and repeated recipients count."""
        reached = [number for number in broadcast.body.recipients if number not in self.opted_out]
        segments = -(-len(broadcast.body.message) // SEGMENT_LENGTH)
        broadcast.status = "sent"
        broadcast.sent_at = self.clock.now()
        broadcast.sent_count = len(reached)
        broadcast.opted_out_count = len(broadcast.body.recipients) - len(reached)
        if reached:
            quantity = len(reached) * segments
            self.write_charge("sms_broadcast", quantity, PRICES["sms_segment"] * quantity, f"broadcast-{broadcast.id}")
