"""Support tickets (operations 68 to 74)."""

from typing import Annotated, Literal

from sandbox.clock import iso
from sandbox.frame.inputs import Found
from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Email, Text, path_id
from sandbox.voicetel.state import Account, State, Thread, Ticket
from sandbox.voicetel.wire import Refusal, created, no_content, success

MAILBOX = 41872


def _visible(call: Call) -> Ticket:
    ticket = call.state.tickets.get(path_id(call.path["id"]))
    if ticket is None:
        raise Refusal(404, "Ticket not found.")
    if not call.account.admin and ticket.owner != call.account.username:
        raise Refusal(403, "This ticket belongs to another account.")
    return ticket


VisibleTicket = Annotated[Ticket, Found(_visible)]


@operation("GET", "support/tickets")
def list_tickets(call: Call) -> Answer:
    """List own tickets, newest first; all of them for an administrator."""
    tickets = sorted(call.state.tickets_of(call.account), key=lambda ticket: ticket.created, reverse=True)
    return success(totalCount=len(tickets), tickets=[_to_wire(ticket) for ticket in tickets])


@operation("GET", "support/tickets/{id}")
def show_ticket(call: Call, ticket: VisibleTicket) -> Answer:
    """Show one ticket with its threads."""
    return success(ticket=_to_wire(ticket))


@operation("GET", "support/tickets/{id}/messages")
def list_threads(call: Call, ticket: VisibleTicket) -> Answer:
    """List the threads of one ticket, oldest first."""
    return success(messages=[_thread_to_wire(ticket, thread) for thread in ticket.threads])


@operation("POST", "support/tickets")
def create_ticket(call: Call, *, subject: Text, message: Text, email: Email | None = None) -> Answer:
    """Open a ticket; only administrators may open one for somebody else (inferred: 400 for anyone else)."""
    if email is not None and not call.account.admin:
        raise Refusal(400, "email may be given by administrators only.")
    ticket = open_ticket(call.state, call.account, subject, message, email=email)
    return created(ticket=_to_wire(ticket))


@operation("POST", "support/tickets/{id}/replies")
def reply_to_ticket(call: Call, ticket: VisibleTicket, *, message: Text) -> Answer:
    """Add a reply, which makes the ticket active again (inferred)."""
    _add_thread(call.state, ticket, message, call.account.email)
    ticket.status = "active"
    return created(message="Reply added")


@operation("PUT", "support/tickets/{id}")
def set_ticket_status(
    call: Call, ticket: VisibleTicket, *, status: Literal["active", "pending", "closed", "spam"]
) -> Answer:
    """Set the status."""
    ticket.status = status
    return success(id=ticket.id, status=ticket.status)


@operation("DELETE", "support/tickets/{id}", admin=True)
def delete_ticket(call: Call, ticket: VisibleTicket) -> Answer:
    """Delete a ticket; administrators only."""
    del call.state.tickets[ticket.id]
    return no_content()


def open_ticket(state: State, account: Account, subject: str, message: str, *, email: str | None = None) -> Ticket:
    """Open a ticket in an account's name, or in the name of the account with this email address."""
    sender = email or account.email
    owner = next((other for other in state.accounts.values() if other.email == sender), account)
    ticket = Ticket(
        id=state.next("ticket", 30412),
        owner=owner.username,
        email=sender,
        subject=subject,
        status="active",
        created=state.clock.now(),
    )
    _add_thread(state, ticket, message, sender)
    state.tickets[ticket.id] = ticket
    return ticket


def _add_thread(state: State, ticket: Ticket, body: str, author: str) -> None:
    thread = Thread(state.next("thread", 880021), "customer", body, state.clock.now(), author)
    ticket.threads.append(thread)


def _to_wire(ticket: Ticket) -> dict[str, object]:
    latest = ticket.threads[-1]
    return {
        "id": ticket.id,
        "number": ticket.id - 30000,
        "type": "email",
        "status": ticket.status,
        "state": "published",
        "subject": ticket.subject,
        "preview": ticket.threads[0].body[:120],
        "mailboxId": MAILBOX,
        "folderId": 1,
        "threadsCount": len(ticket.threads),
        "createdAt": iso(ticket.created),
        "updatedAt": iso(latest.at),
        "createdBy": {"id": 1, "email": ticket.email, "type": "customer"},
        "customer": _customer(ticket),
        "cc": list[str](),
        "bcc": list[str](),
        "customFields": list[str](),
        "source": {"type": "api", "via": "customer"},
        "embedded": {"threads": [_thread_to_wire(ticket, thread) for thread in ticket.threads]},
    }


def _customer(ticket: Ticket) -> dict[str, object]:
    return {"id": 1, "type": "customer", "email": ticket.email, "createdAt": iso(ticket.created)}


def _thread_to_wire(ticket: Ticket, thread: Thread) -> dict[str, object]:
    from_customer = thread.kind == "customer"
    return {
        "id": thread.id,
        "type": thread.kind,
        "status": ticket.status,
        "state": "published",
        "body": thread.body,
        "createdAt": iso(thread.at),
        "createdBy": {"id": 1, "email": thread.author, "type": "customer" if from_customer else "user"},
        "customer": _customer(ticket),
        "to": list[str]() if from_customer else [ticket.email],
        "cc": list[str](),
        "bcc": list[str](),
        "source": {"type": "api" if from_customer else "web", "via": "customer" if from_customer else "user"},
        "embedded": {"attachments": thread.attachments},
    }
