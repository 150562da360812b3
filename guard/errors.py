"""Why the guard says no. Each message says that nothing was sent, and `advice` what to do next.

GuardRefusal
├── Denied              policy forbids the call
├── Frozen              the operator stopped everything
├── DestinationRefused  calls and messages may not go there, or not now
│   └── BadDestination  it is no telephone number, or not written as one
├── NotPossibleNow      the state of what it changes rules it out
├── OverBudget          a cap leaves no room for the price
├── Declined            a person, or their client, said no
├── Expired             nobody answered in time
├── PriceChanged        it became more expensive than what was approved
├── RecipientsChanged   it reaches other people than what was approved
├── RulesChanged        the rules demand another person's approval than it has
├── AllowanceGone       the allowance under which it was approved was revoked, is over or is used up
├── AccountNotNamed     the provider has several accounts, and the call names none of them
├── AccountGone         the account that the call is bound to is not set up any more
├── MayNotApprove       this operator may not approve this, or has done so already
├── BadBound            an approval names no amount, or not one that fits, where the price is unknown
├── NotTheSameCall      the answer was given for another action
├── ActionArchived      the action was moved into an archive
├── AlreadySettled      this action was carried out before; an approval works once
├── OutcomePending      the same call is under way, or its outcome is unknown
└── JournalUnavailable  the store cannot be written, so nothing that needs a record may happen
    └── AuditGap        rows of the audit log are missing, so nobody knows what was spent and approved
"""

from typing import ClassVar


class GuardRefusal(Exception):
    """The call was not made."""

    advice: ClassVar[str] = "Tell the user what the guard says."


class Denied(GuardRefusal):
    """Policy forbids the call."""

    advice = "Do not try another way; only the operator can change the policy."


class Frozen(GuardRefusal):
    """The operator stopped every guarded action."""

    advice = "Plain reads still work. Only the operator can lift it, with `ringfence unfreeze`."


class DestinationRefused(GuardRefusal):
    """Calls and messages may not go there, or not now."""

    advice = "Tell the user which number and which rule; only the operator can change the rule."


class BadDestination(DestinationRefused):
    """A destination is no telephone number, or it is not written as one."""

    advice = "Correct the number as it says, or ask the user for the right one, and call again."


class NotPossibleNow(GuardRefusal):
    """The state of what the call needs or changes rules it out, by the provider's documents."""

    advice = "Tell the user why; call again only when that has changed."


class OverBudget(GuardRefusal):
    """A cap of the budget leaves no room for the price."""

    advice = "Do not split the call to get under the cap; only the operator can raise it."


class Declined(GuardRefusal):
    """A person, or their client, said no."""

    advice = "Do not repeat the call unless the user asks for it again."

    def __init__(self, message: str, reason: str = "") -> None:
        """`reason` is why, in the words of whoever declined; empty where none was given."""
        super().__init__(message)
        self.reason = reason


class Expired(GuardRefusal):
    """Nobody answered in time."""

    advice = "Call again to get a fresh quote and a new question."


class PriceChanged(GuardRefusal):
    """The call became more expensive than what was approved."""

    advice = "Call again to get the new quote and a new question."


class RecipientsChanged(GuardRefusal):
    """The call reaches other people than those that were approved."""

    advice = "Call again to get a new question with the current recipients."


class RulesChanged(GuardRefusal):
    """The rules demand another person's approval than the one that was asked for or given."""

    advice = "Call again to get a new question under the current rules."


class AllowanceGone(GuardRefusal):
    """The allowance under which a call was approved was revoked, is over, or leaves no room."""

    advice = "Call again: it is asked about as if there were no allowance."


class MayNotApprove(GuardRefusal):
    """An operator may not approve this, or has done so already."""

    advice = "It still waits for an operator who may."


class BadBound(GuardRefusal):
    """An approval names no amount, or not one that fits, where the price is unknown."""

    advice = "The action still waits: approve it with an amount that fits, or decline it."


class AccountNotNamed(GuardRefusal):
    """The provider has several accounts, and the call names none of them."""

    advice = "Ask the user which account is meant, and call again with `account`."


class AccountGone(GuardRefusal):
    """The account that the call is bound to is not set up any more."""

    advice = "Tell the user; only the operator can set the account up again."


class NotTheSameCall(GuardRefusal):
    """The answer belongs to another action."""

    advice = "Call again without the old answer; the user has to approve the new call."


class ActionArchived(GuardRefusal):
    """The action was moved out of the store into an archive."""

    advice = "Tell the user where it is. What it did can be changed by a new call, which is approved like any other."


class AlreadySettled(GuardRefusal):
    """The action was carried out before."""

    advice = "Check the action with get_action; make a new call only if the user wants it a second time."


class OutcomePending(GuardRefusal):
    """The same call is under way, or nobody knows yet whether it happened."""

    advice = (
        "Do not repeat it: get_action checks again; the operator sees how to close it with `ringfence actions list`."
    )


class JournalUnavailable(GuardRefusal):
    """The store cannot be read or written."""

    advice = "Nothing was sent. Plain reads still work; ask the operator to check the disk and run `ringfence doctor`."


class AuditGap(JournalUnavailable):
    """Rows of the audit log are missing: an older copy of the store was restored, or its files were deleted."""

    advice = "Nothing was sent. Plain reads still work; only the operator can go on, with `ringfence audit accept`."
