"""Narrows the list of what waits: by who asks, by provider, by what a call does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from guard.messages import requester
from server.console.views import EFFECTS
from tools.registry import operation_named, provider_named, provider_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """By what one entry of the list can be found."""

    who: str
    providers: frozenset[str]
    effects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter, and its name for people."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of the list, with what can be chosen in it."""

    name: str
    label: str
    choices: tuple[Choice, ...]


def traits_of(who: str, operations: Iterable[str]) -> Traits:
    """Return the traits of a call, or of all calls of a plan."""
    found = [operation.spec for name in operations if (operation := operation_named(name))]
    effects = {effect.labels[0] for spec in found for effect in EFFECTS if effect in spec.effect}
    return Traits(who=who, providers=frozenset(spec.provider.name for spec in found), effects=frozenset(effects))


_LABELS: Final = {effect.labels[0]: words for effect, words in EFFECTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an operator wants to see; everything where a filter is empty."""

    who: str = ""
    provider: str = ""
    effect: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Wanted":
        """Read it from the parameters of an address."""
        return cls(**{name: parameters.get(name, "") for name in ("who", "provider", "effect")})

    @property
    def is_narrow(self) -> bool:
        """True if something is left out."""
        return bool(self.who or self.provider or self.effect)

    def fits(self, traits: Traits) -> bool:
        """Return True for an entry that is to be shown."""
        return (
            self.who in {"", traits.who}
            and (not self.provider or self.provider in traits.providers)
            and (not self.effect or self.effect in traits.effects)
        )

    def filters(self, found: Sequence[Traits]) -> list[Filter]:
        """Return the filters with the values that the entries have, and those that are chosen already."""
        people = {one.who: requester(one.who) for one in found} | {self.who: requester(self.who)}
        providers = {name for one in found for name in one.providers} | {self.provider}
        titles = {name: provider_named(name).title for name in provider_names() if name in providers}
        effects = {name for one in found for name in one.effects} | {self.effect}
        return [
            self._filter("who", "Who asks", people),
            self._filter("provider", "Provider", titles),
            self._filter("effect", "What it does", {name: words for name, words in _LABELS.items() if name in effects}),
        ]

    def _filter(self, name: str, label: str, labels: Mapping[str, str]) -> Filter:
        chosen: str = getattr(self, name)
        named = sorted((label, value) for value, label in labels.items() if value)
        return Filter(name, label, tuple(Choice(value, words, value == chosen) for words, value in named))
