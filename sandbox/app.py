"""One ASGI application that holds every simulated provider and its controls."""

from collections.abc import Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.clock import Clock
from sandbox.control import Parts
from sandbox.convirza.provider import Convirza
from sandbox.enswitch.provider import Enswitch
from sandbox.faults import FaultBoard
from sandbox.ledger import Ledger
from sandbox.provider import Provider, ProviderFactory, Surroundings
from sandbox.recorder import Recorder
from sandbox.request_log import RequestLog
from sandbox.routee.provider import Routee
from sandbox.voicetel.provider import VoiceTel

PROVIDERS: tuple[ProviderFactory, ...] = (VoiceTel, Routee, Convirza, Enswitch)
"""Every simulated provider, in the order of the README."""


class Sandbox(Starlette):
    """The application; several may run in one process, since nothing is kept outside it."""

    def __init__(self, start: datetime | None, factories: Sequence[ProviderFactory]) -> None:
        clock = Clock(start)
        surroundings = Surroundings(clock, Ledger(clock))
        self.providers: dict[str, Provider] = {}
        for make in factories:
            provider = make(surroundings)
            if provider.name in self.providers:
                raise ValueError(f"two simulated providers are named {provider.name}")
            self.providers[provider.name] = provider
        self.faults = FaultBoard()
        log = RequestLog()
        parts = Parts(clock, surroundings.ledger, log, self.faults, self.providers)
        mounts = [
            Mount(f"/{provider.name}", Recorder(provider, clock, log, self.faults))
            for provider in self.providers.values()
        ]
        super().__init__(routes=[Mount("/_control", routes=parts.routes()), *mounts])


def create_sandbox(*, start: datetime | None = None, providers: Sequence[ProviderFactory] = PROVIDERS) -> Sandbox:
    """Build a sandbox in its seeded state.

    Each provider answers under `/<name>`, the controls under `/_control`. With `start` the sandbox clock stands
    still at that instant until it is advanced; without it, it follows the wall clock.
    """
    return Sandbox(start, providers)
