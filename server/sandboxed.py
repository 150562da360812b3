"""Settings that point at the simulated providers instead of the real ones."""

from typing import Any

from pydantic import SecretStr

from sandbox.voicetel import seed as voicetel
from server.settings import Settings, VoiceTelSettings


def sandboxed(settings: Settings, url: str) -> Settings:
    """The same settings, with every provider simulated at `url`, and a store of its own."""
    simulated: dict[str, Any] = {
        "voicetel": VoiceTelSettings(
            api_key=SecretStr(voicetel.API_KEY),
            username=voicetel.USERNAME,
            password=SecretStr(voicetel.PASSWORD),
            base_url=f"{url}/voicetel",
        ),
    }
    return settings.model_copy(update={**simulated, **sandbox_store(settings)})


def sandbox_store(settings: Settings) -> dict[str, Any]:
    """Where the record of sandbox sessions lies: never in the record of real money."""
    return {"state_folder": settings.state_folder / "sandbox", "store_url": None}
