"""A telephone number as an argument of a built-in tool."""

from typing import Annotated

import phonenumbers
from pydantic import AfterValidator


def _e164(value: str) -> str:
    text = value.strip()
    try:
        parsed = phonenumbers.parse(text, None if text.startswith("+") else "US")
    except phonenumbers.NumberParseException:
        raise ValueError("a telephone number is expected in E.164, such as +12015550123") from None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


AnyNumber = Annotated[str, AfterValidator(_e164)]
"""A number of any country, in E.164; ten digits without a country are read as a US number."""
