"""Every operation of the simulated Routee, with what it rests on.

The order within a path matters only where a literal segment competes with a parameter: the literal comes first.
"""

from sandbox.routee import account_catalog, messaging_catalog, voice_catalog
from sandbox.routee.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *messaging_catalog.ENDPOINTS,
    *voice_catalog.ENDPOINTS,
    *account_catalog.ENDPOINTS,
)
