"""Webhooks (six operations). No public page shows a body or an answer: all of both is inferred."""

from sandbox.convirza.bodies import WebhookBody
from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.records import Webhook
from sandbox.convirza.rest_resource import Resource
from sandbox.convirza.state import State


class Webhooks(Resource[Webhook, WebhookBody]):
    """Webhooks; one sends nothing until a route uses it (public skill file).

    Routes keep the dead reference to a deleted one and send their events nowhere.
    """

    name, plural, key = "Webhook", "webhooks", "webhook_id"
    first_id = 10
    kind, body = Webhook, WebhookBody

    def _things(self, state: State) -> dict[int, Webhook]:
        return state.webhooks

    def _units(self, call: Call, org_unit_id: int | None) -> set[int]:
        """Add the groups above, from which webhooks are inherited (knowledge base)."""
        unit = call.user.org_unit_id if org_unit_id is None else org_unit_id
        return call.scope(org_unit_id) | set(call.state.ancestors(unit))


WEBHOOKS = Webhooks()

ENDPOINTS = (
    operation("List Webhooks", "GET", "/v3/webhooks", "read", "documented")(WEBHOOKS.list_all),
    operation("Get Webhook Details", "GET", "/v3/webhooks/{id}", "read")(WEBHOOKS.show),
    operation("Update Webhook", "PUT", "/v3/webhooks/{id}", "write")(WEBHOOKS.replace),
    operation("Partial Update Webhook", "PATCH", "/v3/webhooks/{id}", "write")(WEBHOOKS.patch),
    operation("Delete Webhook", "DELETE", "/v3/webhooks/{id}", "write")(WEBHOOKS.delete),
    operation("Create Webhook", "POST", "/v3/webhooks", "write", "documented")(WEBHOOKS.create),
)
