"""Routee pools: sets of rented numbers from which a message's sender is chosen.

That pools cost nothing by themselves is inferred; so is that a deleted pool leaves its numbers rented.
"""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from clients.effects import Effect
from clients.evidence import Evidence, present_in, same_fields
from clients.fields import AnsweredTime, E164Digits, LooseText
from clients.operation import (
    UNREAD,
    Answer,
    ChangesSomething,
    Done,
    Operation,
    Undo,
    Verification,
    put_back,
    verify_removal,
)
from clients.questions.differences import Difference, differences
from tools.routee.client import routee
from tools.routee.field_types import (
    Callback,
    Country,
    Id,
    PostsTo,
    Sender,
    Text,
    callback,
    in_e164,
    without_none,
)
from tools.routee.grades import ANSWER_INFERRED, ANSWER_ON_PAGE, PAGES, REQUEST_INFERRED_ANSWER_ON_PAGE
from tools.routee.paging import Page, Paged

DEFAULT_SENDER: Final = "InfoSMS"
"""Sender of a pool in which nothing fits and that has no name of its own (documented)."""


class PoolSender(Answer):
    """One of several senders of a pool."""

    country: str | None = None
    sender_id: str | None = None
    keyword: str | None = None
    short_code: str | None = None

    def __str__(self) -> str:
        return f"{self.sender_id or self.short_code} for {self.country or 'any country'}"


class SmsSettings(Answer):
    """How a pool chooses the sender, and where it posts."""

    sticky: bool | None = None
    geomatch: bool | None = None
    transcode: bool | None = None
    default_country: str | None = None
    alphanumeric_sender: str | None = Field(default=None, alias="alphanumericSenderId")
    inbound_sms_url: str | None = Field(default=None, alias="inboundSMSCallbackUrl")
    callback: Callback | None = None
    senders: list[PoolSender] = Field(default=[], alias="multipleSender")


class Pool(Answer):
    """A pool."""

    pool_id: str | None = None
    name: str | None = Field(default=None, alias="poolName")
    settings: SmsSettings | None = Field(default=None, alias="smsSettings")
    total_numbers: int | None = None
    updated_at: AnsweredTime | None = None

    @property
    def name_of_sender(self) -> str:
        """The name under which it sends where no number does."""
        return (self.settings.alphanumeric_sender if self.settings else None) or DEFAULT_SENDER

    @property
    def senders(self) -> str:
        """Its senders by country, which no argument here sets; empty where it has none."""
        return ", ".join(str(one) for one in self.settings.senders) if self.settings else ""

    def plan(self) -> dict[str, Any]:
        """Return what was asked for, as arguments."""
        settings = self.settings or SmsSettings()
        posts = settings.callback or Callback()
        return without_none(
            name=self.name,
            sticky=settings.sticky,
            geomatch=settings.geomatch,
            transcode=settings.transcode,
            default_country=settings.default_country,
            alphanumeric_sender=settings.alphanumeric_sender,
            inbound_sms_url=settings.inbound_sms_url,
            callback_url=posts.url,
            callback_final_only=posts.is_final_only if posts.url else None,
        )


class Pools(Page):
    """Pools. Some sources show a bare array."""

    pools: list[Pool] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/pools/my",
    effect=Effect.READ,
    toolset="pools",
    docs="retrieve-all-the-pools-of-an-account",
    basis=REQUEST_INFERRED_ANSWER_ON_PAGE,
    synonyms=("sender pools", "number pools", "messaging service"),
)
class ListPools(Paged[Pools]):
    """List the pools of numbers that messages are sent from."""


@routee.operation(
    "GET",
    "/pools/my/{pool_id}",
    effect=Effect.READ,
    toolset="pools",
    docs="retrieve-info-for-a-specific-pool",
    basis=PAGES,
    confirmed_by=("pool_id",),
    synonyms=("show", "settings", "details"),
)
class GetPool(Operation[Pool]):
    """Show one pool and its settings."""

    pool_id: Id
    """Pool from routee_list_pools."""


class PoolNumbers(Answer):
    """The numbers of a pool."""

    pool_id: str | None = None
    name: str | None = Field(default=None, alias="poolName")
    numbers: list[LooseText] = []

    def holds(self, number: str) -> Evidence:
        """Whether a number is in the pool; UNKNOWN where the list is not shown, or a row of it is no number."""
        shown = [in_e164(one) for one in self.numbers]
        return present_in(shown, number, whole="numbers" in self.model_fields_set)


@routee.operation(
    "GET",
    "/pools/my/{pool_id}/numbers",
    effect=Effect.READ,
    toolset="pools",
    docs="retrieve-the-numbers-that-belongs-to-a-specific-pool",
    basis=ANSWER_ON_PAGE,
    rows="numbers",
    synonyms=("members", "which numbers", "senders"),
)
class ListPoolNumbers(Operation[PoolNumbers]):
    """List the numbers of a pool."""

    pool_id: Id
    """Pool from routee_list_pools."""


class PoolSettings(BaseModel):
    """The settings of a pool, flat; Routee's defaults where they are left out."""

    sticky: bool | None = None
    """Keep one sender for each recipient; true if left out."""

    geomatch: bool | None = None
    """Prefer a sender of the recipient's country; true if left out."""

    transcode: bool | None = None
    """Replace characters to fit GSM-7."""

    default_country: Country | None = None
    """Country of the sender if none matches."""

    alphanumeric_sender: Sender | None = None
    """Name of up to 11 characters for the strategy Alphanumeric."""

    inbound_sms_url: PostsTo | None = None
    """Where Routee posts received messages."""

    callback_url: PostsTo | None = None
    """Where Routee posts delivery."""

    callback_final_only: bool | None = None
    """Post only the final status."""

    def settings(self) -> dict[str, Any]:
        """`smsSettings` in Routee's form; `inboundSMSCallbackUrl` is spelt with a capital SMS here."""
        return without_none(
            sticky=self.sticky,
            geomatch=self.geomatch,
            transcode=self.transcode,
            defaultCountry=self.default_country,
            alphanumericSenderId=self.alphanumeric_sender,
            inboundSMSCallbackUrl=self.inbound_sms_url,
            callback=callback(self.callback_url, final_only=self.callback_final_only),
        )


@routee.operation(
    "POST",
    "/pools/my",
    effect=Effect.REROUTES,
    subject="Create the pool {name:text}",
    toolset="pools",
    docs="create-a-pool",
    basis=ANSWER_ON_PAGE,
    confirmed_by=("pool_id",),
    synonyms=("new pool", "make", "messaging service"),
)
class CreatePool(PoolSettings, Operation[Pool]):
    """Create an empty pool; fill it with routee_add_pool_number."""

    name: Text
    """Its name."""

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(answer, Pool) or answer.pool_id is None:
            return Undo(verdict="none", lost="The answer has no id of the pool.")
        return Undo(verdict="full", operation=DeletePool(pool_id=answer.pool_id))

    def to_wire(self) -> dict[str, Any]:
        return {"poolName": self.name, "smsSettings": self.settings()}

    def warnings(self) -> tuple[str, ...]:
        if not (self.inbound_sms_url or self.callback_url):
            return ()
        return ("Messages to and from every number that is put into it are posted to these addresses.",)

    def verification(self, sent_at: datetime) -> Verification[Pools]:
        return Verification(read=ListPools(limit=500), check=self._may_be_listed)

    def _may_be_listed(self, found: Pools) -> Evidence:
        """Names need not be unique, so a pool of this name may be an older one."""
        names = [pool.name for pool in found.pools]
        return Evidence.no_if(present_in(names, self.name, whole=found.is_whole) is Evidence.NO)


@routee.operation(
    "PUT",
    "/pools/my/{pool_id}",
    effect=Effect.REROUTES,
    subject="Change {settings} of the pool [{before.name:text}|{pool_id}]",
    toolset="pools",
    docs="edit-a-pool",
    basis=ANSWER_ON_PAGE,
    confirmed_by=("pool_id",),
    synonyms=("edit", "change", "rename", "settings"),
)
class UpdatePool(PoolSettings, ChangesSomething, Operation[Pool]):
    """Rename a pool or change how it chooses senders and where it posts."""

    besides = frozenset({"callback_final_only"})

    pool_id: Id
    """Pool from routee_list_pools."""

    name: Text | None = None
    """New name."""

    def before(self) -> GetPool:
        return GetPool(pool_id=self.pool_id)

    def warnings(self) -> tuple[str, ...]:
        return ("Whether settings that are left out are kept or go back to defaults is not documented.",)

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, Pool):
            return ()
        if self.settings() and before.senders:
            return (f"Its own senders ({before.senders}) may be lost: no argument here sets them.",)
        return ()

    def differences(self, before: Any) -> tuple[Difference, ...]:
        will = without_none(**{name: getattr(self, name) for name in self.model_fields_set - {"pool_id"}})
        return differences(dict.fromkeys(will) | before.plan(), will) if isinstance(before, Pool) else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Pool):
            return UNREAD
        if not self.settings():
            return put_back(UpdatePool, pool_id=self.pool_id, name=before.name)
        old = before.plan()
        lost = [f"No call clears {name}, which was not set before." for name in self._wanted() if name not in old]
        if before.senders:
            lost.append(f"No call here sets its own senders again: {before.senders}.")
        return put_back(UpdatePool, pool_id=self.pool_id, lost=" ".join(lost), **old)

    def verification(self, sent_at: datetime) -> Verification[Pool]:
        return Verification(read=self.before(), check=lambda found: same_fields(self._wanted(), found.plan()))

    def _wanted(self) -> dict[str, Any]:
        return without_none(**self.model_dump(exclude={"pool_id"}))

    def to_wire(self) -> dict[str, Any]:
        return without_none(poolName=self.name, smsSettings=self.settings() or None)


class DeletedPool(Answer):
    """A pool that is gone."""

    pool_id: str | None = None
    deleted_at: AnsweredTime | None = None


@routee.operation(
    "DELETE",
    "/pools/my/{pool_id}",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Delete the pool [{before.name:text}|{pool_id}]",
    toolset="pools",
    docs="delete-a-pool",
    basis=ANSWER_ON_PAGE,
    confirmed_by=("pool_id",),
    synonyms=("remove", "drop"),
)
class DeletePool(Operation[DeletedPool]):
    """Delete a pool; its numbers stay rented and charged (inferred)."""

    pool_id: Id
    """Pool from routee_list_pools."""

    def before(self) -> GetPool:
        return GetPool(pool_id=self.pool_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Pool):
            return UNREAD
        lost = "It gets another id, and its numbers have to be added again."
        if before.senders:
            lost += f" No call here sets its own senders again: {before.senders}."
        return put_back(CreatePool, lost=lost, **before.plan())

    def verification(self, sent_at: datetime) -> Verification[Pool]:
        return verify_removal(GetPool(pool_id=self.pool_id))


@routee.operation(
    "PUT",
    "/pools/my/{pool_id}/numbers/{number}",
    effect=Effect.REROUTES,
    subject="Put {number} into the pool [{before.name:text}|{pool_id}]",
    toolset="pools",
    docs="add-a-number-to-a-pool",
    basis=ANSWER_INFERRED,
    may_be_empty=True,
    synonyms=("assign", "put into", "fill"),
)
class AddPoolNumber(Operation[PoolNumbers]):
    """Put a rented number into a pool; it can be in one only."""

    pool_id: Id
    """Pool from routee_list_pools."""

    number: E164Digits
    """Number from routee_list_numbers."""

    def before(self) -> ListPoolNumbers:
        return ListPoolNumbers(pool_id=self.pool_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if isinstance(before, PoolNumbers) and before.holds(self.number) is Evidence.YES:
            return Undo(verdict="none", lost="The number was in the pool before.")
        return Undo(verdict="full", operation=RemovePoolNumber(pool_id=self.pool_id, number=self.number))

    def verification(self, sent_at: datetime) -> Verification[PoolNumbers]:
        return Verification(read=self.before(), check=lambda found: found.holds(self.number), must_be_new=True)


@routee.operation(
    "DELETE",
    "/pools/my/{pool_id}/numbers/{number}",
    effect=Effect.REROUTES,
    subject="Take {number} out of the pool [{before.name:text}|{pool_id}]",
    toolset="pools",
    docs="delete-a-number-from-a-pool",
    basis=ANSWER_INFERRED,
    may_be_empty=True,
    synonyms=("unassign", "take out"),
)
class RemovePoolNumber(Operation[Done]):
    """Take a number out of a pool; it stays rented."""

    pool_id: Id
    """Pool from routee_list_pools."""

    number: E164Digits
    """Number from routee_list_pool_numbers."""

    def before(self) -> ListPoolNumbers:
        return ListPoolNumbers(pool_id=self.pool_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="full", operation=AddPoolNumber(pool_id=self.pool_id, number=self.number))

    def verification(self, sent_at: datetime) -> Verification[PoolNumbers]:
        return Verification(read=self.before(), check=lambda found: found.holds(self.number).opposite, must_be_new=True)
