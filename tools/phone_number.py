"""A telephone number as an argument of a built-in tool."""

from typing import Annotated

from pydantic import AfterValidator

from clients.phone_numbers import TEN_DIGITS_ARE_OF, read_with_country_code, valid_form


def _e164(value: str) -> str:
    found = valid_form(value, TEN_DIGITS_ARE_OF) or read_with_country_code(value)
    if found is None:
        raise ValueError("a telephone number is expected in E.164, such as +12015550123")
    return found


AnyNumber = Annotated[str, AfterValidator(_e164)]
"""A number of any country, in E.164; ten digits without a country are read as a US number."""
