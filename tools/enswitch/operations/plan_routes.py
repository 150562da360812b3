"""Enswitch plan routes: which called prefixes a rate plan forbids, allows, or sends to which peer.

Rests on the page of plans/routes/create and on those of its siblings in guides 3.13 to 4.4. Up to 4.0 a route is named
by plan, prefix and media, from 4.1 on by an id; `route` holds either, and the client writes what its version knows.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from clients.effects import Effect
from clients.fields import LooseText
from clients.grades import Grades
from clients.operation import (
    UNREAD,
    ChangesSomething,
    Operation,
    Undo,
    Verification,
    put_back,
    verify_addition,
    verify_removal,
)
from tools.enswitch.client import COLUMNS_INFERRED, enswitch
from tools.enswitch.field_types import AS_TEXT, Allow, AnyPrefix, Id, Limit, Media, Prefix, Text
from tools.enswitch.groups import Accepted, Descending, DryRun, Paged
from tools.enswitch.internal_reads import CalledPrefix, FindPlanRoute, PlanRoute, PlanRoutes
from tools.enswitch.updates import ONLY_CHECKED, restore_settings, verify_settings
from tools.enswitch.versions import Formerly, NamesPlanRoute, Since

RENAMED: Final = (4, 1)

RouteName = Annotated[str, Field(pattern=r"^[0-9]+(/\+?[0-9*#]*/(fax|voice|voice_fax))?$"), AS_TEXT, NamesPlanRoute()]
CallerPrefix = Annotated[AnyPrefix | None, Since(RENAMED)]

UNNAMED: Final = "Its id is not known, because no answer came; enswitch_list_plan_routes shows it."
OPENS: Final = "Plan routes decide which destinations may be called: a wide prefix opens premium numbers too."


@enswitch.function(
    "plans/routes/list",
    effect=Effect.READ,
    toolset="plans",
    basis=COLUMNS_INFERRED,
    synonyms=("dial plan", "prefixes", "allowed destinations", "forbidden", "blocked", "international"),
)
class ListPlanRoutes(Paged, Descending, Operation[PlanRoutes]):
    """List a rate plan's routes: what each called prefix is allowed and where it goes."""

    plan: Id
    """From enswitch_list_plans."""

    called_prefix: Annotated[Prefix | None, Formerly("prefix", until=RENAMED)] = None
    """Only this called prefix."""

    caller_prefix: CallerPrefix = None
    """Only this caller prefix."""

    media: Media | None = None
    """Only this media."""

    sort: Annotated[Literal["allow", "called_prefix", "caller_prefix", "media"] | None, Since(RENAMED)] = None
    """Column to sort by."""


@enswitch.function(
    "plans/routes/get",
    effect=Effect.READ,
    toolset="plans",
    basis=COLUMNS_INFERRED,
    synonyms=("show", "details", "prefix"),
)
class GetPlanRoute(Operation[PlanRoute]):
    """Show one route of a rate plan."""

    route: RouteName = Field(serialization_alias="id")
    """From enswitch_list_plan_routes."""


class CreatedPlanRoute(Accepted):
    """A route that was made. Before 4.1 Enswitch does not name it."""

    route: LooseText | None = Field(default=None, alias="id")


@enswitch.function(
    "plans/routes/create",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Add a route to plan {plan}: {allow} calls to {called_prefix}",
    toolset="plans",
    synonyms=("allow", "forbid", "block", "prefix", "dial plan", "international", "premium"),
)
class CreatePlanRoute(DryRun, Operation[CreatedPlanRoute]):
    """Add a route to a rate plan: forbid, allow or steer calls to a prefix, for every customer on the plan."""

    called_prefix: CalledPrefix
    """Called prefix to match."""

    plan: Id
    """From enswitch_list_plans."""

    allow: Allow = "allow"
    """Whether calls are allowed, always or by time group."""

    caller_prefix: CallerPrefix = None
    """Caller ID prefix to match; any if left out."""

    description: Text | None = None
    """Description."""

    media: Media = "voice_fax"
    """Media type."""

    peer1: Limit | None = None
    """First peer; 0 default, -1 least cost."""

    peer2: Limit | None = None
    """Second; 0 none, -1 least cost."""

    peer3: Limit | None = None
    """Third; 0 none, -1 least cost."""

    def warnings(self) -> tuple[str, ...]:
        return () if self.allow == "forbid" else (OPENS,)

    def before(self) -> FindPlanRoute:
        kept = {name: getattr(self, name) for name in FindPlanRoute.model_fields}
        return FindPlanRoute.model_validate(kept)

    def verification(self, sent_at: datetime) -> Verification[PlanRoute] | None:
        return None if self.dry_run else verify_addition(self.before())

    def undo(self, before: Any, answer: Any) -> Undo:
        """Up to 4.0 the answer names no route, but plan, prefix and media do."""
        if self.dry_run:
            return ONLY_CHECKED
        if not isinstance(answer, CreatedPlanRoute):
            return Undo(verdict="none", lost=UNNAMED)
        return put_back(DeletePlanRoute, route=answer.route or f"{self.plan}/{self.called_prefix}/{self.media}")


@enswitch.function(
    "plans/routes/update",
    effect=Effect.REROUTES | Effect.PRIVILEGED,
    subject="Change {settings} of plan route {route}",
    toolset="plans",
    synonyms=("change", "allow", "forbid", "peer", "steer"),
)
class UpdatePlanRoute(DryRun, ChangesSomething, Operation[Accepted]):
    """Change a route of a rate plan, for every customer on it; what is left out stays."""

    route: RouteName = Field(serialization_alias="id")
    """From enswitch_list_plan_routes."""

    allow: Allow | None = None
    """Whether calls are allowed, always or by time group."""

    called_prefix: Annotated[Prefix | None, Since(RENAMED)] = None
    """New called prefix."""

    caller_prefix: CallerPrefix = None
    """New caller ID prefix; empty for any."""

    description: Text | None = None
    """Description."""

    media: Annotated[Media | None, Since(RENAMED)] = None
    """Media type."""

    peer1: Limit | None = None
    """First peer; 0 default, -1 least cost."""

    peer2: Limit | None = None
    """Second; 0 none, -1 least cost."""

    peer3: Limit | None = None
    """Third; 0 none, -1 least cost."""

    def warnings(self) -> tuple[str, ...]:
        return () if self.allow == "forbid" else (OPENS,)

    def before(self) -> GetPlanRoute:
        return GetPlanRoute(route=self.route)

    def undo(self, before: Any, answer: Any) -> Undo:
        return restore_settings(self, before, "route")

    def verification(self, sent_at: datetime) -> Verification[Any] | None:
        return verify_settings(self, "route")


@enswitch.function(
    "plans/routes/delete",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES | Effect.PRIVILEGED,
    subject="Delete plan route {route}[, now {before.allow} for {before.called_prefix}]",
    toolset="plans",
    basis=Grades(request="inferred"),
    guide="4.0",
    synonyms=("remove", "unblock", "drop"),
)
class DeletePlanRoute(Operation[Accepted]):
    """Delete a route of a rate plan: what it forbade becomes possible."""

    route: RouteName = Field(serialization_alias="id")
    """From enswitch_list_plan_routes."""

    def before(self) -> GetPlanRoute:
        return GetPlanRoute(route=self.route)

    def verification(self, sent_at: datetime) -> Verification[PlanRoute]:
        return verify_removal(GetPlanRoute(route=self.route))

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, PlanRoute):
            return UNREAD
        kept = before.model_dump(exclude={"route"}, exclude_none=True)
        if not kept.get("caller_prefix"):
            kept.pop("caller_prefix", None)  # empty means any, which is what is left out too, also before 4.1
        return put_back(CreatePlanRoute, lost="It gets another id.", **kept)
