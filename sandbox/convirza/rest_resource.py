"""What list, get, create, replace, patch and delete mean for the things that are kept as they were sent."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, Literal, TypeVar

from sandbox.convirza.endpoint import Call
from sandbox.convirza.fields import PageQuery, UnitQuery, page
from sandbox.convirza.records import B, Item
from sandbox.convirza.state import State
from sandbox.convirza.wire import Answer, iso_ms
from sandbox.frame.wire import Wire

T = TypeVar("T", bound=Item[Any])


class Resource(ABC, Generic[T, B]):
    """One kind of thing; a subclass names it and overrides the hooks in which it differs."""

    name: str
    """In `Webhook not found.`."""
    plural: str
    """The name of the list in an answer."""
    key: str
    """The name of the identifier in an answer."""
    first_id: int
    kind: type[T]
    body: type[B]
    created_status = 200

    @abstractmethod
    def _things(self, state: State) -> dict[int, T]:
        """Return all of them by identifier."""

    def list_all(self, call: Call, query: UnitQuery) -> Answer:
        """List those of the hierarchy, oldest first."""
        units = self._units(call, query.org_unit_id)
        found = [thing for thing in self._things(call.state).values() if thing.org_unit_id in units]
        return self._page(call, found, query)

    def show(self, call: Call) -> Answer:
        """Show one."""
        return Answer(self._row(call, self._find(call)))

    def create(self, call: Call) -> Answer:
        """Create one."""
        body = call.parse(self.body)
        org = call.writable_org(body.org_unit_id)
        self._check(call, body, org.id, None)
        thing = self.kind(call.state.next(self.key, self.first_id), org.id, body, call.state.clock.now())
        self._things(call.state)[thing.id] = thing
        self._after(call, thing)
        return Answer(self._result(thing, "created"), self.created_status)

    def replace(self, call: Call) -> Answer:
        """Replace one; omitted fields go back to their defaults."""
        thing = self._find_changeable(call)
        return self._change(call, thing, call.parse(self.body))

    def patch(self, call: Call) -> Answer:
        """Change some fields of one."""
        thing = self._find_changeable(call)
        return self._change(call, thing, call.parse_patch(thing.body, self.body))

    def delete(self, call: Call) -> Answer:
        """Delete one."""
        thing = self._find(call)
        del self._things(call.state)[thing.id]
        self._after_delete(call, thing)
        return Answer(self._result(thing, "deleted"))

    def _units(self, call: Call, org_unit_id: int | None) -> set[int]:
        """Return the org units whose things a list shows."""
        return call.scope(org_unit_id)

    def _find_changeable(self, call: Call) -> T:
        """Return what replace and patch may change."""
        return self._find(call)

    def _check(self, call: Call, body: B, org_unit_id: int, before: T | None) -> None:
        """Refuse a body that does not fit what else is there; `before` is what it changes."""

    def _after(self, call: Call, thing: T) -> None:
        """Do what follows from a creation or a change."""

    def _after_delete(self, call: Call, thing: T) -> None:
        """Do what follows from a deletion."""

    def _result(self, thing: T, done: Literal["created", "updated", "deleted"]) -> Wire:
        """Return the data of the answer to a write."""
        return {self.key: thing.id}

    def _row(self, call: Call, thing: T) -> Wire:
        """Return one as it is shown."""
        return {
            self.key: thing.id,
            **thing.body.model_dump(),
            "org_unit_id": thing.org_unit_id,
            "created": iso_ms(thing.created),
        }

    def _find(self, call: Call) -> T:
        return call.find(self._things(call.state), self.name)

    def _change(self, call: Call, thing: T, body: B) -> Answer:
        org = call.writable_org(body.org_unit_id)
        self._check(call, body, org.id, thing)
        thing.org_unit_id, thing.body = org.id, body
        self._after(call, thing)
        return Answer(self._result(thing, "updated"))

    def _page(self, call: Call, found: Sequence[T], query: PageQuery | UnitQuery) -> Answer:
        return page(self.plural, found, query.limit, query.offset, lambda thing: self._row(call, thing))
