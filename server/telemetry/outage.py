"""Says once that the collector takes nothing, and once that it takes everything again; libraries say it each time."""

import logging
import threading
from typing import Final

logger = logging.getLogger(__name__)

_LIBRARY: Final = "opentelemetry"


class Outage:
    """Whether the collector takes what it is sent."""

    def __init__(self, endpoint: str, doctor: str) -> None:
        """`doctor` is the command that says why it does not."""
        self._endpoint = endpoint
        self._doctor = doctor
        self._is_away = False
        self._noting = threading.Lock()
        # Where the collector is away, it writes a line for each attempt, with what the attempt raised.
        logging.getLogger(_LIBRARY).setLevel(logging.CRITICAL)

    def note(self, *, is_taken: bool) -> None:
        """Note whether something was taken; one line for each change."""
        with self._noting:
            if is_taken is not self._is_away:
                return
            self._is_away = not is_taken
        if is_taken:
            logger.warning("The collector at %s takes spans and measurements again.", self._endpoint)
        else:
            logger.warning(
                "The collector at %s takes nothing; what is recorded meanwhile is lost, and nothing waits for it. "
                "`%s` says why.",
                self._endpoint,
                self._doctor,
            )
