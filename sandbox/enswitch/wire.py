"""Enswitch's envelope: `{"responses": [{"code", "key", "message"}], "data": …}`, its codes inside HTTP 200."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import Response

MESSAGES = {
    200: "OK",
    201: "Input passed validation.",
    204: "OK",
    400: "Invalid input parameters specified.",
    401: "The authentication details provided are invalid.",
    402: "Your role does not allow this.",
    403: "Your rate plan does not allow this.",
    404: "Does not exist, or you do not have permission to view it.",
    500: "An internal error occurred.",
}
"""The codes' meanings as the guide lists them; none of them is an HTTP meaning."""


@dataclass(frozen=True)
class Problem:
    """One entry of `responses`: the code, the parameter at fault if there is one, and what is wrong."""

    code: int
    key: str = ""
    message: str = ""


class Refusal(Exception):
    """Raised by a function to answer with errors; several at once are possible (inferred: `responses` is a list)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


def refuse(code: int, key: str = "", message: str = "") -> Refusal:
    """Return a refusal with one problem; the guide's own sentence if no message is given."""
    return Refusal([Problem(code, key, message or MESSAGES[code])])


class Validated(Exception):
    """Raised once everything is checked and `validation=1` was given: nothing is done."""


@dataclass(frozen=True)
class Answer:
    """What a function answers: problems or one success, data if there is some, or a file without envelope."""

    problems: tuple[Problem, ...]
    data: object = None
    plain: bytes | None = None

    def to_response(self, *, integer_codes: bool = False, mirror_status: bool = False) -> Response:
        """Return the answer over HTTP.

        The status is 200 whatever the code says (inferred: the guide names none and speaks of codes only), or the
        first code if `mirror_status`. Codes are strings as on the seed page, or integers as one operator's copy
        shows if `integer_codes`.
        """
        if self.plain is not None:
            return Response(self.plain, media_type="application/octet-stream")
        responses = [
            {
                "code": problem.code if integer_codes else str(problem.code),
                "key": problem.key,
                "message": problem.message,
            }
            for problem in self.problems
        ]
        envelope: dict[str, object] = {"responses": responses}
        if self.data is not None:
            envelope["data"] = self.data
        # 204 forbids a body, so a mirrored one stays 200
        code = self.problems[0].code
        status = code if mirror_status and code != 204 else 200
        return Response(json.dumps(envelope, default=_text), status, media_type="application/json")


def ok(data: object) -> Answer:
    """Answer code 200 with data."""
    return Answer((Problem(200, message=MESSAGES[200]),), data)


def created(identifier: object) -> Answer:
    """Answer code 200 with `data.id`."""
    return ok({"id": identifier})


def done() -> Answer:
    """Answer code 204: success, nothing to return."""
    return Answer((Problem(204, message=MESSAGES[204]),))


def validated() -> Answer:
    """Answer code 201: the input passed validation and nothing was done."""
    return Answer((Problem(201, message=MESSAGES[201]),))


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:.2f}" if value == value.quantize(Decimal("0.01")) else str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
