"""The HTTP request for one call, built from its operation without sending anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from clients.errors import InvalidRequest
from clients.fields import WIRE
from clients.operation import Operation
from clients.shared.methods import Method
from clients.spec import Carrier, placeholders
from clients.wire.corrections import AS_DECLARED, Correction


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, not sent yet. `query` and `body` are in the provider's own form."""

    method: Method
    path: str
    query: Mapping[str, Any]
    body: Any
    carrier: Carrier


def build_request(operation: Operation[Any], correction: Correction = AS_DECLARED) -> Request:
    """Build the request for one call, as declared or as the operator corrected its endpoint; pure.

    Raises:
        InvalidRequest: A value would make the path that of something else.
    """
    spec = operation.spec
    template = correction.path or spec.path
    names = placeholders(template)
    values = operation.model_dump(mode="json", include=set(names), context=WIRE) if names else {}
    filled = template.format(**{name: _path_part(name, values[name]) for name in names})
    carrier = correction.carrier(spec)
    in_query = carrier == "query"
    array = operation.to_array()
    body = array if array is not None else None if in_query else operation.to_wire() or None
    return Request(
        method=correction.method or spec.method,
        path=filled,
        query=correction.rename_request(operation.to_wire() if in_query else operation.to_query()),
        body=correction.rename_request(body),
        carrier=carrier,
    )


def _path_part(name: str, value: Any) -> str:
    """One segment, percent-encoded. A dot segment cannot be encoded: every reader resolves %2E%2E as well."""
    text = str(value)
    if value is None or text in {"", ".", ".."}:
        raise InvalidRequest(f"{name}: {text!r} cannot be part of an address; nothing was sent.", status=0)
    return quote(text, safe="")
