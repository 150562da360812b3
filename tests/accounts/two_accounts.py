"""Two VoiceTel accounts of one company, as the sandbox has them."""

from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from sandbox.voicetel import seed
from server.settings.model import Settings, settings_class
from tools.voicetel.settings import VoiceTelSettings

CLINIC: Final = "clinic"
OFFICE: Final = "voicetel"
"""The account that is named like its provider."""

OF_OFFICE: Final = "+12015550142"
OF_CLINIC: Final = "+12065550188"
"""A number of each."""


def two_accounts(folder: Path, voicetel_url: str, **more: Any) -> Settings:
    """Build the settings of two accounts of VoiceTel, with the store in a folder."""
    office = VoiceTelSettings(
        api_key=SecretStr(seed.API_KEY),
        base_url=voicetel_url,
        username=seed.USERNAME,
        password=SecretStr(seed.PASSWORD),
    )
    clinic = {
        "provider": "voicetel",
        "api_key": seed.OTHER_API_KEY,
        "base_url": voicetel_url,
        "username": seed.OTHER_USERNAME,
        "password": seed.OTHER_PASSWORD,
    }
    return settings_class().model_validate(
        {OFFICE: office, "accounts": {CLINIC: clinic}, "state_folder": folder, "toolsets": ["all"], **more}
    )
