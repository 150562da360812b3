"""The operator's rules as they are written in the settings, and as the guard understands them."""

from collections.abc import Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from clients.effects import Effect
from clients.settings import Currency, Section, matching
from guard.money import Money
from guard.rules.budget import Cap
from guard.rules.compliance import Compliance, QuietHours
from guard.rules.destinations import Destinations
from guard.rules.policy import Decision, Policy
from guard.rules.rules import Rules


def _decision(value: object) -> object:
    if isinstance(value, Decision):
        return value
    if isinstance(value, str) and value in {decision.word for decision in Decision}:
        return Decision[value.upper()]
    raise ValueError("one of allow, ask, page, deny is expected")


Word = Annotated[Decision, BeforeValidator(_decision)]


EffectName = Literal["read", "write", "paid", "destructive", "reroutes", "privileged"]


class PolicySettings(Section):
    """Which calls are allowed, need a yes in the client (`ask`) or the operator (`page`), or are forbidden (`deny`)."""

    read: Word = Decision.ALLOW
    """Plain reads."""

    write: Word = Decision.ALLOW
    """Changes that the same kind of call changes back, at no cost."""

    paid: Word = Decision.ASK
    """Whatever spends money."""

    reroutes: Word = Decision.ASK
    """Live calls or messages go elsewhere."""

    destructive: Word = Decision.ASK
    """Something is removed."""

    privileged: Word = Decision.ASK
    """Credentials, roles, access lists, PINs; opt-outs and recordings."""

    irreversible: Word = Decision.PAGE
    """Minimum decision for irreversible operations, whatever their effect."""

    unknown_price: Literal["ask", "deny"] | None = None
    """Where no price is known. Not set: ask, but deny where a cap applies that could not be kept."""

    providers: Mapping[str, Word] = {}
    """By provider, instead of the effect."""

    toolsets: Mapping[str, Word] = {}
    """By toolset, `numbers` or `<provider>.numbers`, instead of the provider's."""

    operations: Mapping[str, Word] = {}
    """By tool name, instead of everything else."""

    def policy(self) -> Policy:
        """The policy as the guard understands it."""
        by_effect = {effect: getattr(self, effect.labels[0]) for effect in Effect}
        return Policy(
            by_effect=by_effect,
            irreversible=self.irreversible,
            by_provider=self.providers,
            by_toolset=self.toolsets,
            by_operation=self.operations,
        )


Country = Annotated[str, matching(r"[A-Z]{2}", "an ISO code of two capital letters, such as US,")]
Prefix = Annotated[str, matching(r"\+[0-9]{1,15}", "a prefix in E.164, such as +1900,")]


class BudgetSettings(Section):
    """A cap on spending. Several may apply to one call; every one must leave room."""

    per: Literal["action", "day", "month"]
    """The window, by the calendar in UTC."""

    limit: Decimal = Field(ge=0)
    """At most so much in it."""

    currency: Currency = "USD"
    """Money of other currencies does not count."""

    provider: str | None = None
    """Only what is spent there; everything if left out."""


class PriceSettings(Section):
    """The operator's own worst case for one, where a provider publishes no price."""

    amount: Decimal = Field(gt=0)
    """What one costs at most: each number or recipient that a call reaches counts."""

    currency: Currency = "USD"
    """Its currency."""


class DestinationSettings(Section):
    """Where calls and messages may go."""

    countries: list[Country] = ["US", "CA"]
    """ISO codes of countries that may be called and texted."""

    refused_prefixes: list[Prefix] = []
    """Further prefixes to refuse, in E.164."""

    home: Country = "US"
    """Country whose emergency numbers count where a number has no country code."""


MINUTES_OF_A_YEAR = 365 * 24 * 60

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
Span = Annotated[str, matching(f"{_TIME}-{_TIME}", "a span such as 21:00-08:00")]


class ComplianceSettings(Section):
    """What goes out, when, and how much at once."""

    quiet_hours: Span | None = None
    """Span of the day, where the destination is, in which nothing is sent: 21:00-08:00."""

    duplicate_minutes: float = Field(default=10, ge=0, le=MINUTES_OF_A_YEAR)
    """The same call again within this time needs approval, whatever the policy; a year at most."""

    bulk_limit: int = Field(default=10, ge=1)
    """Calls that touch more numbers or recipients go to the operator."""


class RuleSettings(Section):
    """Everything that decides what may happen."""

    policy: PolicySettings = PolicySettings()
    budget: list[BudgetSettings] = []
    prices: Mapping[str, PriceSettings] = {}
    destinations: DestinationSettings = DestinationSettings()
    compliance: ComplianceSettings = ComplianceSettings()

    def rules(self, policy: Policy) -> Rules:
        """The rules as the guard understands them."""
        unknown = self.policy.unknown_price
        return Rules(
            policy=policy,
            caps=tuple(Cap(cap.per, Money(cap.limit, cap.currency), cap.provider) for cap in self.budget),
            prices={name: Money(price.amount, price.currency) for name, price in self.prices.items()},
            unknown_price=None if unknown is None else Decision[unknown.upper()],
            destinations=Destinations(
                countries=frozenset(self.destinations.countries),
                refused_prefixes=tuple(self.destinations.refused_prefixes),
                home=self.destinations.home,
            ),
            compliance=Compliance(
                quiet_hours=_quiet_hours(self.compliance.quiet_hours),
                duplicate_window=timedelta(minutes=self.compliance.duplicate_minutes),
                bulk_limit=self.compliance.bulk_limit,
            ),
        )


def _quiet_hours(span: str | None) -> QuietHours | None:
    if span is None:
        return None
    start, _, end = span.partition("-")
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end))
