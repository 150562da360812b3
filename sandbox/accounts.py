"""The seeded account of every simulated provider, as the settings of a client that logs in to it."""

from collections.abc import Mapping
from typing import Final

from sandbox.convirza import seed as convirza
from sandbox.enswitch import seed as enswitch
from sandbox.routee import seed as routee
from sandbox.voicetel import seed as voicetel

ENSWITCH_OWNER: Final = "pinecrest.root"
"""The seeded system owner, so that every function can be tried."""

COUNTRIES: Final = ("DE", "ES", "GB", "GR")
"""Where the seeded people of the simulated Routee live."""


def simulated_accounts(url: str) -> Mapping[str, Mapping[str, str]]:
    """Return the settings, by provider, for the sandbox that answers at `url`."""
    return {
        "voicetel": {
            "api_key": voicetel.API_KEY,
            "username": voicetel.USERNAME,
            "password": voicetel.PASSWORD,
            "base_url": f"{url}/voicetel",
        },
        "routee": {
            "application_id": routee.APPLICATION.id,
            "application_secret": routee.APPLICATION.secret,
            "base_url": f"{url}/routee",
            "auth_url": f"{url}/routee",
        },
        "convirza": {
            "email": convirza.ADMIN_EMAIL,
            "password": convirza.PASSWORD,
            "base_url": f"{url}/convirza",
            "oauth_url": f"{url}/convirza",
            "webhook_token": "bluewater-hooks-5d1c",
        },
        "enswitch": {
            "username": ENSWITCH_OWNER,
            "password": enswitch.password_of(ENSWITCH_OWNER),
            "base_url": f"{url}/enswitch",
        },
    }
