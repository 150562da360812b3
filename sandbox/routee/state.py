"""What the simulated Routee remembers, and the money that goes in and out."""

import uuid
from datetime import datetime
from decimal import Decimal

from sandbox.provider import Surroundings
from sandbox.routee.agenda import Agenda
from sandbox.routee.application import TokenDesk
from sandbox.routee.callbacks import Outbox
from sandbox.routee.records import (
    Contact,
    Lookup,
    NumberOffer,
    Pool,
    RentedNumber,
    Sms,
    SmsCampaign,
    TopUp,
    Verification,
)
from sandbox.routee.voice_records import (
    CallLeg,
    Conversation,
    Failover,
    Recording,
    ViberCampaign,
    ViberMessage,
    VoiceCampaign,
)
from sandbox.routee.wire import refused

CURRENCY = "EUR"
_IDENTIFIERS = uuid.UUID("6f0e2a54-5f0b-4b56-9d5b-2f6d3a1c7e90")


class State:
    """One account with everything on it."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.clock = surroundings.clock
        self.ledger = surroundings.ledger
        self._counters: dict[str, int] = {}
        self.agenda = Agenda(surroundings.clock)
        self.outbox = Outbox(self.agenda.now)
        self.desk = TokenDesk(self.agenda.now, self.new_id)
        self.balance = Decimal(0)
        self.trial = False
        self.top_ups: list[TopUp] = []
        self.sms: dict[str, Sms] = {}
        self.campaigns: dict[str, SmsCampaign] = {}
        self.inventory: dict[str, NumberOffer] = {}
        self.numbers: dict[str, RentedNumber] = {}
        self.pools: dict[str, Pool] = {}
        self.contacts: dict[str, Contact] = {}
        self.groups: list[str] = []
        self.labels: dict[str, str] = {}
        self.verifications: dict[str, Verification] = {}
        self.lookups: dict[str, Lookup] = {}
        self.validations: dict[str, Lookup] = {}
        self.conversations: dict[str, Conversation] = {}
        self.calls: dict[str, CallLeg] = {}
        self.recordings: dict[str, Recording] = {}
        self.voice_campaigns: dict[str, VoiceCampaign] = {}
        self.viber_senders: dict[str, str] = {}
        self.viber: dict[str, ViberMessage] = {}
        self.viber_campaigns: dict[str, ViberCampaign] = {}
        self.failovers: dict[str, Failover] = {}
        self.last_conversation: datetime | None = None

    def now(self) -> datetime:
        """The sandbox's present, or the time of the event that is running."""
        return self.agenda.now()

    def new_id(self, kind: str) -> str:
        """The next identifier of a kind: a UUID, the same in every run."""
        self._counters[kind] = self._counters.get(kind, 0) + 1
        return str(uuid.uuid5(_IDENTIFIERS, f"{kind} {self._counters[kind]}"))

    def require(self, amount: Decimal) -> None:
        """Check that the balance covers an amount.

        Raises:
            Refusal: 400001009 if it does not.
        """
        if amount > self.balance:
            raise refused("400001009", "You don't have enough balance.")

    def pay(self, what: str, quantity: int, amount: Decimal, reference: str) -> None:
        """Take an amount off the balance and write it into the ledger.

        Raises:
            Refusal: 400001009 if the balance does not cover it; then nothing is taken.
        """
        self.require(amount)
        self.balance -= amount
        self.ledger.charge("routee", what, quantity, amount, reference, currency=CURRENCY)

    def pay_back(self, what: str, quantity: int, amount: Decimal, reference: str) -> None:
        """Give back what was taken for something that was not done; a negative entry in the ledger."""
        self.balance += amount
        self.ledger.charge("routee", what, quantity, -amount, reference, currency=CURRENCY)

    def contact_with(self, mobile: str) -> Contact | None:
        """The contact that has a mobile number."""
        return next((contact for contact in self.contacts.values() if contact.mobile == mobile), None)

    def pool_with(self, msisdn: str) -> Pool | None:
        """The pool that a rented number belongs to; it can be one at most."""
        return next((pool for pool in self.pools.values() if msisdn in pool.numbers), None)
