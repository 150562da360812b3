"""Convirza tags for calls, and the two lists that groups and routes refer to. Names of fields are inferred."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from clients.effects import Effect
from clients.operation import UNREAD, Answer, Operation, Undo, Verification, put_back, verify_removal
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import Id, Word, body
from tools.convirza.grades import ONLY_BASE_PATH
from tools.convirza.internal_reads import FindTag, Tag, Tags
from tools.convirza.paging import Listing, PagedOperation


class AdSource(Answer):
    """Where calls come from."""

    ad_source_id: int | None = None
    name: str | None = Field(default=None, alias="ad_source_name")


class AdSources(Listing):
    """Ad sources."""

    rows_name: ClassVar[str] = "ad_sources"
    ad_sources: list[AdSource] = Field(default=[], alias="ad_sources")


@convirza.operation(
    "GET",
    "/v3/ad-source",
    effect=Effect.READ,
    toolset="reference",
    docs="list-ad-sources-31106639e0",
    basis=ONLY_BASE_PATH,
    rows="ad_sources",
    synonyms=("marketing", "channels", "campaign sources", "google ads"),
)
class ListAdSources(PagedOperation[AdSources]):
    """List ad sources."""


class Industry(Answer):
    """An industry."""

    industry_id: int | None = None
    name: str | None = Field(default=None, alias="industry_name")


class Industries(Listing):
    """Industries."""

    rows_name: ClassVar[str] = "industries"
    industries: list[Industry] = []


@convirza.operation(
    "GET",
    "/v3/industry",
    effect=Effect.READ,
    toolset="reference",
    docs=BASE_PATHS,
    basis=ONLY_BASE_PATH,
    rows="industries",
    synonyms=("sectors", "verticals", "branches"),
)
class ListIndustries(PagedOperation[Industries]):
    """List the industries a group can have."""


class TagChange(Answer):
    """The tag's id."""

    tag_id: int | None = None


@convirza.operation(
    "GET",
    "/v3/tag",
    effect=Effect.READ,
    toolset="tags",
    docs="list-tags-31927185e0",
    basis=ONLY_BASE_PATH,
    rows="tags",
    synonyms=("labels", "categories", "call outcomes"),
)
class ListTags(PagedOperation[Tags]):
    """List the tags that calls can have."""


@convirza.operation(
    "POST",
    "/v3/tag",
    effect=Effect.WRITE,
    subject="Create the tag {name:text}",
    toolset="tags",
    docs="create-tag-31106642e0",
    basis=ONLY_BASE_PATH,
    synonyms=("add", "new label", "category"),
)
class CreateTag(Operation[TagChange]):
    """Create a tag for calls."""

    name: Annotated[Word, Field(serialization_alias="tag_name")]
    """Name."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return put_back(DeleteTag, tag_id=getattr(answer, "tag_id", None))

    def to_wire(self) -> dict[str, Any]:
        return body(self)


@convirza.operation(
    "PUT",
    "/v3/tag/{tag_id}",
    effect=Effect.WRITE,
    subject="Rename the tag [{before.name:text}|{tag_id}] to {name:text}",
    toolset="tags",
    docs="update-tag-31106643e0",
    basis="inferred",
    synonyms=("rename", "edit label"),
)
class UpdateTag(Operation[TagChange]):
    """Rename a tag, on every call that has it."""

    tag_id: Id
    """Tag, from convirza_list_tags."""

    name: Annotated[Word, Field(serialization_alias="tag_name")]
    """New name."""

    org_unit_id: Id | None = None
    """Its group, from convirza_list_tags; the own one if left out."""

    def before(self) -> FindTag:
        return FindTag(tag_id=self.tag_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Tag):
            return UNREAD
        return put_back(UpdateTag, tag_id=self.tag_id, name=before.name, org_unit_id=before.org_unit_id)

    def to_wire(self) -> dict[str, Any]:
        return body(self, without=frozenset({"tag_id"}))


@convirza.operation(
    "DELETE",
    "/v3/tag/{tag_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete the tag [{before.name:text}|{tag_id}] and take it off every call",
    toolset="tags",
    docs=BASE_PATHS,
    basis="inferred",
    synonyms=("remove label", "category"),
)
class DeleteTag(Operation[TagChange]):
    """Delete a tag, and so take it off every call (inferred)."""

    tag_id: Id
    """Tag, from convirza_list_tags."""

    def before(self) -> FindTag:
        return FindTag(tag_id=self.tag_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Tag):
            return UNREAD
        lost = "A new id, in the own group; the calls that had the tag do not get it back."
        return put_back(CreateTag, lost=lost, name=before.name)

    def verification(self, sent_at: datetime) -> Verification[Tag]:
        return verify_removal(self.before())
