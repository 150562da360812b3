"""The description of an operation as a tool."""

from clients.descriptions import rule_descriptions
from clients.effects import Effect
from clients.operation import OperationType
from clients.spec import Spec


def tool_description(operation: OperationType) -> str:
    """Describe what the operation does, which arguments go together, and whether it is inferred or needs approval."""
    spec = operation.spec
    text = " ".join([*(operation.__doc__ or "").split(), *rule_descriptions(operation)])
    if spec.admin_only:
        text += " Administrators only."
    grades = dict(spec.basis.parts())
    if unseen := [part for part in ("path", "request") if grades[part] == "inferred"]:
        text += f" Inferred: no public document shows its {' or '.join(unseen)}."
    if spec.irreversible:
        text += " Only the operator can approve it."
    elif spec.effect.is_guarded:
        text += " Needs approval."
    return text


def changes_nothing_twice(spec: Spec) -> bool:
    """Return True where a repeated call changes nothing more. A repeated paid call costs twice."""
    return spec.effect.is_plain_read or (spec.method in {"PUT", "DELETE"} and Effect.PAID not in spec.effect)
