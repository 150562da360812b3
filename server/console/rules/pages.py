"""The page of the rules in force: each with the line or variable that sets it, and what they say of one tool."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clients.shared.clock import Clock
from guard.allowances.allowance import Allowance
from guard.allowances.wording import usage_line
from guard.messages import requester
from server.console.access import require_session
from server.console.login import SignIn
from server.console.rendering import Frame
from server.console.rules.explanation import NoSuchTool, explain_allowances, explain_tool
from server.console.sessions import Session
from server.console.urls import ROOT
from server.settings.explain import MEANING, RuleInForce, rules_in_force, where
from server.settings.lint import lint
from server.settings.model import Settings
from tools.registry import operation_named, provider_named

_SECTIONS: Final = (
    ("policy", "Who is asked", ("policy", "tighten", "approvals", "default_accounts")),
    ("money", "Money", ("budget", "prices")),
    ("reach", "Where messages and calls may go, and when", ("destinations", "compliance")),
    ("session", "What is offered at all", ("read_only",)),
)
"""Sections of the page: id, heading, and the first words of the rules in it."""

ALLOWANCES_LISTED: Final = 100

_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule, and where it is set."""

    rule: RuleInForce
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """Rules that belong together."""

    id: str
    heading: str
    rules: tuple[RuleView, ...]


@dataclass(frozen=True, slots=True)
class RulePages:
    """The handlers of the rules."""

    frame: Frame
    login: SignIn
    clock: Clock
    settings: Settings

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [Route(f"{ROOT}/rules", self.rules)]

    @require_session
    async def rules(self, request: Request, session: Session) -> Response:
        """Show every rule in force; where the address names a tool, also what happens when it is called."""
        settings, tool = self.settings, request.query_params.get("tool", "").strip()[:_LONGEST_NAME]
        lines, nearest = await self._explain(tool) if tool else ([], ())
        return await self.frame.show(
            "rules/overview.html",
            session,
            sections=list(_sections(settings)),
            meaning={decision.word: text for decision, text in MEANING.items()},
            file=str(settings.file) if settings.file else "",
            accounts=list(_accounts(settings)),
            notes=lint(settings),
            allowances=await self._allowances(),
            tool=tool,
            lines=lines,
            nearest=nearest,
        )

    async def _explain(self, tool: str) -> tuple[list[str], tuple[str, ...]]:
        """Return what happens when a tool is called, or the names of tools that are similar."""
        try:
            lines = explain_tool(tool, self.settings)
        except NoSuchTool as unknown:
            return [], unknown.nearest
        return [*lines, *await explain_allowances(tool, self.frame.store.allowances, self.clock.now())], ()

    async def _allowances(self) -> list[dict[str, object]]:
        book, now = self.frame.store.allowances, self.clock.now()
        found = [one for one in await book.latest(ALLOWANCES_LISTED) if one.stands(now)]
        usage = await book.usage(found, now)
        return [
            {
                "allowance": one,
                "title": _title(one),
                "who": requester(one.terms.principal),
                "used": usage_line(one, usage.get(one.id)),
            }
            for one in found
        ]


def _sections(settings: Settings) -> Iterable[SectionView]:
    found = [RuleView(rule=rule, where=where(rule, settings)) for rule in rules_in_force(settings)]
    for key, heading, words in _SECTIONS:
        rules = tuple(one for one in found if one.rule.name.split(".")[0].split(" ")[0] in words)
        if rules:
            yield SectionView(id=key, heading=heading, rules=rules)


def _accounts(settings: Settings) -> Iterable[tuple[str, str, str]]:
    """Yield the name of each account that is set up, its provider, and what sets it."""
    for name in settings.account_names:
        place = tuple(settings.key_of(name).split(".", 1))
        yield name, provider_named(settings.provider_of(name)).title, str(settings.where_set(place))


def _title(allowance: Allowance) -> str:
    operation = operation_named(allowance.terms.operation)
    return operation.spec.title if operation else allowance.terms.operation
