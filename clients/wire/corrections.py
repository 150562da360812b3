"""What the operator corrects of an endpoint whose declaration is not documented.

A correction belongs to an endpoint, not to one operation: every call that is declared for the same method and path is
sent and read by it, also the reads that the guard makes by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from clients.shared.methods import Method
from clients.spec import Carrier, Spec


class Endpoint(NamedTuple):
    """A provider's endpoint as its operations declare it."""

    provider: str
    method: Method
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is different at the provider from what is declared; whatever is left out is as declared."""

    method: Method | None = None
    path: str | None = None

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names of the request's fields, in its query or body at any depth, by their declared names on the wire."""

    answer_fields: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names of the answer's fields, at any depth, by their declared names on the wire."""

    def carrier(self, spec: Spec) -> Carrier:
        """How arguments travel: as declared, or as the corrected method carries them."""
        if self.method is None or self.method == spec.method:
            return spec.carrier
        if self.method in {"GET", "DELETE"}:
            return "query"
        return spec.provider.write_carrier if spec.carrier == "query" else spec.carrier

    def rename_request(self, content: Any) -> Any:
        """Return what is sent, with the provider's names."""
        return _renamed(content, self.fields)

    def rename_answer(self, content: Any) -> Any:
        """Return what was answered, with the declared names."""
        return _renamed(content, {real: declared for declared, real in self.answer_fields.items()})


Corrections = Mapping[Endpoint, Correction]

AS_DECLARED = Correction()


def endpoint_of(spec: Spec) -> Endpoint:
    """Return the endpoint that an operation is declared for."""
    return Endpoint(spec.provider.name, spec.method, spec.path)


def _renamed(content: Any, names: Mapping[str, str]) -> Any:
    if not names:
        return content
    if isinstance(content, Mapping):
        return {
            names.get(key, key): _renamed(value, names) for key, value in cast("Mapping[str, Any]", content).items()
        }
    if isinstance(content, list):
        return [_renamed(item, names) for item in cast("list[object]", content)]
    return content
