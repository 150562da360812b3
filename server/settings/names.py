"""Checks the names in the operator's rules: a rule for a name that does not exist guards nothing.

Operations are loaded only where rules name some, and only those of the named providers.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from string import Formatter
from typing import Final

from phonenumbers import SUPPORTED_REGIONS

from clients.effects import Effect
from clients.operation import OperationType
from guard.operators.roles import NAME
from server.settings.corrections import conflicts
from server.settings.model import Settings, TokenSettings
from server.settings.rules import DestinationSettings
from server.settings.toml_positions import Place
from tools.builtin_list import all_builtin_tools, builtin_info
from tools.registry import all_operations, nearest, operation_named, operations_of, provider_names
from tools.selection import ToolSelection, find_unknown_names
from tools.suggestions import nearest_tools, reads_of

EFFECTS = tuple(effect.labels[0] for effect in Effect)

BUILTIN_RULE: Mapping[bool, str] = {
    True: "it only reads, so it needs no approval",
    False: "the rules of what it calls decide",
}
"""Which rules apply to a built-in tool, by whether it only reads."""

UnknownName = tuple[Place, str]
"""The place of a key, and what is wrong with its name."""


def unknown_names(settings: Settings) -> Iterator[UnknownName]:
    """Yield every name in the rules that does not exist."""
    policy = settings.policy
    yield from _misnamed_accounts(settings)
    for account, rules in policy.accounts.items():
        yield from _check(("policy", "accounts", account, "toolsets"), rules.toolsets, unknown_toolset)
        yield from _check(("policy", "accounts", account, "operations"), rules.operations, unknown_tool)
    yield from _check(("policy", "providers"), policy.providers, unknown_provider)
    yield from _check(("policy", "toolsets"), policy.toolsets, unknown_toolset)
    for section, names in (
        (("policy", "operations"), policy.operations),
        (("prices",), settings.prices),
        (("paths",), settings.paths),
        (("corrections",), settings.corrections),
    ):
        yield from _check(section, names, unknown_tool)
    yield from _check(("tighten",), settings.tighten, unknown_to_tighten)
    for number, cap in enumerate(settings.budget):
        if cap.provider is not None and (wrong := unknown_provider(cap.provider)):
            yield ("budget", number, "provider"), wrong
    yield from _unknown_in_approval_rules(settings)
    yield from _unknown_accounts(settings)
    if wrong := _unknown_home(settings.destinations):
        yield ("destinations", "home"), wrong
    yield from _unfit_corrections(settings)


def unknown_selection_names(settings: Settings) -> Iterator[UnknownName]:
    """Yield every toolset or tool in the selection that does not exist."""
    builtin = [builtin_info(tool) for tool in all_builtin_tools()]
    for key, selection in (
        ("toolsets", ToolSelection(toolsets=tuple(settings.toolsets))),
        ("tools", ToolSelection(tools=tuple(settings.tools))),
        ("exclude_tools", ToolSelection(excluded=tuple(settings.exclude_tools))),
    ):
        wrong = dict(find_unknown_names(selection, builtin))
        names: list[str] = getattr(settings, key)
        yield from (((key, number), wrong[name]) for number, name in enumerate(names) if name in wrong)


def unknown_provider(name: str) -> str:
    """Return what is wrong with a provider's name; empty if it exists."""
    return "" if name in provider_names() else _unknown("provider", name, provider_names())


def unknown_toolset(name: str) -> str:
    """Return what is wrong with a toolset's name, `numbers` or `<provider>.numbers`; empty if it exists."""
    provider = name.partition(".")[0]
    candidates = operations_of(provider).values() if provider in provider_names() else all_operations().values()
    return "" if name in toolsets_of(candidates) else _unknown("toolset", name, toolsets_of(all_operations().values()))


def unknown_tool(name: str) -> str:
    """Return what is wrong with an operation's tool name; empty if it exists."""
    if operation_named(name):
        return ""
    builtin = builtin_tools_that_read()
    if name in builtin:
        return f"a built-in tool, not an operation: {BUILTIN_RULE[builtin[name]]}; an operation's name is expected"
    close = nearest_tools(name, reads_of(all_operations().values()))
    return f"there is no such tool{f'; did you mean {close[0]}?' if close else '.'}"


def builtin_tools_that_read() -> dict[str, bool]:
    """Return whether each built-in tool only reads, by name."""
    return {tool.name: tool.only_reads for tool in all_builtin_tools()}


def unknown_to_tighten(name: str) -> str:
    """Return what is wrong with a name to tighten; empty if it exists."""
    if name in EFFECTS or name in provider_names() or operation_named(name) or not unknown_toolset(name):
        return ""
    known = [*EFFECTS, *provider_names(), *toolsets_of(all_operations().values()), *all_operations()]
    allowed = (
        f"An effect ({', '.join(EFFECTS)}), a provider ({', '.join(provider_names())}), a toolset or a tool is expected"
    )
    return f"there is no such name{_close(name, known)} {allowed}"


def toolsets_of(operations: Iterable[OperationType]) -> list[str]:
    """Return every name of a toolset, alone and with its provider."""
    specs = [operation.spec for operation in operations]
    names = [name for spec in specs for name in (spec.toolset, f"{spec.provider.name}.{spec.toolset}")]
    return list(dict.fromkeys(names))


ACCOUNT_NAME: Final = r"(?=.{1,32}$)[a-z](?:[_-]?[a-z0-9])*"
"""The form of an account's name; the record keeps 32 characters of it."""


def _misnamed_accounts(settings: Settings) -> Iterator[UnknownName]:
    """Yield accounts whose name could not be told from another one."""
    for name in settings.accounts:
        provider = settings.provider_of(name)
        if not re.fullmatch(ACCOUNT_NAME, name):
            yield (
                ("accounts", name),
                "a lower-case word of 32 characters at most is expected, with digits, - or _ between: main-office",
            )
        elif name in provider_names() and name != provider:
            yield ("accounts", name), f"the account of {name} has this name; choose another for one of {provider}"
        elif name in provider_names() and getattr(settings, name).is_begun:
            yield ("accounts", name), f"[{name}] is this account already; choose another name for this one"


def _unknown_accounts(settings: Settings) -> Iterator[UnknownName]:
    """Yield names of accounts, and toolsets of tokens, that do not exist."""
    for place, name, provider in _named_accounts(settings):
        if wrong := _unknown_account(name, settings, provider):
            yield place, wrong
    for provider in settings.default_accounts:
        if wrong := unknown_provider(provider):
            yield ("default_accounts", provider), wrong
    for holder, token in settings.http.tokens.items():
        if isinstance(token, TokenSettings):
            yield from _unknown_toolsets(("http", "tokens", holder, "toolsets"), token.toolsets or ())


def _unknown_in_approval_rules(settings: Settings) -> Iterator[UnknownName]:
    """Yield names in the rules about approvals that do not exist; a rule for them would demand nothing."""
    for number, rule in enumerate(settings.approvals.rules):
        section = ("approvals", "rules", number)
        for key, names, wrong in (
            ("operators", rule.operators, _unfit_operator),
            ("providers", rule.providers, unknown_provider),
            ("toolsets", rule.toolsets, unknown_toolset),
            ("operations", rule.operations, unknown_tool),
        ):
            yield from (((*section, key, at), text) for at, name in enumerate(names) if (text := wrong(name)))
        if rule.operators and len(set(rule.operators)) < rule.people:
            yield (
                (*section, "people"),
                f"at most {len(set(rule.operators))}, as many as operators are named, is expected",
            )
    for holder, token in settings.http.tokens.items():
        if isinstance(token, TokenSettings) and token.owner is not None and (text := _unfit_operator(token.owner)):
            yield ("http", "tokens", holder, "owner"), text
    if (oauth := settings.http.oauth) is not None:
        for subject, name in oauth.owners.items():
            if text := _unfit_operator(name):
                yield ("http", "oauth", "owners", subject), text


def _unfit_operator(name: str) -> str:
    """Return what is wrong with the name of an operator; whether there is one, the store knows."""
    if NAME.fullmatch(name):
        return ""
    return "small letters, digits and . _ @ + - are expected, as in anna or anna@example.com"


def _named_accounts(settings: Settings) -> Iterator[tuple[Place, str, str | None]]:
    """Yield every place that names an account, with the name, and the provider at which it has to be, if at one."""
    for provider, name in settings.default_accounts.items():
        if provider in provider_names():
            yield ("default_accounts", provider), name, provider
    for name in settings.policy.accounts:
        yield ("policy", "accounts", name), name, None
    for tool, price in settings.prices.items():
        operation = operation_named(tool)
        provider_of_tool = operation.spec.provider.name if operation is not None else None
        yield from ((("prices", tool, "accounts", name), name, provider_of_tool) for name in price.accounts)
    for number, cap in enumerate(settings.budget):
        if cap.account is not None:
            yield ("budget", number, "account"), cap.account, cap.provider
    for number, rule in enumerate(settings.approvals.rules):
        yield from (
            (("approvals", "rules", number, "accounts", at), name, None) for at, name in enumerate(rule.accounts)
        )
    for holder, token in settings.http.tokens.items():
        if isinstance(token, TokenSettings):
            named = enumerate(token.accounts or ())
            yield from ((("http", "tokens", holder, "accounts", number), name, None) for number, name in named)


def _unknown_toolsets(place: Place, toolsets: Sequence[str]) -> Iterator[UnknownName]:
    builtin = [builtin_info(tool) for tool in all_builtin_tools()]
    wrong = dict(find_unknown_names(ToolSelection(toolsets=tuple(toolsets)), builtin))
    yield from (((*place, number), wrong[name]) for number, name in enumerate(toolsets) if name in wrong)


def _unknown_account(name: str, settings: Settings, provider: str | None = None) -> str:
    """Return what is wrong with the name of an account, at one provider if that is given; empty if it exists."""
    every = dict.fromkeys((*provider_names(), *settings.accounts))
    known = [one for one in every if provider in (None, settings.provider_of(one))]
    if name in known:
        return ""
    at = f" at {provider}" if provider is not None else ""
    close = nearest(name, known)
    hint = f"; did you mean {close[0]}?" if close else f". There are: {', '.join(known)}."
    return f"there is no account of this name{at}{hint}"


def _unknown_home(destinations: DestinationSettings) -> str:
    """Return what is wrong with the home country: for one that does not exist no emergency number is known."""
    if destinations.home == DestinationSettings.model_fields["home"].default:
        return ""
    if destinations.home in SUPPORTED_REGIONS:
        return ""
    return f"no telephone number belongs to {destinations.home}; the United Kingdom is GB, for one"


def _check(section: tuple[str, ...], names: Mapping[str, object], wrong: Callable[[str], str]) -> Iterator[UnknownName]:
    for name in names:
        if text := wrong(name):
            yield (*section, name), text


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    few = "" if len(known) > len(provider_names()) else f" There are: {', '.join(known)}."
    return f"there is no such {kind}{_close(name, known)}{few}"


def _close(name: str, known: Collection[str]) -> str:
    close = nearest(name, known)
    return f"; did you mean {close[0]}?" if close else "."


def _unfit_corrections(settings: Settings) -> Iterator[UnknownName]:
    paths: list[tuple[tuple[str, ...], str, str]] = [
        (("paths", tool), tool, path) for tool, path in settings.paths.items()
    ]
    paths += [
        (("corrections", tool, "path"), tool, correction.path)
        for tool, correction in settings.corrections.items()
        if correction.path is not None
    ]
    for key, tool, path in paths:
        operation = operation_named(tool)
        if operation is not None and (wrong := _unfit_path(operation, path)):
            yield key, wrong
    for tool, other in conflicts(settings):
        section = "corrections" if tool in settings.corrections else "paths"
        yield (
            (section, tool),
            f"one correction for an endpoint is expected, and {other}, of the same endpoint, is corrected otherwise",
        )


def _unfit_path(operation: OperationType, path: str) -> str:
    """Return what is wrong with a path: another host, or a lost placeholder, which would mean all instead of one."""
    if not re.fullmatch(r"/(?!/)[^\s?#]*", path):
        return "a path that begins with one / is expected, without ? and #"
    declared = operation.spec.path
    try:
        fits = _placeholders(path) == _placeholders(declared)
    except ValueError:
        fits = False
    return "" if fits else f"exactly the placeholders of {declared} are expected"


def _placeholders(path: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(path)} - {None}
