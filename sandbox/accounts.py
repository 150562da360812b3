"""The seeded account of every simulated provider, as the settings of a client that logs in to it."""

from collections.abc import Mapping
from typing import Final

from sandbox.convirza import seed as convirza
from sandbox.enswitch import seed as enswitch
from sandbox.routee import seed as routee
from sandbox.voicetel import seed as voicetel

ENSWITCH_OWNER: Final = "pinecrest.root"
"""The seeded system owner, so that every function can be tried."""

ENSWITCH_OTHER: Final = "northgate.admin"
"""The administrator of another customer than Bluewater."""

COUNTRIES: Final = ("DE", "ES", "GB", "GR")
"""Where the seeded people of the simulated Routee live."""


def simulated_accounts(url: str) -> Mapping[str, Mapping[str, str]]:
    """Return the settings, by provider, of Bluewater's accounts at the sandbox that answers at `url`."""
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


def other_accounts(url: str) -> Mapping[str, Mapping[str, str]]:
    """Return the settings, by provider, of Northgate's accounts, which have money and numbers of their own."""
    return {
        "voicetel": {
            "api_key": voicetel.OTHER_API_KEY,
            "username": voicetel.OTHER_USERNAME,
            "password": voicetel.OTHER_PASSWORD,
            "base_url": f"{url}/voicetel",
        },
        "routee": {
            "application_id": routee.OTHER_APPLICATION.id,
            "application_secret": routee.OTHER_APPLICATION.secret,
            "base_url": f"{url}/routee",
            "auth_url": f"{url}/routee",
        },
        "convirza": {
            "email": convirza.OTHER_EMAIL,
            "password": convirza.OTHER_PASSWORD,
            "base_url": f"{url}/convirza",
            "oauth_url": f"{url}/convirza",
            "webhook_token": "northgate-hooks-77a0",
        },
        "enswitch": {
            "username": ENSWITCH_OTHER,
            "password": enswitch.password_of(ENSWITCH_OTHER),
            "base_url": f"{url}/enswitch",
        },
    }
