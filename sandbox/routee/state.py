"""What the simulated Routee remembers, and the money that goes in and out."""

import uuid
from datetime import datetime
from decimal import Decimal

from sandbox.frame.provider import ProviderState
from sandbox.provider import Surroundings
from sandbox.routee.agenda import Agenda
from sandbox.routee.application import Tokens
from sandbox.routee.callbacks import Outbox
from sandbox.routee.records import Campaign, Contact, Lookup, NumberOffer, Pool, RentedNumber, Sms, TopUp, Verification
from sandbox.routee.voice_records import CallLeg, Conversation, Failover, Recording, ViberMessage
from sandbox.routee.wire import refuse

_IDENTIFIERS = uuid.UUID("6f0e2a54-5f0b-4b56-9d5b-2f6d3a1c7e90")


class State(ProviderState):
    """One account with everything on it."""

    provider = "routee"
    currency = "EUR"

    def __init__(self, surroundings: Surroundings, name: str = "") -> None:
        """`name` keeps the identifiers of one account apart from those of another."""
        super().__init__(surroundings)
        self.name = name
        self.agenda = Agenda(surroundings.clock)
        self.outbox = Outbox(self.agenda.now)
        self.tokens = Tokens(self.agenda.now, self.new_id)
        self.balance = Decimal(0)
        self.trial = False
        self.top_ups: list[TopUp] = []
        self.sms: dict[str, Sms] = {}
        self.campaigns: dict[str, Campaign[Sms]] = {}
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
        self.voice_campaigns: dict[str, Campaign[CallLeg]] = {}
        self.viber_senders: dict[str, str] = {}
        self.viber: dict[str, ViberMessage] = {}
        self.viber_campaigns: dict[str, Campaign[ViberMessage]] = {}
        self.failovers: dict[str, Failover] = {}
        self.last_conversation: datetime | None = None

    def now(self) -> datetime:
        """Return the sandbox's present, or the time of the event that is running."""
        return self.agenda.now()

    def new_id(self, kind: str) -> str:
        """Return the next identifier of a kind: a UUID, the same in every run."""
        return str(uuid.uuid5(_IDENTIFIERS, f"{self.name}{kind} {self.next(kind)}"))

    def require(self, amount: Decimal) -> None:
        """Check that the balance covers an amount.

        Raises:
            Refusal: 400001009 if it does not.
        """
        if amount > self.balance:
            raise refuse("400001009", "You don't have enough balance.")

    def pay(self, what: str, quantity: int, amount: Decimal, reference: str) -> None:
        """Take an amount off the balance and write it into the ledger.

        Raises:
            Refusal: 400001009 if the balance does not cover it; then nothing is taken.
        """
        self.require(amount)
        self.balance -= amount
        self.write_charge(what, quantity, amount, reference)

    def pay_back(self, what: str, quantity: int, amount: Decimal, reference: str) -> None:
        """Return what was taken for something that was not done, as a negative entry in the ledger."""
        self.balance += amount
        self.write_charge(what, quantity, -amount, reference)

    def contact_with(self, mobile: str) -> Contact | None:
        """Return the contact that has a mobile number."""
        return next((contact for contact in self.contacts.values() if contact.mobile == mobile), None)

    def require_contact(self, identifier: str) -> Contact:
        """Return the contact with an id.

        Raises:
            Refusal: 404002001 if there is none.
        """
        contact = self.contacts.get(identifier)
        if contact is None:
            raise refuse("404002001", f"The contact {identifier} does not exist.")
        return contact

    def require_group(self, name: str) -> str:
        """Return the name of a group that exists.

        Raises:
            Refusal: 404002012 if it does not; the code is documented, that it means an unknown group is inferred.
        """
        if name not in self.groups:
            raise refuse("404002012", f"The group {name} does not exist.")
        return name

    def members(self, group: str) -> list[Contact]:
        """Return the contacts in a group.

        Raises:
            Refusal: 404002012 if there is no such group.
        """
        self.require_group(group)
        return [contact for contact in self.contacts.values() if group in contact.groups]

    def require_viber_sender(self, identifier: str) -> str:
        """Return the name of a Viber sender.

        Raises:
            Refusal: 404020001 if there is none with this id.
        """
        if identifier not in self.viber_senders:
            raise refuse("404020001", "The Viber sender does not exist.")
        return self.viber_senders[identifier]

    def pool_with(self, msisdn: str) -> Pool | None:
        """Return the pool that a rented number belongs to; it can be one at most."""
        return next((pool for pool in self.pools.values() if msisdn in pool.numbers), None)
