"""Settings that point at the simulated providers instead of the real ones."""

from typing import Any

from pydantic import SecretStr

from sandbox.convirza import seed as convirza
from sandbox.enswitch import seed as enswitch
from sandbox.routee import seed as routee
from sandbox.voicetel import seed as voicetel
from server.settings.accounts import (
    AccountSettings,
    ConvirzaSettings,
    EnswitchSettings,
    RouteeSettings,
    VoiceTelSettings,
)
from server.settings.model import Settings
from server.settings.rules import DestinationSettings

ENSWITCH_OWNER = "pinecrest.root"
"""The seeded system owner, so that every function can be tried."""


SIMULATED_COUNTRIES = ("DE", "ES", "GB", "GR")
"""Where the seeded people of the simulated Routee live."""


def for_sandbox(settings: Settings, url: str) -> Settings:
    """The same settings, with every provider simulated at `url`, and a store of its own."""
    return settings.model_copy(
        update={
            **simulated_accounts(url),
            **sandbox_store(settings),
            "destinations": _reaching_the_simulated(settings.destinations),
        }
    )


def _reaching_the_simulated(destinations: DestinationSettings) -> DestinationSettings:
    """The default countries and those of the seeded people; an operator's own list stays, so that it can be tried."""
    if "countries" in destinations.model_fields_set:
        return destinations
    return destinations.model_copy(update={"countries": sorted({*destinations.countries, *SIMULATED_COUNTRIES})})


def simulated_accounts(url: str) -> dict[str, AccountSettings]:
    """The seeded account of every simulated provider."""
    return {
        "voicetel": VoiceTelSettings(
            api_key=SecretStr(voicetel.API_KEY),
            username=voicetel.USERNAME,
            password=SecretStr(voicetel.PASSWORD),
            base_url=f"{url}/voicetel",
        ),
        "routee": RouteeSettings(
            application_id=routee.APPLICATION.id,
            application_secret=SecretStr(routee.APPLICATION.secret),
            base_url=f"{url}/routee",
            auth_url=f"{url}/routee",
        ),
        "convirza": ConvirzaSettings(
            email=convirza.ADMIN_EMAIL,
            password=SecretStr(convirza.PASSWORD),
            base_url=f"{url}/convirza",
            oauth_url=f"{url}/convirza",
            webhook_token=SecretStr("bluewater-hooks-5d1c"),
        ),
        "enswitch": EnswitchSettings(
            username=ENSWITCH_OWNER,
            password=SecretStr(enswitch.password_of(ENSWITCH_OWNER)),
            base_url=f"{url}/enswitch",
        ),
    }


def sandbox_store(settings: Settings) -> dict[str, Any]:
    """Where the record of sandbox sessions lies: never in the record of real money."""
    return {"state_folder": settings.state_folder / "sandbox", "store_url": None, "state_key": None}
