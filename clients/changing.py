"""Updates, of which most providers accept one that changes nothing: a question to a person, and a call, for nothing."""

from typing import ClassVar, Self

from pydantic import BaseModel, model_validator


class Changing(BaseModel):
    """Mixed into an operation that changes what its required fields name: at least one other field must be given."""

    besides: ClassVar[frozenset[str]] = frozenset({"dry_run"})
    """Optional fields that are no settings."""

    @model_validator(mode="after")
    def _something_changes(self) -> Self:
        names = {name for name, field in type(self).model_fields.items() if field.is_required()}
        settings = type(self).model_fields.keys() - names - self.besides
        if all(getattr(self, name) in (None, {}) for name in settings):
            raise ValueError("nothing to change: give at least one setting" + _beside(names))
        return self


def _beside(names: set[str]) -> str:
    return f" besides {' and '.join(sorted(names))}" if names else ""
