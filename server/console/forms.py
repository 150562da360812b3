"""Reads a posted form: URL-encoded, small, each field once."""

from typing import Final, cast
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

from server.console.middleware import LARGEST_FORM

MOST_FIELDS: Final = 40
"""The form that answers several calls together names up to thirty of them; no other has more than eleven fields."""


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a posted form, once; a second reader gets the same fields.

    Raises:
        HTTPException: It is too large (413) or not a form of this page (400).
    """
    if (known := getattr(request.state, "form", None)) is not None:
        return cast("dict[str, str]", known)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413, "The form is too large.")
    try:
        fields = parse_qs(
            body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS
        )
    except ValueError as misfit:
        raise HTTPException(400, "The form cannot be read.") from misfit
    if any(len(values) > 1 for values in fields.values()):
        raise HTTPException(400, "The form cannot be read.")
    form = {name: values[0] for name, values in fields.items()}
    request.state.form = form
    return form
