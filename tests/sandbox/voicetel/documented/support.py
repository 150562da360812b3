"""Support tickets."""

from tests.sandbox.voicetel.documented.operation import Documented
from tests.sandbox.voicetel.doors import ADMIN_KEY
from tests.sandbox.voicetel.shapes import TIME

AUTHOR = {"id": int, "email": str, "type": {"customer", "user"}}
CUSTOMER = {"id": int, "type": {"customer"}, "email": str, "createdAt": TIME}
THREAD = {
    "id": int,
    "type": {"customer", "message", "note"},
    "status": str,
    "state": {"draft", "published"},
    "body": str,
    "createdAt": TIME,
    "createdBy": AUTHOR,
    "customer": CUSTOMER,
    "to": list,
    "cc": list,
    "bcc": list,
    "source": {"type": str, "via": str},
    "embedded": {"attachments": list},
}
TICKET = {
    "id": int,
    "number": int,
    "type": {"email", "phone", "chat"},
    "status": {"active", "pending", "closed", "spam"},
    "state": {"draft", "published", "deleted"},
    "subject": str,
    "preview": str,
    "mailboxId": int,
    "folderId": int,
    "threadsCount": int,
    "createdAt": TIME,
    "updatedAt": TIME,
    "createdBy": AUTHOR,
    "customer": CUSTOMER,
    "cc": list,
    "bcc": list,
    "customFields": list,
    "source": {"type": str, "via": str},
    "embedded": {"threads": [THREAD]},
}

SUPPORT = (
    Documented(
        "POST",
        "support/tickets/30412/replies",
        201,
        {"message": {"Reply added"}},
        body={"message": "Thank you for your reply."},
        required=("message",),
    ),
    Documented("GET", "support/tickets/30412/messages", 200, {"messages": [THREAD]}),
    Documented("DELETE", "support/tickets/30412", 204, key=ADMIN_KEY),
    Documented(
        "PUT",
        "support/tickets/30412",
        200,
        {"id": int, "status": {"closed"}},
        body={"status": "closed"},
        required=("status",),
    ),
    Documented("GET", "support/tickets/30412", 200, {"ticket": TICKET}),
    Documented(
        "POST",
        "support/tickets",
        201,
        {"ticket": TICKET},
        body={"subject": "Help", "message": "Please help me"},
        required=("subject", "message"),
    ),
    Documented("GET", "support/tickets", 200, {"totalCount": int, "tickets": [TICKET]}),
)
