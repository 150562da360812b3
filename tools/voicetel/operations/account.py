"""VoiceTel account: profile, balance and rates, settings, charges and call records."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import unquote, unquote_plus

from pydantic import BeforeValidator, Field, computed_field

from clients.changes import restore_fields
from clients.effects import Effect
from clients.evidence import Evidence
from clients.fields import (
    NUMBER_ALONE,
    AnsweredNumber,
    AnsweredTime,
    Dollars,
    LooseText,
    Moment,
    OutsideText,
    UsNumber,
)
from clients.operation import UNREAD, Answer, ChangesSomething, Operation, Undo, Verification
from clients.phone_numbers import TEN_DIGITS_ARE_OF, valid_form
from tools.voicetel.client import HOURLY, voicetel
from tools.voicetel.record_keys import time_of_key


class Services(Answer):
    """Which services the account has."""

    sms: bool | None = None
    mms: bool | None = None
    e911: bool | None = None
    intl: bool | None = None
    cnam: bool | None = None
    dialer: bool | None = None
    rcid: bool | None = None
    bypass_media: bool | None = None


class Rates(Answer):
    """Prices of the account in US dollars. `did` is a month of one number, `nibble` a minute of voice."""

    did: Decimal | None = None
    sms: Decimal | None = None
    mms: Decimal | None = None
    cnam: Decimal | None = None
    lrn: Decimal | None = None
    fax: Decimal | None = None
    nibble: Decimal | None = None
    tf_adj: Decimal | None = None
    intl_max: Decimal | None = None


class Account(Answer):
    """The account's profile, balance and rates."""

    username: LooseText | None = None
    name: str | None = None
    email: str | None = None
    enabled: bool | None = None
    cash: Dollars | None = None
    """Prepaid balance."""

    rates: Rates | None = None
    services: Services | None = None
    caller_id: AnsweredNumber | None = None
    ccs: int | None = None
    """Cap of concurrent calls."""

    notify: bool | None = None
    notify_threshold: int | None = None
    timezone: str | None = None
    created: AnsweredTime | None = None
    auth_type: int | None = None

    def setting(self, name: str) -> Any:
        """One setting, by its name in voicetel_update_account; None where it is not shown."""
        return getattr((self.services or Services()) if name in {"sms", "mms", "intl", "e911"} else self, name)


@voicetel.operation(
    "GET",
    "/v2.2/account",
    effect=Effect.READ,
    toolset="account",
    docs="#accountGet",
    limit=HOURLY,
    cached_for=600,
    synonyms=("balance", "money", "funds", "prices", "cost", "profile", "how much"),
)
class GetAccount(Operation[Account]):
    """Show the account's balance, rates, services and profile; kept for 10 minutes to spare VoiceTel's 6 an hour."""


class UpdatedSettings(Answer):
    """Names of the settings that were changed."""

    updated: list[str] = []


@voicetel.operation(
    "PUT",
    "/v2.2/account",
    effect=Effect.WRITE | Effect.PRIVILEGED,
    subject="Change {settings} of the account",
    toolset="account",
    docs="#accountPut",
    synonyms=("low balance alert", "caller id", "time zone"),
)
class UpdateAccount(ChangesSomething, Operation[UpdatedSettings]):
    """Change account settings; what is left out stays. Service flags and `ccs` are for administrators."""

    caller_id: UsNumber | None = None
    """Default caller ID of outbound calls."""

    timezone: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*$")
    """IANA time zone, such as America/New_York."""

    notify: bool | None = None
    """Mail when the balance runs low."""

    notify_threshold: int | None = None
    """Balance in US dollars below which to mail."""

    ccs: int | None = Field(default=None, ge=0)  # a negative cap might mean none
    """Cap of concurrent calls; administrators only."""

    sms: bool | None = None
    """SMS service; administrators only."""

    mms: bool | None = None
    """MMS service; administrators only."""

    intl: bool | None = None
    """International calls; administrators only."""

    e911: bool | None = None
    """e911 service; administrators only."""

    sets: ClassVar[Mapping[str, str]] = {name: f"services.{name}" for name in ("sms", "mms", "intl", "e911")}

    def before(self) -> GetAccount:
        return GetAccount()

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Account):
            return UNREAD
        return restore_fields(UpdateAccount, {name: before.setting(name) for name in sorted(self.model_fields_set)})

    def verification(self, sent_at: datetime) -> Verification[Account]:
        return Verification(read=GetAccount(), check=self._is_set)

    def _is_set(self, found: Account) -> Evidence:
        wanted = self.model_dump(exclude_none=True)
        shown = {name: found.setting(name) for name in wanted}
        return Evidence.UNKNOWN if None in shown.values() else Evidence.of(shown == wanted)


class Credit(Answer):
    """One entry of the credit history."""

    date: AnsweredTime | None = None
    amount: Dollars | None = None
    paid: bool | None = None


class Credits(Answer):
    """Credit history."""

    credits: list[Credit] = []


@voicetel.operation(
    "GET",
    "/v2.2/account/credits",
    effect=Effect.READ,
    toolset="account",
    docs="#accountCredits",
    rows="credits",
    synonyms=("invoices", "owed", "bill"),
)
class ListCredits(Operation[Credits]):
    """List the account's credits (invoices), with whether each is paid."""

    status: Literal["paid", "unpaid"] | None = None
    """Only these; all if left out."""


def _decoded(name: object) -> object:
    """Return the name as the caller sent it. A plus sign stands for a space unless it begins a number."""
    if not isinstance(name, str):
        return name
    return unquote(name) if name.startswith("+") else unquote_plus(name)


EncodedName = Annotated[OutsideText, BeforeValidator(_decoded)]


def _is_number(name: str | None, number: str | None) -> bool:
    """Return True for a name that says no more than a number."""
    if name is None or number is None or not NUMBER_ALONE.fullmatch(name):
        return False
    return valid_form(name, TEN_DIGITS_ARE_OF) == valid_form(number)


class CallRecordValue(Answer):
    """What a call record says. Amounts arrive as text, in US dollars."""

    caller: AnsweredNumber | None = Field(default=None, alias="cid")
    called: AnsweredNumber | None = Field(default=None, alias="dst")
    caller_name: EncodedName | None = Field(default=None, alias="cn")
    seconds: LooseText | None = Field(default=None, alias="dur")
    rate_a_minute: LooseText | None = Field(default=None, alias="nr")
    billed: LooseText | None = Field(default=None, alias="ba")
    ip: str | None = None

    def own_texts(self) -> frozenset[str]:
        # Where a caller has no name, such as a number of ours that calls out, the name is the number itself.
        return frozenset({"caller_name"}) if _is_number(self.caller_name, self.caller) else frozenset()


class CallRecord(Answer):
    """One call."""

    key: list[LooseText] = []
    """Account and start of the call in epoch seconds."""

    value: CallRecordValue | None = None
    id: str | None = None

    @computed_field  # type: ignore[prop-decorator]  # pydantic knows a decorated property, mypy does not
    @property
    def at(self) -> datetime | None:
        """When the call began, which its key ends with; None where it ends with no time."""
        return time_of_key(self.key)


class CallRecords(Answer):
    """Calls in a window of time, newest first."""

    since: AnsweredTime | None = Field(default=None, alias="end")
    until: AnsweredTime | None = Field(default=None, alias="start")
    """VoiceTel's `start` is the newer bound."""

    cdr: list[CallRecord] = []


@voicetel.operation(
    "GET",
    "/v2.2/account/cdr",
    effect=Effect.READ,
    toolset="account",
    docs="#accountCdr",
    limit=HOURLY,
    rows="cdr",
    synonyms=("cdr", "call log", "call history", "calls", "who called"),
)
class ListCallRecords(Operation[CallRecords]):
    """List call records of a window of time, newest first; the last 24 hours if left out. 6 an hour."""

    since: Moment | None = None
    """Older bound, with zone."""

    until: Moment | None = None
    """Newer bound, with zone."""

    def to_wire(self) -> dict[str, Any]:
        """VoiceTel's `start` is the newer bound and `end` the older one."""
        bounds = {"start": self.until, "end": self.since}
        return {name: int(moment.timestamp()) for name, moment in bounds.items() if moment is not None}


class Registration(Answer):
    """The device that is registered."""

    uri: str | None = None
    agent: OutsideText | None = None
    """What the device calls itself."""


@voicetel.operation(
    "GET",
    "/v2.2/account/registration",
    effect=Effect.READ,
    toolset="account",
    docs="#accountRegistration",
    empty_on=404,
    synonyms=("online", "phone registered", "sip status"),
)
class GetRegistration(Operation[Registration]):
    """Show the SIP device that is registered; empty when none is."""


class RecurringCharge(Answer):
    """One monthly charge."""

    description: str | None = None
    amount: Dollars | None = None


class RecurringCharges(Answer):
    """What the account costs each month."""

    charges: list[RecurringCharge] = []
    monthly_total: Dollars | None = Field(default=None, alias="total")


@voicetel.operation(
    "GET",
    "/v2.2/account/recurring-charges",
    effect=Effect.READ,
    toolset="account",
    docs="#accountRecurringCharges",
    limit=HOURLY,
    rows="charges",
    synonyms=("monthly cost", "subscription", "fees", "bill"),
)
class ListRecurringCharges(Operation[RecurringCharges]):
    """List what the account costs each month, by service, with the total. 6 an hour."""


class Payment(Answer):
    """One payment received."""

    date: AnsweredTime | None = None
    amount: Dollars | None = None
    status: str | None = None
    payer_email: str | None = None
    transaction_id: str | None = None


class Payments(Answer):
    """Payments, newest first."""

    payments: list[Payment] = []


@voicetel.operation(
    "GET",
    "/v2.2/account/payments",
    effect=Effect.READ,
    toolset="account",
    docs="#accountPayments",
    rows="payments",
    synonyms=("paypal", "top up", "paid"),
)
class ListPayments(Operation[Payments]):
    """List payments received, newest first."""
