"""Webhooks (six operations). No public page shows a body or an answer: all of both is inferred."""

from pydantic import Field

from sandbox.convirza.bodies import WebhookBody
from sandbox.convirza.endpoint import Call, Endpoint, parse_body, parse_patch, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, page
from sandbox.convirza.records import Webhook
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed


class WebhookQuery(OpenQuery):
    """inferred."""

    org_unit_id: int | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


def list_webhooks(call: Call) -> Answer:
    """Webhooks of the hierarchy and those inherited from the groups above (knowledge base)."""
    refuse_body(call)
    query = parse_query(call, WebhookQuery)
    unit = call.user.org_unit_id if query.org_unit_id is None else query.org_unit_id
    scope = call.scope(query.org_unit_id) | set(call.state.ancestors(unit))
    found = [webhook for webhook in call.state.webhooks.values() if webhook.org_unit_id in scope]
    return listed("webhooks", [_row(webhook) for webhook in page(found, query.limit, query.offset)], len(found))


def show_webhook(call: Call) -> Answer:
    """One webhook."""
    refuse_body(call)
    return Answer(_row(_visible(call)))


def create_webhook(call: Call) -> Answer:
    """Create a webhook; it sends nothing until a route uses it (public skill file)."""
    body = parse_body(call, WebhookBody)
    org = call.writable_org(body.org_unit_id)
    webhook = Webhook(call.state.next("webhook", 10), org.id, body, call.state.clock.now())
    call.state.webhooks[webhook.id] = webhook
    return Answer({"webhook_id": webhook.id})


def update_webhook(call: Call) -> Answer:
    """Replace a webhook; omitted fields go back to their defaults."""
    webhook = _visible(call)
    return _store(call, webhook, parse_body(call, WebhookBody))


def patch_webhook(call: Call) -> Answer:
    """Change some fields of a webhook."""
    webhook = _visible(call)
    return _store(call, webhook, parse_patch(call, webhook.body, WebhookBody))


def delete_webhook(call: Call) -> Answer:
    """Delete a webhook; routes keep the dead reference and send their events nowhere."""
    refuse_body(call)
    webhook = _visible(call)
    del call.state.webhooks[webhook.id]
    return Answer({"webhook_id": webhook.id})


def _store(call: Call, webhook: Webhook, body: WebhookBody) -> Answer:
    webhook.org_unit_id = call.writable_org(body.org_unit_id).id
    webhook.body = body
    return Answer({"webhook_id": webhook.id})


def _visible(call: Call) -> Webhook:
    webhook = call.state.webhooks.get(call.id)
    if webhook is None or not call.sees(webhook.org_unit_id):
        raise Refusal(404, "Webhook not found.")
    return webhook


def _row(webhook: Webhook) -> dict[str, object]:
    return {
        "webhook_id": webhook.id,
        **webhook.body.model_dump(),
        "org_unit_id": webhook.org_unit_id,
        "created": iso_ms(webhook.created),
    }


ENDPOINTS = (
    Endpoint("List Webhooks", "GET", "/v3/webhooks", "documented", "read", list_webhooks),
    Endpoint("Get Webhook Details", "GET", "/v3/webhooks/{id}", "inferred", "read", show_webhook),
    Endpoint("Update Webhook", "PUT", "/v3/webhooks/{id}", "inferred", "write", update_webhook, "inferred"),
    Endpoint("Partial Update Webhook", "PATCH", "/v3/webhooks/{id}", "inferred", "write", patch_webhook, "inferred"),
    Endpoint("Delete Webhook", "DELETE", "/v3/webhooks/{id}", "inferred", "write", delete_webhook),
    Endpoint("Create Webhook", "POST", "/v3/webhooks", "documented", "write", create_webhook, "inferred"),
)
