"""How VoiceTel's operations are declared, and what they see of a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.frame.endpoint import Endpoint
from sandbox.frame.wire import Answer
from sandbox.voicetel.state import Account, State


@dataclass(frozen=True)
class Call:
    """One authenticated request as an operation sees it."""

    state: State
    caller: Account | None
    path: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def account(self) -> Account:
        """The account that the bearer key belongs to."""
        if self.caller is None:
            raise RuntimeError("a public operation has no account")
        return self.caller


@dataclass(frozen=True)
class Operation(Endpoint[Answer]):
    """One operation of the API and who may call it."""

    public: bool = False
    """No bearer key is needed."""
    admin: bool = False
    """Refused with 403 unless the key is an administrator's."""
    limited: bool = False
    """Shares the bucket of six requests an hour for each client address."""


def operation(
    method: str, path: str, *, public: bool = False, admin: bool = False, limited: bool = False
) -> Callable[[Callable[..., Answer]], Operation]:
    """Declare the function below as an operation; `path` is relative to `/v2.2/`."""
    return lambda handle: Operation(method, f"/v2.2/{path}", handle, public, admin, limited)
