"""The operator's rules as sections of the settings, and their conversion to the guard's rules."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from clients.deferred import Deferred
from clients.effects import Effect
from clients.settings import Currency, Section, matching
from clients.shared.methods import Method
from guard.rules.policy import AccountPolicy, Decision, Policy

if TYPE_CHECKING:
    from clients.wire.corrections import Correction
    from guard.rules.rules import Rules

CORRECTION: Final["Deferred[type[Correction]]"] = Deferred("clients.wire.corrections:Correction")
RULES_OF: Final["Deferred[Callable[[RuleSettings, Policy], Rules]]"] = Deferred("server.settings.guard_rules:rules_of")
"""Deferred: the rules stand on the library of telephone numbers, and matter only to a call."""


def _decision(value: object) -> object:
    if isinstance(value, Decision):
        return value
    if isinstance(value, str) and value in {decision.word for decision in Decision}:
        return Decision[value.upper()]
    raise ValueError("one of allow, ask, page, deny is expected")


Word = Annotated[Decision, BeforeValidator(_decision)]


EffectName = Literal["read", "write", "paid", "destructive", "reroutes", "privileged", "outward"]


class AccountPolicySettings(Section):
    """Decisions for one account, which count before those for all accounts."""

    read: Word | None = None
    """Plain reads."""

    write: Word | None = None
    """As `policy.write`."""

    paid: Word | None = None
    """As `policy.paid`."""

    reroutes: Word | None = None
    """As `policy.reroutes`."""

    destructive: Word | None = None
    """As `policy.destructive`."""

    privileged: Word | None = None
    """As `policy.privileged`."""

    outward: Word | None = None
    """As `policy.outward`."""

    irreversible: Word | None = None
    """As `policy.irreversible`."""

    toolsets: Mapping[str, Word] = {}
    """Decisions by toolset, such as `numbers`, instead of the effect's."""

    operations: Mapping[str, Word] = {}
    """Decisions by tool name, instead of all others."""

    def policy(self) -> AccountPolicy:
        """Return the guard's policy for the account."""
        given = {effect: getattr(self, effect.labels[0]) for effect in Effect}
        return AccountPolicy(
            by_effect={effect: decision for effect, decision in given.items() if decision is not None},
            irreversible=self.irreversible,
            by_toolset=self.toolsets,
            by_operation=self.operations,
        )


class PolicySettings(Section):
    """Which calls run at once (`allow`), need approval in the client (`ask`) or by the operator (`page`), or `deny`."""

    read: Word = Decision.ALLOW
    """Plain reads."""

    write: Word = Decision.ALLOW
    """Changes that cost nothing, reach nobody, and are put back exactly by a call of the provider."""

    paid: Word = Decision.ASK
    """Calls that cost money."""

    reroutes: Word = Decision.ASK
    """Calls that send live calls or messages elsewhere."""

    destructive: Word = Decision.ASK
    """Calls that remove, overwrite, end or use up something."""

    privileged: Word = Decision.ASK
    """Calls that touch credentials, roles, access lists, PINs, opt-outs or recordings."""

    outward: Word = Decision.ASK
    """Calls that reach people outside or the provider's staff; if not set, those without the four effects above."""

    irreversible: Word = Decision.PAGE
    """Minimum decision for irreversible operations, whatever their effect."""

    unknown_price: Literal["ask", "deny"] | None = None
    """Decision where no price is known; if not set, ask; where a cap applies, the operator names the most it costs."""

    providers: Mapping[str, Word] = {}
    """Decisions by provider, instead of the effect's."""

    toolsets: Mapping[str, Word] = {}
    """Decisions by toolset, `numbers` or `<provider>.numbers`, instead of the provider's."""

    operations: Mapping[str, Word] = {}
    """Decisions by tool name, instead of all others."""

    accounts: Mapping[str, AccountPolicySettings] = {}
    """Decisions by account, instead of all others."""

    def policy(self) -> Policy:
        """Return the guard's policy."""
        by_effect = {effect: getattr(self, effect.labels[0]) for effect in Effect}
        return Policy(
            by_effect=by_effect,
            outward_is_set="outward" in self.model_fields_set,
            irreversible=self.irreversible,
            by_provider=self.providers,
            by_toolset=self.toolsets,
            by_operation=self.operations,
            by_account={name: section.policy() for name, section in self.accounts.items()},
        )


Country = Annotated[str, matching(r"[A-Z]{2}", "an ISO code of two capital letters, such as US,")]
Prefix = Annotated[str, matching(r"\+[0-9]{1,15}", "a prefix in E.164, such as +1900,")]


class BudgetSettings(Section):
    """A cap on spending. Several may apply to one call; the call must fit under each."""

    per: Literal["action", "day", "month"]
    """Window of the cap; days and months are those of the calendar in UTC."""

    limit: Decimal = Field(ge=0)
    """Most that may be spent in the window."""

    currency: Currency = "USD"
    """Currency of the cap; money in other currencies does not count."""

    provider: str | None = None
    """Provider whose spending counts; all if left out."""

    account: str | None = None
    """Account whose spending counts; all if left out."""


class ApprovalRuleSettings(Section):
    """What the approval of some calls needs beyond one operator's yes. Every rule that applies counts."""

    people: int = Field(default=1, ge=1, le=5)
    """How many different operators have to approve. From two on the passcode counts for none: it has no name."""

    operators: list[str] = []
    """Names of the operators who may approve; every approver if left out."""

    above: Decimal | None = Field(default=None, ge=0)
    """Only calls that cost more than this, together where they are one plan; an unknown price is more."""

    currency: Currency = "USD"
    """Currency of `above`; an amount in another one is more."""

    effects: list[EffectName] = []
    """Only calls with one of these effects; all if left out."""

    irreversible: bool = False
    """Only calls that nothing undoes."""

    providers: list[str] = []
    """Only calls at these providers; all if left out."""

    accounts: list[str] = []
    """Only calls on these accounts; all if left out."""

    toolsets: list[str] = []
    """Only calls of these toolsets, `numbers` or `<provider>.numbers`; all if left out."""

    operations: list[str] = []
    """Only calls of these tools; all if left out."""

    @property
    def in_words(self) -> str:
        """What it is about and what it demands, as it is set."""
        about = [f"above {self.above} {self.currency}"] if self.above is not None else []
        about += ["irreversible"] if self.irreversible else []
        lists = (self.effects, self.providers, self.accounts, self.toolsets, self.operations)
        about += [" or ".join(names) for names in lists if names]
        who = f" of {', '.join(self.operators)}" if self.operators else ""
        return f"{self.people} operator{'' if self.people == 1 else 's'}{who} for {', '.join(about) or 'every call'}"


class PriceSettings(Section):
    """The operator's worst case for an operation, where the provider publishes no price."""

    amount: Decimal = Field(gt=0)
    """Most that one number or recipient of a call costs."""

    currency: Currency = "USD"
    """Currency of the amount."""

    accounts: Mapping[str, Annotated[Decimal, Field(gt=0)]] = {}
    """The same for an account on which it is another amount, by the account's name."""


class CorrectionSettings(Section):
    """What a provider has otherwise than an operation declares, where no document shows it."""

    method: Method | None = None
    """Method."""

    path: str | None = None
    """Path, with the placeholders of the declared one."""

    fields: Mapping[str, str] = {}
    """Names of what is sent, by the names that are sent now."""

    answer_fields: Mapping[str, str] = {}
    """Names of what is answered, by the names that are expected now."""

    def correction(self) -> "Correction":
        """Return the same for the client layer."""
        return CORRECTION.load()(
            method=self.method, path=self.path, fields=dict(self.fields), answer_fields=dict(self.answer_fields)
        )


class DestinationSettings(Section):
    """Where calls and messages may go."""

    countries: list[Country] = ["US", "CA"]
    """ISO codes of countries that may be called and texted."""

    refused_prefixes: list[Prefix] = []
    """More prefixes to refuse, in E.164."""

    home: Country = "US"
    """Country whose emergency numbers and special services are refused where a number has no country code."""


MINUTES_OF_A_YEAR = 365 * 24 * 60

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
Span = Annotated[str, matching(f"{_TIME}-{_TIME}", "a span such as 21:00-08:00")]


class ComplianceSettings(Section):
    """When messages go out, and how many at once."""

    quiet_hours: Span | None = None
    """Hours in which nothing is sent, in the destination's time zone, such as 21:00-08:00."""

    duplicate_minutes: float = Field(default=10, ge=0, le=MINUTES_OF_A_YEAR)
    """Minutes in which the same call again needs approval, whatever the policy; a year at most."""

    bulk_limit: int = Field(default=10, ge=1)
    """Most numbers or recipients of a call; a call with more needs the operator's approval."""


class RuleSettings(Section):
    """All rules that decide what may happen."""

    policy: PolicySettings = PolicySettings()
    budget: list[BudgetSettings] = []
    prices: Mapping[str, PriceSettings] = {}
    destinations: DestinationSettings = DestinationSettings()
    compliance: ComplianceSettings = ComplianceSettings()
    approval_rules: list[ApprovalRuleSettings] = []
    owners: Mapping[str, str] = {}
    """The operator who owns the token of a principal, by the principal's name."""

    def rules(self, policy: Policy) -> "Rules":
        """Return the guard's rules."""
        return RULES_OF.load()(self, policy)
