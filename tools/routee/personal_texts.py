"""Texts that name labels of contacts, which Routee fills in for each recipient.

How a label is written is not settled: Routee's reference has `[~{firstName}]`, its public clients and a recorded
callback have `[~firstName]`. What Routee does not take for a label goes out as it is written.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from pydantic import BaseModel

LabelForm = Literal["[~{label}]", "[~label]"]

_LABEL: Final = re.compile(r"\[~(?:\{(?P<braced>[^\][{}~]+)\}|(?P<plain>[^\][{}~]+))\]")

NOT_CERTAIN: Final = (
    "How Routee wants labels written is not certain: its reference has [~{label}], its public clients have [~label]. "
    "In the wrong form it goes out as it is written; try it with one recipient first. Once it is known, the operator "
    "sets routee.label_form, and the other form is refused."
)


class PersonalText(BaseModel):
    """A call whose texts may name labels."""

    def personal_texts(self) -> tuple[str, ...]:
        """Return the texts in which Routee fills in labels."""
        return ()


def labels_in(text: str) -> list[str]:
    """Return the names of the labels in a text, in either form."""
    return [name for name, _ in _labels(text)]


def label_warnings(*texts: str) -> tuple[str, ...]:
    """Return what labels in a text mean, in whichever form they are written."""
    if not any(labels_in(text) for text in texts):
        return ()
    return ("Labels make the text longer or shorter for each recipient, and so the price.", NOT_CERTAIN)


def fill_in(text: str, values: Mapping[str, object]) -> str:
    """Return the text as one recipient gets it; a label without a value leaves nothing (inferred)."""
    return _LABEL.sub(lambda found: str(values.get(found["braced"] or found["plain"], "")), text)


def misspelt(text: str, form: LabelForm) -> str | None:
    """Return the first label of a text that is not written in a form, as it should be; None if all are."""
    other = next((name for name, written in _labels(text) if written != form), None)
    return None if other is None else form.replace("label", other)


def _labels(text: str) -> Iterator[tuple[str, LabelForm]]:
    for found in _LABEL.finditer(text):
        if found["braced"]:
            yield found["braced"], "[~{label}]"
        else:
            yield found["plain"], "[~label]"
