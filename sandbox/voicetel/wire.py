"""VoiceTel's envelopes: `{"status":"success","data":…}`, `{"status":"error","error":{…}}` and their exceptions."""

from collections.abc import Mapping

from sandbox.frame import wire
from sandbox.frame.wire import Answer, encode


class Refusal(wire.Refusal):
    """Raised by an operation to answer with an error.

    `error` adds members beside code and message (recovery 400 adds `requirement`), `beside` adds members beside
    `error` (ACL 409 adds `data`, auth 409 adds `updated` and `errors`).
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error: Mapping[str, object] | None = None,
        beside: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        described = {"code": status, "message": message, **(error or {})}
        body = encode({"status": "error", "error": described, **(beside or {})})
        super().__init__(Answer(status, body, headers or {}))


def success(data: Mapping[str, object] | None = None, /, **members: object) -> Answer:
    """Put the success envelope around `data` or its members; money in it becomes a JSON number, as in the schemas."""
    return Answer(200, encode({"status": "success", "data": data or members}))


def created(**members: object) -> Answer:
    """Put the success envelope around the members of `data`, with 201."""
    return Answer(201, encode({"status": "success", "data": members}))


def no_content() -> Answer:
    """Answer 204 without a body, as most deletes do."""
    return Answer(204)
