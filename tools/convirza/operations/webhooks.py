"""Convirza webhooks: the outside addresses that call data is sent to. All names in bodies are inferred."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from clients.effects import Effect
from clients.evidence import Evidence
from clients.fields import AnsweredTime, KeptFromModel, Secret
from clients.operation import Answer, ChangesSomething, Operation, Undo, Verification, put_back, verify_removal
from clients.questions.differences import Difference, differences
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import FurtherFields, Id, Word, body
from tools.convirza.grades import ONLY_METHOD, ONLY_METHOD_OF_ITEM
from tools.convirza.paging import Listing, PagedOperation
from tools.convirza.route_settings import Part
from tools.convirza.updates import (
    describe_full_update,
    fields_of,
    is_new,
    restore_settings,
    same_settings,
)
from tools.hosts import WebHost

TOKEN_NAME: Final = "token"  # noqa: S105 - the name of the parameter that carries it

EGRESS: Final = (
    "Callers' data leaves for this address once a route uses the webhook; groups below inherit it.",
    "Convirza does not sign what it sends: use_shared_token lets the receiver know it.",
)

Kind = Literal["pre_call", "post_call"]

Receiver = Annotated[str, Field(pattern=r"^https://[^\s/?#@]+\S*$"), WebHost]
"""Where call data goes: over https, for it is personal, and without a password, for every webhook shows its address."""


class ParameterName(Answer):
    """A fixed value that is sent along. The value may be a shared token, so that it is not read."""

    name: str | None = Field(default=None, alias="field_name")


class Webhook(Answer):
    """A webhook."""

    webhook_id: int | None = None
    name: str | None = Field(default=None, alias="webhook_name")
    url: str | None = Field(default=None, alias="webhook_url")
    type: str | None = Field(default=None, alias="webhook_type")
    status: str | None = Field(default=None, alias="webhook_status")
    org_unit_id: int | None = None
    optional_payload: list[str] | None = None
    parameters: list[ParameterName] | None = Field(default=None, alias="static_parameters")
    created: AnsweredTime | None = None


NOT_SETTABLE: Final = ("webhook_id", "parameters", "created")


class Webhooks(Listing):
    """Webhooks of a group, those it inherits, and those below it."""

    rows_name: ClassVar[str] = "webhooks"
    webhooks: list[Webhook] = []


class WebhookChange(Answer):
    """The webhook's id."""

    webhook_id: int | None = None


@convirza.operation(
    "GET",
    "/v3/webhooks",
    effect=Effect.READ,
    toolset="webhooks",
    docs=BASE_PATHS,
    basis=ONLY_METHOD,
    rows="webhooks",
    synonyms=("callbacks", "event subscriptions", "integrations", "crm"),
)
class ListWebhooks(PagedOperation[Webhooks]):
    """List webhooks, inherited ones included."""


@convirza.operation(
    "GET",
    "/v3/webhooks/{webhook_id}",
    effect=Effect.READ,
    toolset="webhooks",
    docs="get-webhook-details-31381275e0",
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("show", "callback", "where does call data go"),
)
class GetWebhook(Operation[Webhook]):
    """Show one webhook, without the values of its parameters."""

    webhook_id: Id
    """Webhook, from convirza_list_webhooks."""


class StaticParameter(Part):  # noqa: D101 - a docstring would stand in the schema that a model reads
    name: Annotated[Word, Field(serialization_alias="field_name")]
    value: Annotated[str, Field(serialization_alias="static_value")]


class _WebhookSettings(FurtherFields):
    type: Annotated[Kind | None, Field(serialization_alias="webhook_type")] = None
    """When it is called."""

    status: Annotated[Literal["active", "inactive"] | None, Field(serialization_alias="webhook_status")] = None
    """Whether it is called."""

    org_unit_id: Id | None = None
    """Group, from convirza_list_groups."""

    parameters: Annotated[list[StaticParameter] | None, Field(serialization_alias="static_parameters")] = None
    """Fixed values to send along; no secrets."""

    optional_payload: list[Word] | None = None
    """Further data to send, such as indicator_scores."""

    shared_token: Annotated[Secret | None, KeptFromModel(setting="webhook_token")] = None
    """Send the operator's shared token along, so that the receiver knows the sender."""

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        """Name no parameter `token`."""
        if any(entry.name.casefold() == TOKEN_NAME for entry in self.parameters or []):
            raise ValueError("parameters: secrets are not arguments; set use_shared_token instead of `token`")
        return self

    def to_wire(self) -> dict[str, Any]:
        wire = body(self, without=frozenset({"webhook_id", "shared_token"}))
        if self.shared_token is not None:
            token = {"field_name": TOKEN_NAME, "static_value": self.shared_token.get_secret_value()}
            wire["static_parameters"] = [*wire.get("static_parameters", []), token]
        return wire


@convirza.operation(
    "POST",
    "/v3/webhooks",
    effect=Effect.REROUTES,
    subject="Send callers' data to {url}, by the new webhook {name:text}",
    toolset="webhooks",
    docs="create-webhook-31381279e0",
    basis=ONLY_METHOD,
    synonyms=("callback", "subscribe", "integration", "crm", "zapier"),
)
class CreateWebhook(_WebhookSettings, Operation[WebhookChange]):
    """Create a webhook, which sends callers' data to an outside address."""

    name: Annotated[Word, Field(serialization_alias="webhook_name")]
    """Name."""

    url: Annotated[Receiver, Field(serialization_alias="webhook_url")]
    """Address that receives the data, https."""

    def warnings(self) -> tuple[str, ...]:
        return EGRESS

    def undo(self, before: Any, answer: Any) -> Undo:
        return put_back(DeleteWebhook, webhook_id=getattr(answer, "webhook_id", None))

    def verification(self, sent_at: datetime) -> Verification[Webhooks]:
        return Verification(
            read=ListWebhooks(limit=200),
            check=lambda found: Evidence.yes_if(
                any(
                    (hook.name, hook.url) == (self.name, self.url) and is_new(hook.created, sent_at)
                    for hook in found.webhooks
                )
            ),
        )


class _ChangeOfWebhook(_WebhookSettings):
    webhook_id: Id
    """Webhook, from convirza_list_webhooks."""

    def before(self) -> GetWebhook:
        return GetWebhook(webhook_id=self.webhook_id)

    def warnings(self) -> tuple[str, ...]:
        return EGRESS

    def verification(self, sent_at: datetime) -> Verification[Webhook]:
        return Verification(read=self.before(), check=lambda found: same_settings(found, self._readable()))

    def _readable(self) -> dict[str, Any]:
        return fields_of(self, "webhook_id", "parameters", "shared_token")

    def differences(self, before: Any) -> tuple[Difference, ...]:
        """Leave out the parameters, of which only the names are read."""
        return differences(fields_of(before), self._readable()) if isinstance(before, Webhook) else ()

    def _removed(self, before: Webhook | None) -> tuple[str, ...]:
        # What becomes of the parameters. Only their names are read, so that none can be given again for the caller.
        given = {entry.name for entry in self.parameters or []}
        if self.shared_token is not None:
            given.add(TOKEN_NAME)
        if before is None or before.parameters is None:
            but = f" but {', '.join(sorted(given))}" if given else ""
            return (f"Removes every parameter{but}; Convirza does not show which ones there are.",)
        gone = [str(entry.name) for entry in before.parameters if entry.name not in given]
        return (f"Removes parameters {', '.join(gone)}, because this update leaves them out.",) if gone else ()


@convirza.operation(
    "PUT",
    "/v3/webhooks/{webhook_id}",
    effect=Effect.REROUTES | Effect.DESTRUCTIVE,
    subject="Replace all settings of the webhook [{before.name:text}|{webhook_id}], which then posts to {url}",
    toolset="webhooks",
    docs="update-webhook-31381276e0",
    basis=ONLY_METHOD,
    synonyms=("put", "full update", "overwrite"),
)
class ReplaceWebhook(_ChangeOfWebhook, Operation[WebhookChange]):
    """Replace all settings of a webhook, RESETTING what is left out; use convirza_update_webhook instead."""

    name: Annotated[Word, Field(serialization_alias="webhook_name")]
    """Name."""

    url: Annotated[Receiver, Field(serialization_alias="webhook_url")]
    """Address that receives the data, https."""

    def changes(self, before: Any) -> tuple[str, ...]:
        read = before if isinstance(before, Webhook) else None
        return (*self._removed(read), *describe_full_update(read, self._readable(), kept=frozenset(NOT_SETTABLE)))

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Webhook):
            return Undo(verdict="none", lost="The webhook before the change was not read.")
        lost = "The values of its parameters are not read."
        return put_back(ReplaceWebhook, lost=lost, webhook_id=self.webhook_id, **fields_of(before, *NOT_SETTABLE))


@convirza.operation(
    "PATCH",
    "/v3/webhooks/{webhook_id}",
    effect=Effect.REROUTES,
    subject="Change {settings} of the webhook [{before.name:text}|{webhook_id}]",
    toolset="webhooks",
    docs="partial-update-webhook-31381277e0",
    basis=ONLY_METHOD,
    synonyms=("patch", "change url", "disable", "edit callback"),
)
class UpdateWebhook(_ChangeOfWebhook, ChangesSomething, Operation[WebhookChange]):
    """Change some settings of a webhook; the others stay. Parameters and token are one list, replaced whole."""

    name: Annotated[Word | None, Field(serialization_alias="webhook_name")] = None
    """New name."""

    url: Receiver | None = Field(default=None, serialization_alias="webhook_url")
    """Address that receives the data, https."""

    def changes(self, before: Any) -> tuple[str, ...]:
        read = before if isinstance(before, Webhook) else None
        sends_list = self.parameters is not None or self.shared_token is not None
        return self._removed(read) if sends_list else ()

    def undo(self, before: Any, answer: Any) -> Undo:
        read = before if isinstance(before, Webhook) else None
        lost = "The values of its parameters are not read." if self.parameters or self.shared_token else ""
        return restore_settings(UpdateWebhook, read, self._readable(), lost=lost, webhook_id=self.webhook_id)


@convirza.operation(
    "DELETE",
    "/v3/webhooks/{webhook_id}",
    effect=Effect.DESTRUCTIVE | Effect.REROUTES,
    subject="Delete the webhook [{before.name:text}|{webhook_id}]",
    toolset="webhooks",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    synonyms=("remove", "unsubscribe", "stop callback"),
)
class DeleteWebhook(Operation[WebhookChange]):
    """Delete a webhook; routes that use it send their data nowhere."""

    webhook_id: Id
    """Webhook, from convirza_list_webhooks."""

    def before(self) -> GetWebhook:
        return GetWebhook(webhook_id=self.webhook_id)

    def undo(self, before: Any, answer: Any) -> Undo:
        if not isinstance(before, Webhook):
            return Undo(verdict="none", lost="The webhook before the change was not read.")
        lost = "A new id, which routes must be pointed at; the values of its parameters are not read."
        return put_back(CreateWebhook, lost=lost, **fields_of(before, *NOT_SETTABLE))

    def verification(self, sent_at: datetime) -> Verification[Webhook]:
        return verify_removal(self.before())
