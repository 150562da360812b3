"""Routee contacts and their labels. Text in a contact's fields comes from outside."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from clients.answers import NotShown
from clients.changes import describe_resets
from clients.effects import Effect
from clients.evidence import Evidence, all_present, same_fields
from clients.fields import E164, Email, FromOutside, LooseText, OutsideText
from clients.operation import UNREAD, Answer, Operation, Undo, Verification, put_back, verify_removal
from clients.questions.differences import Difference, differences
from tools.routee.client import routee
from tools.routee.field_types import Id, without_none
from tools.routee.grades import SEEN
from tools.routee.paging import Page, Paged, fields_of, is_whole, rows_of

Name = Annotated[str, Field(min_length=1, max_length=60)]

WRITTEN_OTHERWISE: Final = frozenset({"mobile", "labels"})
"""What Routee may show in another form than it was sent in."""


def _as_json_number(value: object) -> object:
    # Answers are read with exact decimals; what goes out is what JSON has for numbers.
    return float(value) if isinstance(value, Decimal) else value


LabelContent = Annotated[
    str | StrictInt | StrictFloat, BeforeValidator(_as_json_number), WithJsonSchema({"type": ["string", "number"]})
]
"""What a label holds: text, or a number where the label's type is Number (seen in the public clients)."""


def _by_name(value: object) -> object:
    """Return labels by name, from the list of the tool's schema or as they are."""
    if not isinstance(value, list):
        return value
    found: dict[str, object] = {}
    for row in cast("list[object]", value):
        given = dict(fields_of(row))
        name = given.pop("name", None)
        if not isinstance(name, str) or name in found or given.keys() not in ({"text"}, {"number"}):
            raise ValueError("each label once, with its name and either `text` or `number`")
        found[name] = next(iter(given.values()))
    return found


_NAMED_LABEL: Final = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "text": {"type": "string"}, "number": {"type": "number"}},
    "required": ["name"],
    "additionalProperties": False,
}

NamedLabels = Annotated[
    dict[str, LabelContent],
    BeforeValidator(_by_name),
    WithJsonSchema({"type": "array", "items": _NAMED_LABEL}, mode="validation"),
]
"""Labels by name. Clients give them as a list, because not all can show a model an object with free names."""


class LabelValue(Answer):
    """One label of a contact."""

    name: str | None = None
    type: str | None = None
    value: Annotated[LabelContent, FromOutside()] | None = None


class Contact(Answer):
    """A person in the address book."""

    id: str | None = None
    mobile: LooseText | None = None
    first_name: OutsideText | None = None
    last_name: OutsideText | None = None
    email: OutsideText | None = None
    country: str | None = None
    vip: bool | None = None
    groups: list[str] = []
    blacklisted_services: list[str] = []
    labels: list[LabelValue] = []

    def details(self) -> dict[str, Any]:
        """Return what was set, as arguments."""
        return without_none(
            mobile=self.mobile,
            first_name=self.first_name,
            last_name=self.last_name,
            email=self.email,
            vip=self.vip,
            labels={label.name: label.value for label in self.labels if label.name and label.value is not None} or None,
        )

    def filling(self) -> dict[str, Any]:
        """Return what a text can name of this contact, by label: those that are built in, and the account's own."""
        built_in = without_none(
            firstName=self.first_name,
            lastName=self.last_name,
            mobile=self.mobile,
            email=self.email,
            country=self.country,
        )
        return built_in | (self.details().get("labels") or {})


class Contacts(Page):
    """People in the address book."""

    contacts: list[Contact] = Field(default=[], alias="content")


@routee.operation(
    "GET",
    "/contacts/my",
    effect=Effect.READ,
    toolset="contacts",
    docs="retrieve-all-the-contacts",
    basis=SEEN,
    synonyms=("address book", "people", "customers", "recipients"),
)
class ListContacts(Paged[Contacts]):
    """List the address book."""


@routee.operation(
    "GET",
    "/contacts/my/{contact_id}",
    effect=Effect.READ,
    toolset="contacts",
    docs="retrieve-details-about-a-contact",
    basis=SEEN,
    confirmed_by=("id",),
    synonyms=("show", "person", "who is"),
)
class GetContact(Operation[Contact]):
    """Show one contact with labels, groups and blacklists."""

    contact_id: Id
    """Contact from routee_list_contacts."""


class ContactDetails(BaseModel):
    """What is known about a person."""

    mobile: E164
    """Mobile number."""

    first_name: Name | None = None
    """First name."""

    last_name: Name | None = None
    """Last name."""

    email: Email | None = None
    """Mail address."""

    vip: bool | None = None
    """Mark as VIP."""

    labels: NamedLabels | None = None
    """Of routee_list_labels, each with `text`, or `number` where its type is Number."""

    def body(self) -> dict[str, Any]:
        """Return the contact in Routee's form."""
        labels = [{"name": name, "value": value} for name, value in (self.labels or {}).items()]
        return without_none(
            mobile=self.mobile,
            firstName=self.first_name,
            lastName=self.last_name,
            email=self.email,
            vip=self.vip,
            labels=labels or None,
        )


@routee.operation(
    "POST",
    "/contacts/my",
    effect=Effect.WRITE,
    subject="Add {mobile} to the address book",
    toolset="contacts",
    docs="create-a-new-contact",
    basis=SEEN,
    confirmed_by=("id",),
    synonyms=("add", "new person", "save number"),
)
class CreateContact(ContactDetails, Operation[Contact]):
    """Add a person to the address book."""

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(answer, Contact) or answer.id is None:
            return Undo(verdict="none", lost="The answer has no id of the contact.")
        return Undo(verdict="full", operation=DeleteContact(contact_id=answer.id))

    def to_wire(self) -> dict[str, Any]:
        return self.body()


@routee.operation(
    "PUT",
    "/contacts/my/{contact_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Replace what is known about {mobile}",
    toolset="contacts",
    docs="update-a-contacts-details",
    basis=SEEN,
    confirmed_by=("id",),
    synonyms=("edit", "change", "rename"),
)
class UpdateContact(ContactDetails, Operation[Contact]):
    """Replace what is known about a contact; give everything that shall stay (inferred)."""

    contact_id: Id
    """Contact from routee_list_contacts."""

    def before(self) -> GetContact:
        return GetContact(contact_id=self.contact_id)

    def changes(self, before: Any) -> tuple[str, ...]:
        if not isinstance(before, Contact):
            return ()
        return describe_resets(before.details(), self._wanted())

    def differences(self, before: Any) -> tuple[Difference, ...]:
        if not isinstance(before, Contact):
            return ()
        return differences(dict.fromkeys(ContactDetails.model_fields) | before.details(), self._wanted())

    def _wanted(self) -> dict[str, Any]:
        return without_none(**{name: getattr(self, name) for name in self.model_fields_set})

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Contact):
            return UNREAD
        return put_back(UpdateContact, contact_id=self.contact_id, **before.details())

    def verification(self, sent_at: datetime) -> Verification[Contact]:
        return Verification(read=self.before(), check=self._is_known, must_be_new=True)

    def _is_known(self, found: Contact) -> Evidence:
        given = without_none(**{name: getattr(self, name) for name in ContactDetails.model_fields})
        return same_fields(given, found.details(), may_differ=WRITTEN_OTHERWISE)

    def to_wire(self) -> dict[str, Any]:
        return self.body()


@routee.operation(
    "DELETE",
    "/contacts/my/{contact_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete the contact [{before.mobile}|{contact_id}]",
    toolset="contacts",
    docs="delete-a-contact",
    basis=SEEN,
    confirmed_by=("id",),
    synonyms=("remove", "forget", "gdpr"),
)
class DeleteContact(Operation[Contact]):
    """Delete one contact."""

    contact_id: Id
    """Contact from routee_list_contacts."""

    def before(self) -> GetContact:
        return GetContact(contact_id=self.contact_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Contact):
            return UNREAD
        lost = "The contact gets another id, and is in no group and on no blacklist."
        return put_back(CreateContact, lost=lost, **before.details())

    def verification(self, sent_at: datetime) -> Verification[Contact]:
        return verify_removal(GetContact(contact_id=self.contact_id))


class ListContactsAmong(ListContacts):
    """Those of some contacts that the first page of the address book shows."""

    contact_ids: list[Id] = []

    def to_wire(self) -> dict[str, Any]:
        return self.page_query()

    def select(self, content: Any) -> Any:
        """Return their rows alone, and how much of the address book was looked through."""
        rows = rows_of(content)
        ids = [fields_of(row).get("id") for row in rows]
        if not (is_whole(content, Contacts) and all(ids)):
            raise NotShown("it is not the whole address book with each contact's id")
        return {"content": [row for row, contact in zip(rows, ids, strict=True) if contact in self.contact_ids]}


class DeletedContacts(Answer):
    """Contacts that are gone."""

    contact_ids: list[str] = Field(default=[], alias="content")


@routee.operation(
    "DELETE",
    "/contacts/my",
    effect=Effect.DESTRUCTIVE,
    subject="Delete {contact_ids:contact} for good",
    toolset="contacts",
    docs="delete-multiple-contacts",
    basis=SEEN,
    confirmed_by=("contact_ids",),
    carrier="json",
    irreversible=True,
    synonyms=("remove", "clean up", "several"),
)
class DeleteContacts(Operation[DeletedContacts]):
    """Delete several contacts."""

    contact_ids: list[Id] = Field(min_length=1)
    """Contacts from routee_list_contacts."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="No call adds several contacts; delete them singly to be able to undo it.")

    def before(self) -> ListContactsAmong:
        return ListContactsAmong(limit=500, contact_ids=self.contact_ids)

    def verification(self, sent_at: datetime) -> Verification[Contacts]:
        return Verification(read=self.before(), check=self._are_gone, must_be_new=True)

    def _are_gone(self, found: Contacts) -> Evidence:
        return all_present(self.contact_ids, [contact.id for contact in found.contacts]).opposite

    def to_array(self) -> list[Any]:
        return list(self.contact_ids)


class LabelType(Answer):
    """A label that contacts can have."""

    name: str | None = None
    type: str | None = None


class Labels(Answer):
    """Labels, given as an object of types by name or as an array."""

    labels: list[LabelType] = Field(default=[], alias="content")

    @model_validator(mode="before")
    @classmethod
    def _from_either_shape(cls, data: object) -> object:
        types = fields_of(data)
        if not types or any(kind not in ("Text", "Number") for kind in types.values()):
            return data
        return {"content": [{"name": name, "type": kind} for name, kind in types.items()]}


@routee.operation(
    "GET",
    "/contacts/labels/my",
    effect=Effect.READ,
    toolset="contacts",
    docs="retrieve-the-accounts-contact-labels",
    basis=SEEN,
    rows="labels",
    synonyms=("fields", "personalise", "placeholders", "attributes"),
)
class ListLabels(Operation[Labels]):
    """List the labels that contacts have and campaign texts can use."""


class NewLabel(BaseModel):
    """A label to make."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9]+$")
    type: Literal["Text", "Number"] = "Text"


@routee.operation(
    "POST",
    "/contacts/labels/my",
    effect=Effect.DESTRUCTIVE,
    subject="Create {labels:label} for contacts",
    toolset="contacts",
    docs="create-labels",
    basis=SEEN,
    confirmed_by=("labels",),
    synonyms=("new field", "attribute", "custom field"),
)
class CreateLabels(Operation[Labels]):
    """Create labels for contacts; no call removes one."""

    labels: list[NewLabel] = Field(min_length=1)
    """Labels to make."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        """Give each label once."""
        if len({label.name for label in self.labels}) < len(self.labels):
            raise ValueError("labels: each name stands once")
        return self

    def before(self) -> ListLabels:
        return ListLabels()

    def undo(self, before: Any, answer: Any) -> Undo:
        return Undo(verdict="none", lost="Routee has no call that removes a label.")

    def verification(self, sent_at: datetime) -> Verification[Labels]:
        return Verification(
            read=self.before(),
            check=self._are_there,
            must_be_new=True,
            check_before=lambda found: all_present(self._names, [label.name for label in found.labels]),
        )

    @property
    def _names(self) -> set[str]:
        return {label.name for label in self.labels}

    def _are_there(self, found: Labels) -> Evidence:
        return Evidence.yes_if(self._names <= {label.name for label in found.labels})

    def to_array(self) -> list[Any]:
        return [label.model_dump() for label in self.labels]
