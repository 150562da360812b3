"""Asks for the accounts at the providers: whatever each one's settings say that a login needs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from clients.descriptions import field_descriptions
from clients.settings import AccountSettings
from server.cli.init.questions import NotAnAnswer, Questions, reason_of
from server.cli.terminal import console, fail, plain
from server.settings.keys import variable_of
from server.settings.model import Settings
from tools.registry import nearest, provider_named, provider_names

ALL: Final = "all"


def choose_providers(questions: Questions, settings: Settings, given: list[str]) -> list[str]:
    """Return the providers to set up. Those that are set up already need no answer."""
    if given:
        try:
            return _read_names(",".join(given))
        except NotAnAnswer as wrong:
            fail(f"--provider: {wrong} Nothing was changed.")
    for name in settings.set_up:
        console.print(plain(f"{provider_named(name).title} is set up already."))
    rest = [name for name in provider_names() if name not in settings.set_up]
    if not rest or not questions.has_terminal:
        return []
    titles = ", ".join(rest)
    default = "none" if settings.set_up else ""
    question = f"Which providers do you use? Names, separated by commas: {titles}"
    return questions.text(question, _read_names, given=None, default=default, option="--provider")


def ask_account(questions: Questions, name: str, settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of an account that are not set yet, with their values; exits with 2 if there are none to have."""
    declared = provider_named(name).settings
    known = settings.account(name)
    values = {key: text for key in known.model_fields_set if (text := known.value_of(key))}
    new: dict[str, str] = {}
    for key, value in given.items():
        _require_plain_key(declared, name, key)
        new[key] = _checked(declared, key, value, values | new, option=f"--set {name}.{key}")
    while missing := declared.model_validate(values | new).missing:
        key = missing[0]
        new[key] = _ask(questions, name, declared, key, values | new)
    return new


def is_secret(declared: type[AccountSettings], key: str) -> bool:
    """Return True for a key whose value nobody may see."""
    return any(kind is SecretStr for kind in _kinds(declared.model_fields[key].annotation))


def _ask(questions: Questions, name: str, declared: type[AccountSettings], key: str, values: Mapping[str, str]) -> str:
    described = field_descriptions(declared).get(key, key).splitlines()[0].partition(". ")[0].rstrip(".")
    question = f"{provider_named(name).title}, {key}: {described}"

    def read(answer: str) -> str:
        if not answer.strip():
            raise NotAnAnswer("A value is needed.")
        try:
            declared.model_validate({**values, key: answer})
        except ValidationError as misfit:
            raise NotAnAnswer(reason_of(misfit)) from misfit
        return answer

    if is_secret(declared, key):
        return questions.secret(question, read, variable=variable_of(f"{name}.{key}"))
    return questions.text(question, read, given=None, default="", option=f"--set {name}.{key}=…")


def _checked(declared: type[AccountSettings], key: str, value: str, values: Mapping[str, str], *, option: str) -> str:
    try:
        declared.model_validate({**values, key: value})
    except ValidationError as misfit:
        fail(f"{option}: {reason_of(misfit)} Nothing was changed.")
    return value


def _require_plain_key(declared: type[AccountSettings], name: str, key: str) -> None:
    if key not in declared.model_fields:
        close = nearest(key, declared.model_fields)
        fail(f"--set {name}.{key}: there is no such key{f'; did you mean {close[0]}?' if close else '.'}")
    if is_secret(declared, key):
        fail(
            f"--set {name}.{key}: a secret is never an option, because other users see the options of a program. "
            f"Set {variable_of(f'{name}.{key}')}, or type it when it is asked for. Change this one now: it was seen."
        )


def _read_names(text: str) -> list[str]:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words in (["none"], []):
        return []
    if words == [ALL]:
        return list(provider_names())
    for word in words:
        if word not in provider_names():
            raise NotAnAnswer(f"{word} is no provider; there are {', '.join(provider_names())}.")
    return list(dict.fromkeys(words))


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield a type and every type in it, such as those of an optional, annotated secret."""
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _kinds(part)
    if origin := getattr(annotation, "__origin__", None):
        yield from _kinds(origin)
