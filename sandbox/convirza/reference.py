"""Miscellaneous: ad sources, industries and tags (six operations). The base paths are on the Architecture page."""

from collections.abc import Mapping

from sandbox.convirza.bodies import TagBody
from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import PageQuery, page
from sandbox.convirza.records import Tag
from sandbox.convirza.rest_resource import Resource
from sandbox.convirza.state import State
from sandbox.convirza.wire import Answer, Refusal


@operation("List Ad Sources", "GET", "/v3/ad-source", "read")
def list_ad_sources(call: Call, query: PageQuery) -> Answer:
    """List where calls come from; all names of the answer are inferred."""
    return _names("ad_sources", "ad_source", call.state.ad_sources, query)


@operation("List Industries", "GET", "/v3/industry", "read")
def list_industries(call: Call, query: PageQuery) -> Answer:
    """List the industries a group can have, named as in the list of groups."""
    return _names("industries", "industry", call.state.industries, query)


class Tags(Resource[Tag, TagBody]):
    """Labels for calls; a name is unique in its unit, whatever its case."""

    name, plural, key = "Tag", "tags", "tag_id"
    first_id = 805
    kind, body = Tag, TagBody

    def list_inherited(self, call: Call, query: PageQuery) -> Answer:
        """List the tags of the hierarchy and of the groups above it."""
        units = call.scope(None) | set(call.state.ancestors(call.user.org_unit_id))
        return self._page(call, [tag for tag in call.state.tags.values() if tag.org_unit_id in units], query)

    def _things(self, state: State) -> dict[int, Tag]:
        return state.tags

    def _check(self, call: Call, body: TagBody, org_unit_id: int, before: Tag | None) -> None:
        others = (tag for tag in call.state.tags.values() if tag is not before and tag.org_unit_id == org_unit_id)
        if any(tag.body.tag_name.lower() == body.tag_name.lower() for tag in others):
            raise Refusal(400, "tag_name is already in use.")

    def _after_delete(self, call: Call, thing: Tag) -> None:
        """Take the tag off every call."""
        units = call.state.hierarchy(thing.org_unit_id)
        for record in call.state.calls.values():
            if record.org_unit_id in units:
                record.tags = [name for name in record.tags if name != thing.body.tag_name]


TAGS = Tags()

TAG_ENDPOINTS = (
    operation("List Tags", "GET", "/v3/tag", "read")(TAGS.list_inherited),
    operation("Create Tag", "POST", "/v3/tag", "write")(TAGS.create),
    # one operation whose method is on no page: both are answered
    operation("Update Tag", "PUT", "/v3/tag/{id}", "write")(TAGS.replace),
    operation("Update Tag", "PATCH", "/v3/tag/{id}", "write")(TAGS.patch),
    operation("Delete Tag", "DELETE", "/v3/tag/{id}", "write")(TAGS.delete),
)


def _names(plural: str, singular: str, names: Mapping[int, str], query: PageQuery) -> Answer:
    found = list(names.items())
    return page(
        plural, found, query.limit, query.offset, lambda item: {f"{singular}_id": item[0], f"{singular}_name": item[1]}
    )
