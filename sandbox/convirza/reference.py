"""Miscellaneous: ad sources, industries and tags (six operations). The base paths are on the Architecture page."""

from pydantic import Field

from sandbox.convirza.bodies import TagBody
from sandbox.convirza.endpoint import Call, Endpoint, parse_body, parse_patch, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, page
from sandbox.convirza.records import Tag
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed


class ReferenceQuery(OpenQuery):
    """inferred."""

    limit: Limit = 100
    offset: Offset = Field(default=0)


def list_ad_sources(call: Call) -> Answer:
    """Where calls come from; all names of the answer are inferred."""
    return _names(call, "ad_sources", "ad_source", call.state.ad_sources)


def list_industries(call: Call) -> Answer:
    """The industries a group can have, named as in the list of groups."""
    return _names(call, "industries", "industry", call.state.industries)


def list_tags(call: Call) -> Answer:
    """The tags of the hierarchy and of the groups above it."""
    refuse_body(call)
    query = parse_query(call, ReferenceQuery)
    scope = call.scope(None) | set(call.state.ancestors(call.user.org_unit_id))
    found = [tag for tag in call.state.tags.values() if tag.org_unit_id in scope]
    return listed("tags", [_row(tag) for tag in page(found, query.limit, query.offset)], len(found))


def create_tag(call: Call) -> Answer:
    """Create a tag."""
    body = parse_body(call, TagBody)
    org = call.writable_org(body.org_unit_id)
    _check_name(call, body.tag_name, org.id, None)
    tag = Tag(call.state.next("tag", 805), org.id, body, call.state.clock.now())
    call.state.tags[tag.id] = tag
    return Answer({"tag_id": tag.id})


def replace_tag(call: Call) -> Answer:
    """Replace a tag."""
    tag = _visible(call)
    return _store(call, tag, parse_body(call, TagBody))


def patch_tag(call: Call) -> Answer:
    """Change some fields of a tag."""
    tag = _visible(call)
    return _store(call, tag, parse_patch(call, tag.body, TagBody))


def delete_tag(call: Call) -> Answer:
    """Delete a tag and take it off every call."""
    refuse_body(call)
    tag = _visible(call)
    del call.state.tags[tag.id]
    for record in call.state.calls.values():
        if call.state.hierarchy(tag.org_unit_id).count(record.org_unit_id):
            record.tags = [name for name in record.tags if name != tag.body.tag_name]
    return Answer({"tag_id": tag.id})


def _store(call: Call, tag: Tag, body: TagBody) -> Answer:
    org = call.writable_org(body.org_unit_id)
    _check_name(call, body.tag_name, org.id, tag)
    tag.org_unit_id, tag.body = org.id, body
    return Answer({"tag_id": tag.id})


def _check_name(call: Call, name: str, org_unit_id: int, own: Tag | None) -> None:
    others = (tag for tag in call.state.tags.values() if tag is not own and tag.org_unit_id == org_unit_id)
    if any(tag.body.tag_name.lower() == name.lower() for tag in others):
        raise Refusal(400, "tag_name is already in use.")


def _visible(call: Call) -> Tag:
    tag = call.state.tags.get(call.id)
    if tag is None or not call.sees(tag.org_unit_id):
        raise Refusal(404, "Tag not found.")
    return tag


def _row(tag: Tag) -> dict[str, object]:
    return {
        "tag_id": tag.id,
        **tag.body.model_dump(),
        "org_unit_id": tag.org_unit_id,
        "created": iso_ms(tag.created),
    }


def _names(call: Call, plural: str, singular: str, names: dict[int, str]) -> Answer:
    refuse_body(call)
    query = parse_query(call, ReferenceQuery)
    rows: list[dict[str, object]] = [
        {f"{singular}_id": number, f"{singular}_name": name} for number, name in names.items()
    ]
    return listed(plural, page(rows, query.limit, query.offset), len(rows))


ENDPOINTS = (
    Endpoint("List Ad Sources", "GET", "/v3/ad-source", "inferred", "read", list_ad_sources),
    Endpoint("List Industries", "GET", "/v3/industry", "inferred", "read", list_industries),
    Endpoint("List Tags", "GET", "/v3/tag", "inferred", "read", list_tags),
    Endpoint("Create Tag", "POST", "/v3/tag", "inferred", "write", create_tag, "inferred"),
    # one operation whose method is on no page: both are answered
    Endpoint("Update Tag", "PUT", "/v3/tag/{id}", "inferred", "write", replace_tag, "inferred"),
    Endpoint("Update Tag", "PATCH", "/v3/tag/{id}", "inferred", "write", patch_tag, "inferred"),
    Endpoint("Delete Tag", "DELETE", "/v3/tag/{id}", "inferred", "write", delete_tag),
)
