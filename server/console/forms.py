"""Reads a posted form: URL-encoded, small, each field once."""

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

from server.console.middleware import LARGEST_FORM


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a posted form; the second time as they were read before.

    Raises:
        HTTPException: It is too large (413) or not a form of this page (400).
    """
    if not hasattr(request.state, "form"):
        request.state.form = await _read(request)
    form: dict[str, str] = request.state.form
    return form


async def _read(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413, "The form is too large.")
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=10)
    except ValueError as misfit:
        raise HTTPException(400, "The form cannot be read.") from misfit
    if any(len(values) > 1 for values in fields.values()):
        raise HTTPException(400, "The form cannot be read.")
    return {name: values[0] for name, values in fields.items()}
