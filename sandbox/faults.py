"""Faults that tests and the demo inject: slow, failing, lying and silent providers."""

import re
from collections.abc import Mapping
from enum import StrEnum
from itertools import count
from typing import Annotated, Self

import anyio
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


class FaultKind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    STATUS = "status"
    MALFORMED = "malformed"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    HOLD = "hold"


class MalformedShape(StrEnum):
    """How a malformed 200 is wrong: text that is no JSON, or JSON that is not what was documented, or nothing."""

    BROKEN_JSON = "broken_json"
    WRONG_SHAPE = "wrong_shape"
    EMPTY = "empty"
    EMPTY_OBJECT = "empty_object"
    ERROR_OBJECT = "error_object"
    PAGE = "page"


MALFORMED_BODIES: Mapping[MalformedShape, tuple[str, str]] = {
    MalformedShape.BROKEN_JSON: ('{"status": "success", "data": {"numb', "application/json"),
    MalformedShape.WRONG_SHAPE: ('{"surprise": ["not", "documented"]}', "application/json"),
    MalformedShape.EMPTY: ("", "application/json"),
    MalformedShape.EMPTY_OBJECT: ("{}", "application/json"),
    MalformedShape.ERROR_OBJECT: ('{"error": "try again later"}', "application/json"),
    MalformedShape.PAGE: ("<html><body>Please sign in to the network</body></html>", "text/html"),
}
"""Body and media type of each."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


class FaultOrder(BaseModel):
    """A fault as it is asked for at `POST /_control/faults`."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    provider: str | None = None
    """Only requests to this provider; any if left out."""
    method: Annotated[str, AfterValidator(str.upper)] | None = None
    """Only this HTTP method; any if left out."""
    path: Annotated[str, AfterValidator(_compiles)] = ""
    """A regular expression searched for in the path relative to the provider's mount."""
    times: int | None = Field(default=1, ge=1)
    """How many requests it hits; null means until it is deleted."""
    seconds: float = Field(default=0, ge=0)
    """`latency`: how long to wait, in real seconds."""
    status: int = Field(default=500, ge=400, le=599)
    """`status`: what to answer."""
    retry_after: int | None = Field(default=None, ge=0)
    """`status`: the Retry-After header in seconds; none if left out."""
    shape: MalformedShape = MalformedShape.BROKEN_JSON
    """`malformed`: which way it is wrong."""
    after_effect: bool = False
    """`latency`, `status`, `malformed`: let the request take effect first."""
    before_effect: bool = False
    """`hold`: keep the request before it takes effect, which it does once it is released, whether or not its client
    is still there. Without it, it is the answer that is kept."""

    @model_validator(mode="after")
    def _latency_has_a_length(self) -> Self:
        if self.kind is FaultKind.LATENCY and not self.seconds:
            raise ValueError("latency needs seconds")
        return self


class Fault:
    """A fault that is set: what was ordered, how often it may still strike, and the requests it keeps waiting."""

    def __init__(self, identifier: str, order: FaultOrder) -> None:
        self.identifier = identifier
        self.order = order
        self.struck = 0
        self.waiting = 0
        self.released = anyio.Event()

    def strikes(self, provider: str, method: str, path: str) -> bool:
        """Return True if this fault is meant for this request."""
        order = self.order
        return (
            (order.times is None or self.struck < order.times)
            and order.provider in {None, provider}
            and order.method in {None, method}
            and re.search(order.path, path) is not None
        )

    def to_wire(self) -> dict[str, object]:
        """Return the fault as `/_control/faults` shows it."""
        return {
            "id": self.identifier,
            **self.order.model_dump(mode="json"),
            "struck": self.struck,
            "waiting": self.waiting,
        }


class FaultBoard:
    """The faults that are set, in the order they were set; the first that matches strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._identifiers = count(1)

    def set(self, order: FaultOrder) -> Fault:
        """Add a fault."""
        fault = Fault(f"fault-{next(self._identifiers)}", order)
        self._faults.append(fault)
        return fault

    def take(self, provider: str, method: str, path: str) -> Fault | None:
        """Return the fault that strikes this request and count it as used; None if no fault does."""
        for fault in self._faults:
            if fault.strikes(provider, method, path):
                fault.struck += 1
                return fault
        return None

    def all(self) -> list[Fault]:
        """Return every fault, used up or not."""
        return list(self._faults)

    def clear(self) -> None:
        """Remove every fault and let go of every request that one of them keeps waiting."""
        for fault in self._faults:
            fault.released.set()
        self._faults.clear()
