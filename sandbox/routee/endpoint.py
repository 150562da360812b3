"""How Routee's operations are declared, and what they see of a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.frame.endpoint import Endpoint
from sandbox.frame.inputs import Found
from sandbox.frame.wire import Answer
from sandbox.routee.application import Application
from sandbox.routee.state import State
from sandbox.routee.wire import refuse

# What method and path of an operation rest on, strongest first.
PAGE = "documented: official page and a second source"
SOURCES = "documented: several independent SDKs and the generated reference"
REFERENCE = "documented: the generated reference only"
SDK = "documented: one old SDK only"


@dataclass(frozen=True)
class Call:
    """One authenticated request as an operation sees it."""

    state: State
    application: Application
    path: Mapping[str, str]


@dataclass(frozen=True)
class Operation(Endpoint[Answer]):
    """One operation of the API, and what is known about it."""

    basis: str
    scope: str | None
    """The permission its token needs; names for numbers, pools and voice are not documented, so they need none."""
    paid: bool
    inferred: str
    """What of its request, answer or behaviour no document says."""

    def to_wire(self) -> dict[str, object]:
        """Return the operation as the description of the provider shows it."""
        shown = {"method": self.method, "path": self.path, "basis": self.basis}
        return {**shown, "paid": self.paid, "inferred": self.inferred}


def operation(
    method: str, path: str, basis: str, scope: str | None = None, *, paid: bool = False, inferred: str = ""
) -> Callable[[Callable[..., Answer]], Operation]:
    """Declare the function below as an operation."""
    return lambda handle: Operation(method, path, handle, basis, scope, paid, inferred)


def in_path(table: str, code: str, message: str, *, status: int | None = None) -> Found:
    """Look up what the first parameter of the path names, in a table of the state such as `pools`.

    The refusal has `code` and `message`, and the HTTP status of the code unless `status` says otherwise.
    """

    def look_up(call: Call) -> object:
        found: object = getattr(call.state, table).get(next(iter(call.path.values())))
        if found is None:
            raise refuse(code, message, status=status)
        return found

    return Found(look_up)
