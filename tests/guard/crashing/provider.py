"""The sandbox's controls, asked without an event loop: the process that forks must not have one."""

import json
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.guard.crashing.calls import Call, effects


class Provider:
    """The simulated provider of a batch."""

    def __init__(self, url: str) -> None:
        self.voicetel = f"{url}/voicetel"
        address = urlsplit(url)
        self._host, self._port = str(address.hostname), int(address.port or 80)

    def reset(self) -> None:
        """Put everything back to the seed, so that what is counted belongs to one trial."""
        self._ask("POST", "reset")

    def hold_back(self, call: Call, *, in_effect: bool) -> None:
        """Keep the answer to the next request of this kind, or the request itself before it takes effect."""
        match = {"provider": "voicetel", "method": call.method, "path": f"{call.path}$"}
        self._ask("POST", "faults", {"kind": "hold", "before_effect": not in_effect, **match})

    def is_holding(self) -> bool:
        """Return True while a request is held."""
        return any(fault["waiting"] for fault in self._ask("GET", "faults"))

    def let_go(self) -> None:
        """Clear every fault, and wait until nothing that a killed process sent is still worked on."""
        self._ask("DELETE", "faults")
        while any(request["status"] is None for request in self._ask("GET", "requests")):
            time.sleep(0.005)

    def effects(self, call: Call) -> int:
        """How often it carried the call out since the last reset."""
        return effects(call, self._ask("GET", "requests"), self._ask("GET", "ledger"))

    def _ask(self, method: str, what: str, body: object = None) -> Any:
        connection = HTTPConnection(self._host, self._port, timeout=60)
        try:
            connection.request(method, f"/_control/{what}", json.dumps(body) if body is not None else None)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
