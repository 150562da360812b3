"""Terms of allowances that tests give, for texts through VoiceTel."""

import getpass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

SEND: Final = "voicetel_send_message"
SENDER: Final = "+12015550142"
OTHER_SENDER: Final = "+12125550145"
ME: Final = f"local:{getpass.getuser()}"
TO_NEW_YORK: Final = (f"from_number = {SENDER}", "to_number starts with +1917555", "text any")


def text(to: str = "+19175550100", words: str = "Your table is ready.", **more: Any) -> dict[str, Any]:
    """Return the arguments of a text message."""
    return {"from_number": SENDER, "to_number": to, "text": words, **more}


def options(
    *conditions: str, who: str = ME, count: str = "50/day", money: str | None = "1.00 USD/day", days: float = 3
) -> list[str]:
    """Return the options of `ringfence allowances add`."""
    where = [word for line in conditions or TO_NEW_YORK for word in ("--where", line)]
    limits = ["--count", count, *(["--money", money] if money else [])]
    until = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    return ["--for", who, *where, *limits, "--until", until]
