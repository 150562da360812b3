"""Checks, by the audit log alone, that every signed approval was signed by the key that was enrolled for its operator.

The rows hold the public keys and the signatures, so an exported file is enough. The log's own chain shows whether rows
were changed; this shows whether an approval is the operator's, even to whoever does not trust the key of the chain.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from guard.allowances.allowance import digest_of_terms
from guard.operators.approval import Assertion, Statement
from server.console.passkeys.ceremonies import BadPasskey, check_signature
from server.store.sealed.hash_chain import Row

NAMED: Final = 100
"""How many problems are named one by one."""

_OF_PASSKEYS: Final = frozenset({"passkey enrolled", "passkey removed"})
_HAS_STATEMENT: Final = '"statement"'
"""Stands in the detail of every row with an approval, and of few others; reading all of them as JSON takes long."""


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What the check of all signatures found."""

    signed: int
    """How many approvals are signed, and fit."""

    problems: tuple[str, ...] = ()
    """What does not fit, one sentence each."""


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An operator's yes as a row of the audit log, or a row of the store, says it."""

    about: str
    operator: str
    statement: Mapping[str, Any]
    assertion: Mapping[str, Any] | None
    terms_digest: str | None = None
    """Digest of what an allowance allows, as the row itself says it; None for actions and plans."""


class SignatureCheck:
    """Checks the approvals in the rows of an audit log, as they are read, the oldest first."""

    def __init__(self) -> None:
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._signing: dict[str, set[str]] = {}
        self._problems: list[str] = []
        self._more = 0
        self._signed = 0

    @property
    def enrolled(self) -> Mapping[str, Any]:
        """The passkeys as the rows leave them, as JSON values: each with its facts, and with which operators sign."""
        return {"keys": self._keys, "signing": {name: sorted(keys) for name, keys in self._signing.items()}}

    @property
    def verdict(self) -> SignatureVerdict:
        """What was found so far."""
        more = (f"{self._more} more approvals do not fit.",) if self._more else ()
        return SignatureVerdict(self._signed, (*self._problems, *more))

    def enrol(self, enrolled: Mapping[str, Any]) -> None:
        """Begin with the passkeys as earlier rows leave them: `enrolled` of another check, or nothing."""
        self._keys = dict(enrolled.get("keys", {}))
        signing: Mapping[str, Sequence[str]] = enrolled.get("signing", {})
        self._signing = {operator: set(keys) for operator, keys in signing.items()}

    def look(self, rows: Iterable[Row]) -> list[SignedApproval]:
        """Check the approvals in the next rows, and return them."""
        found: list[SignedApproval] = []
        for row in rows:
            detail = _detail_of(row)
            match row["event"]:
                case "passkey enrolled":
                    self._keys[detail["passkey"]] = detail
                    self._signing.setdefault(detail["operator"], set()).add(detail["passkey"])
                case "passkey removed":
                    self._signing.get(detail["operator"], set()).discard(detail["passkey"])
                case _ if "statement" in detail:
                    approval = _approval_in(row, detail)
                    found.append(approval)
                    self._check(row, approval)
                case _:
                    pass
        return found

    def find(self, rows: Iterable[Row]) -> list[SignedApproval]:
        """Return the approvals in rows, unchecked."""
        details = ((row, _detail_of(row)) for row in rows if row["event"] not in _OF_PASSKEYS)
        return [_approval_in(row, detail) for row, detail in details if "statement" in detail]

    def note_difference(self, about: str, operator: str) -> None:
        """Note that an approval in the store is not the one on the audit log."""
        self._note(f"{operator}'s approval of {about} in the store is not the one on the audit log.")

    def _check(self, row: Row, approval: SignedApproval) -> None:
        must_sign = bool(self._signing.get(approval.operator))
        wrong = _problem_of(approval, self._keys, must_sign=must_sign)
        if wrong:
            self._note(f"Row {row['number']}: {wrong}")
        self._signed += approval.assertion is not None and not wrong

    def _note(self, problem: str) -> None:
        """Add what does not fit; after many, they are only counted."""
        if len(self._problems) < NAMED:
            self._problems.append(problem)
        else:
            self._more += 1


def check_signatures(rows: Iterable[Row]) -> SignatureVerdict:
    """Check the approvals in all rows of an audit log, oldest first."""
    check = SignatureCheck()
    check.look(rows)
    return check.verdict


def _problem_of(approval: SignedApproval, keys: Mapping[str, Mapping[str, Any]], *, must_sign: bool) -> str:
    """Return what is wrong with an approval; empty if nothing is."""
    whose = f"{approval.operator}'s approval of {approval.about}"
    if approval.assertion is None:
        return f"{whose} is not signed, though {approval.operator} had a passkey." if must_sign else ""
    try:
        assertion, statement = Assertion(**approval.assertion), Statement.of(dict(approval.statement))
    except (TypeError, KeyError):
        return f"the signature of {whose} cannot be read."
    key = keys.get(assertion.key)
    if key is None or key["operator"] != approval.operator or statement.operator != approval.operator:
        return f"{whose} is signed with a passkey that was not enrolled for {approval.operator}."
    if approval.terms_digest not in {None, statement.digest}:
        return f"{whose} is signed for other terms."
    if statement.about != approval.about:
        return f"{whose} is signed for {statement.about}."
    try:
        check_signature(assertion, key["public_key"], statement)
    except BadPasskey as bad:
        return f"{whose}: {bad}"
    return ""


def _approval_in(row: Row, detail: Mapping[str, Any]) -> SignedApproval:
    about, operator = str(row["action_id"]), str(detail.get("operator"))
    digest = digest_of_terms(detail, str(row["principal"])) if row["event"] == "allowance added" else None
    return SignedApproval(about, operator, detail["statement"], detail.get("assertion"), digest)


def _detail_of(row: Row) -> dict[str, Any]:
    """Return the detail of a row of passkeys or with an approval; empty for all others, most of which are not read."""
    if row["event"] not in _OF_PASSKEYS and _HAS_STATEMENT not in row["detail"]:
        return {}
    try:
        found: object = json.loads(row["detail"])
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
