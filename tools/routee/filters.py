"""Conditions of Routee's searches: the body is an array of them, never one object (documented for messages)."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from tools.routee.field_types import without_description

F = TypeVar("F", bound=str)

Operator = Literal["is", "is_not", "contains", "starts_with", "ends_with"]


class Filter(BaseModel, Generic[F]):
    """One condition; all of them have to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=without_description)

    field: F
    term: str
    operator: Operator = "is"

    def to_wire(self) -> dict[str, str]:
        """Return the condition in Routee's form."""
        return {"fieldName": self.field, "searchTerm": self.term, "searchOperator": self.operator}
