"""What the simulated VoiceTel remembers."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sandbox.frame.provider import ProviderState
from sandbox.frame.wire import Answer
from sandbox.provider import Surroundings
from sandbox.voicetel.inventory import Inventory
from sandbox.voicetel.wire import Refusal

DEFAULT_ROUTE = 4
SYSTEM_ROUTES = {1: "USER", 2: "T30", 3: "VOICE_BRIDGE", 4: "DID", 5: "T38", 6: "RTC_BRIDGE", 8: "SDN"}
FIRST_USER_GATEWAY = 1000
"""inferred: the documented samples of user gateways start here."""


@dataclass
class Gateway:
    """A SIP destination; system routes have no call limit and cannot be changed."""

    id: int
    address: str
    prefix: str = ""
    limit: int | None = None
    system: bool = False


@dataclass
class SmsRoute:
    """A row of numbers_sms: where inbound messages go."""

    row: int
    kind: str
    resource: str


@dataclass
class Number:
    """A telephone number on an account."""

    number: str
    route: int = DEFAULT_ROUTE
    carrier: int = 0
    fax_email: str | None = None
    translated: str = ""
    forward_to: str | None = None
    cnam: bool = False
    sms_row: int = 0
    campaign: str | None = None
    lidb: str = ""
    port_out_pin: str = ""
    porting: bool = False

    def __post_init__(self) -> None:
        self.translated = self.translated or self.number


@dataclass
class E911Record:
    """The registered emergency address of one number."""

    number: str
    caller_name: str
    address: "Address"


@dataclass(frozen=True)
class Address:
    """A validated street address, upper case."""

    address1: str
    address2: str
    city: str
    state: str
    zip: str

    @property
    def id(self) -> int:
        """The addressid: the same for the same address."""
        text = "|".join((self.address1, self.address2, self.city, self.state, self.zip))
        return 100_000 + int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 900_000


@dataclass
class Message:
    """One message detail record."""

    id: str
    kind: str
    direction: str
    source: str
    destination: str
    text: str
    rate: Decimal
    at: datetime
    delivery: str = "DELIVRD"


@dataclass
class Campaign:
    """A 10DLC campaign at the messaging network; `network` is the path its bindings are on."""

    id: str
    brand: str
    description: str
    network: str | None
    upstream: str | None
    status: str


@dataclass
class CallRecord:
    """One call detail record."""

    id: str
    at: datetime
    caller: str
    called: str
    seconds: int
    rate: Decimal
    name: str
    ip: str

    @property
    def billed(self) -> Decimal:
        """Dollars: whole seconds at the rate per minute, to four places."""
        return (self.rate * self.seconds / 60).quantize(Decimal("0.0001"))


@dataclass
class Port:
    """A port-in record."""

    id: str
    pid: str
    status: str
    created: datetime
    numbers: list[str]
    name: str
    ticket: int
    message: str
    foc: str = ""


@dataclass
class Credit:
    """A credit (invoice) entry."""

    at: datetime
    amount: Decimal
    paid: bool


@dataclass
class Payment:
    """A payment received."""

    at: datetime
    amount: Decimal
    transaction: str
    status: str
    payer: str


@dataclass
class Thread:
    """One message of a ticket."""

    id: int
    kind: str
    body: str
    at: datetime
    author: str
    attachments: list[dict[str, object]] = field(default_factory=list[dict[str, object]])


@dataclass
class Ticket:
    """A support ticket; `owner` is the account's username."""

    id: int
    owner: str
    email: str
    subject: str
    status: str
    created: datetime
    threads: list[Thread] = field(default_factory=list[Thread])


@dataclass
class StoredOrder:
    """What was answered to an order under an Idempotency-Key."""

    at: datetime
    answer: Answer


@dataclass
class Account:
    """One VoiceTel account and everything on it."""

    username: str
    password: str
    api_key: str
    name: str
    email: str
    master: str
    created: datetime
    admin: bool = False
    cash: Decimal = Decimal("0.00")
    rates: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    services: dict[str, bool] = field(default_factory=dict[str, bool])
    caller_id: str = ""
    timezone: str = "America/New_York"
    notify: bool = True
    notify_threshold: int = 25
    concurrent_calls: int = 23
    auth_type: int = 0
    registration: tuple[str, str] | None = None
    acl: list[str] = field(default_factory=list[str])
    gateways: dict[int, Gateway] = field(default_factory=dict[int, Gateway])
    numbers: dict[str, Number] = field(default_factory=dict[str, Number])
    sms_routes: dict[int, SmsRoute] = field(default_factory=dict[int, SmsRoute])
    e911: dict[str, E911Record] = field(default_factory=dict[str, E911Record])
    messages: list[Message] = field(default_factory=list[Message])
    messaging_alerts: bool = True
    messaging_checks: list[datetime] = field(default_factory=list[datetime])
    opted_out: set[str] = field(default_factory=set[str])
    brands: set[str] = field(default_factory=set[str])
    campaigns: dict[str, Campaign] = field(default_factory=dict[str, Campaign])
    calls: list[CallRecord] = field(default_factory=list[CallRecord])
    credits: list[Credit] = field(default_factory=list[Credit])
    payments: list[Payment] = field(default_factory=list[Payment])
    ports: dict[str, Port] = field(default_factory=dict[str, Port])
    portable_until: dict[str, datetime] = field(default_factory=dict[str, datetime])
    orders: dict[str, StoredOrder] = field(default_factory=dict[str, StoredOrder])

    def own(self, number: str) -> Number:
        """Return the number if it is on this account.

        Raises:
            Refusal: 404 if it is not.
        """
        if number not in self.numbers:
            raise Refusal(404, "Number not found on this account.")
        return self.numbers[number]

    def gateway_for(self, route: int) -> Gateway | None:
        """Return the gateway or system route with this id; None if the account has none."""
        return self.gateways.get(route)

    def require_cash(self, amount: Decimal) -> None:
        """Check that the prepaid balance covers `amount`.

        Raises:
            Refusal: 402 if it does not.
        """
        if self.cash < amount:
            raise Refusal(402, f"Insufficient funds: {amount} required, {self.cash} available.")


class State(ProviderState):
    """All accounts, the tickets, the inventory, and the counters that identifiers come from."""

    provider = "voicetel"

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.accounts: dict[str, Account] = {}
        self.tickets: dict[int, Ticket] = {}
        self.inventory = Inventory(surroundings.clock)
        self.addresses: dict[int, Address] = {}
        self.released: set[str] = set()
        self.caller_names: dict[str, str] = {}
        self.default_rates: dict[str, Decimal] = {}
        self.default_services: dict[str, bool] = {}
        self.limited_requests: dict[str, list[float]] = {}

    def holder_of(self, number: str) -> Account | None:
        """Return the account that a number is on."""
        return next((account for account in self.accounts.values() if number in account.numbers), None)

    def charge(self, account: Account, what: str, quantity: int, amount: Decimal, reference: str) -> None:
        """Debit the account's cash and write the charge into the sandbox ledger.

        Raises:
            Refusal: 402 if the cash does not cover it; then nothing is debited.
        """
        account.require_cash(amount)
        account.cash -= amount
        self.write_charge(what, quantity, amount, reference)

    def tickets_of(self, account: Account) -> Iterator[Ticket]:
        """Return an account's own tickets; all of them for an administrator."""
        return (ticket for ticket in self.tickets.values() if account.admin or ticket.owner == account.username)


def api_key_for(username: str, password: str) -> str:
    """Return the key that an account has while this is its password; 32 hex digits."""
    return hashlib.sha256(f"{username}:{password}".encode()).hexdigest()[:32]
