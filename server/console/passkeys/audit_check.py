"""Checks, by the audit log alone, that every signed approval was signed by the key that was enrolled for its operator.

The rows hold the public keys and the signatures, so an exported file is enough. The log's own chain shows whether rows
were changed; this shows whether an approval is the operator's, even to whoever does not trust the key of the chain.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from guard.allowances.allowance import digest_of_terms
from guard.operators.approval import Assertion, Statement
from server.console.passkeys.ceremonies import BadPasskey, check_signature


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


def check_signatures(rows: Iterable[Mapping[str, Any]], stored: Iterable[SignedApproval] = ()) -> SignatureVerdict:
    """Check the approvals in the rows of an audit log, oldest first; `stored` are those of the store, to compare."""
    keys: dict[str, Mapping[str, Any]] = {}
    signing: dict[str, set[str]] = {}
    found: dict[tuple[str, str], SignedApproval] = {}
    problems: list[str] = []
    signed = 0
    for row in rows:
        detail = _detail_of(row)
        match row["event"]:
            case "passkey enrolled":
                keys[detail["passkey"]] = detail
                signing.setdefault(detail["operator"], set()).add(detail["passkey"])
            case "passkey removed":
                signing.get(detail["operator"], set()).discard(detail["passkey"])
            case _ if "statement" in detail:
                approval = _approval_in(row, detail)
                found[approval.about, approval.operator] = approval
                wrong = _problem_of(approval, keys, must_sign=bool(signing.get(approval.operator)))
                problems += [f"Row {row['number']}: {wrong}"] if wrong else []
                signed += approval.assertion is not None and not wrong
            case _:
                pass
    return SignatureVerdict(signed, (*problems, *_differences(found, stored)))


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


def _differences(logged: Mapping[tuple[str, str], SignedApproval], stored: Iterable[SignedApproval]) -> Iterator[str]:
    """Yield where the approvals in the store are not those on the audit log."""
    for one in stored:
        if logged.get((one.about, one.operator)) != one:
            yield f"{one.operator}'s approval of {one.about} in the store is not the one on the audit log."


def _approval_in(row: Mapping[str, Any], detail: Mapping[str, Any]) -> SignedApproval:
    about, operator = str(row["action_id"]), str(detail.get("operator"))
    digest = digest_of_terms(detail, str(row["principal"])) if row["event"] == "allowance added" else None
    return SignedApproval(about, operator, detail["statement"], detail.get("assertion"), digest)


def _detail_of(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found: object = json.loads(row["detail"])
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
