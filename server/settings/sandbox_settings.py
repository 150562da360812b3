"""Settings that point at the simulated providers instead of the real ones."""

from dataclasses import replace
from typing import Any

from clients.settings import AccountSettings
from sandbox.accounts import COUNTRIES, other_accounts, simulated_accounts
from server.settings.errors import BadSettings
from server.settings.model import PROVIDER, Settings
from server.settings.rules import DestinationSettings
from tools.registry import provider_named, provider_names


def for_sandbox(settings: Settings, url: str) -> Settings:
    """Return the settings with every simulated provider at `url`, and a store of its own."""
    accounts = {
        **sandbox_accounts(url),
        "accounts": _simulated_named(settings, url),
    }
    return in_sandbox_store(settings).model_copy(
        update={**accounts, "destinations": _with_simulated_countries(settings.destinations)}
    )


def in_sandbox_store(settings: Settings) -> Settings:
    """Return the settings with the store of sandbox sessions."""
    changed = settings.model_copy(update=sandbox_store(settings))
    return changed.printing_commands(replace(settings.commands, is_sandbox=True))


def sandbox_accounts(url: str) -> dict[str, AccountSettings]:
    """Return the seeded account of every simulated provider that is installed."""
    return {
        name: provider_named(name).settings.model_validate(account)
        for name, account in simulated_accounts(url).items()
        if name in provider_names()
    }


def _simulated_named(settings: Settings, url: str) -> dict[str, AccountSettings]:
    """Return a simulated account in place of each that the settings name: the other one that its provider has there.

    Raises:
        BadSettings: A provider has more accounts than the sandbox has.
    """
    found: dict[str, AccountSettings] = {}
    taken: dict[str, str] = {}
    for name in settings.accounts:
        provider = settings.provider_of(name)
        if name == provider:
            continue
        if provider in taken:
            raise BadSettings(
                f"The sandbox has two accounts of {provider}: {provider} and {taken[provider]}. Leave {name} out to "
                "try the others."
            )
        simulated = other_accounts(url).get(provider)
        if simulated is not None:
            taken[provider] = name
            found[name] = type(settings.accounts[name]).model_validate({PROVIDER: provider, **simulated})
    return found


def sandbox_store(settings: Settings) -> dict[str, Any]:
    """Return the settings of the store for sandbox sessions: never the store that records real money.

    Raises:
        BadSettings: The sandbox's folder is a link to the folder of that store.
    """
    folder = settings.state_folder / "sandbox"
    if folder.resolve() == settings.state_folder.resolve():
        raise BadSettings(f"{folder} leads to the real store; the sandbox needs a folder of its own.")
    return {"state_folder": folder, "store_url": None, "state_key": None}


def _with_simulated_countries(destinations: DestinationSettings) -> DestinationSettings:
    """Add the countries of the seeded people, unless the operator set a list: it can then be tried."""
    if "countries" in destinations.model_fields_set:
        return destinations
    return destinations.model_copy(update={"countries": sorted({*destinations.countries, *COUNTRIES})})
