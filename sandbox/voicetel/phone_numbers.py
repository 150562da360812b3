"""Numbers on the account: adding, listing, moving, removing, releasing (operations 44, 45, 58, 59, 60, 64)."""

from typing import Annotated

from sandbox.frame.inputs import Found
from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Tn, path_number
from sandbox.voicetel.state import DEFAULT_ROUTE, Account, Number
from sandbox.voicetel.wire import Refusal, created, no_content, success


def owned_number(call: Call) -> Number:
    """Return the number in the path.

    Raises:
        Refusal: 400 if it is no number, 404 if it is not on the account.
    """
    return call.account.own(path_number(call.path["number"]))


OwnNumber = Annotated[Number, Found(owned_number)]


@operation("POST", "numbers")
def add_number(call: Call, *, number: Tn, route: int = DEFAULT_ROUTE) -> Answer:
    """Assign a number to the account.

    inferred: the monthly rate that the balance must cover is debited at once, as the v2.1 text has it, and any
    number that is on no account and was never released can be added.
    """
    account, state = call.account, call.state
    if state.holder_of(number) is not None or number in state.released:
        raise Refusal(409, "The number cannot be added: it is assigned or was released.")
    if account.gateway_for(route) is None:
        raise Refusal(409, f"The number cannot be added: route {route} is not on this account.")
    state.charge(account, "did", 1, account.rates["did"], number)
    state.inventory.take(number)
    account.numbers[number] = Number(number, route)
    return created(number=number, route=route)


@operation("GET", "numbers")
def list_numbers(call: Call) -> Answer:
    """List every number in detail; 404 if there are none."""
    account = call.account
    if not account.numbers:
        raise Refusal(404, "No numbers found.")
    return success(numbers=[_detail(account, number) for number in account.numbers.values()])


@operation("GET", "numbers/{number}")
def show_number(call: Call, number: OwnNumber) -> Answer:
    """Show one number in detail."""
    return success(_detail(call.account, number))


@operation("PATCH", "numbers/{number}")
def move_number(call: Call, number: OwnNumber, *, route: int, accountId: int) -> Answer:
    """Give a number to another account; nothing the old account set on it goes along (inferred)."""
    destination = call.state.accounts.get(str(accountId))
    if destination is None or destination is call.account:
        raise Refusal(409, "The number cannot be moved to this account.")
    if destination.gateway_for(route) is None:
        raise Refusal(409, f"Route {route} is not on the destination account.")
    _take_off(call.account, number)
    destination.numbers[number.number] = Number(number.number, route, number.carrier)
    return success(number=number.number, accountId=accountId, route=route)


@operation("DELETE", "numbers/{number}")
def delete_number(call: Call, number: OwnNumber) -> Answer:
    """Remove a number from the account for good; it is then on no account."""
    _take_off(call.account, number)
    return no_content()


@operation("POST", "numbers/{number}/release")
def release_number(call: Call) -> Answer:
    """Hand a number back to the network; it cannot be assigned again.

    inferred: 409 for a number that is not on the account, since 404 is not documented here.
    """
    number = call.account.numbers.get(path_number(call.path["number"]))
    if number is None:
        raise Refusal(409, "The number could not be released: it is not on this account.")
    _take_off(call.account, number)
    call.state.released.add(number.number)
    return no_content()


def feature_flags(number: Number) -> dict[str, object]:
    """Return a number as the list of a gateway shows it."""
    return {
        "number": number.number,
        "carrier": number.carrier,
        "translated": number.translated,
        "forward": number.forward_to is not None,
        "forwardTo": number.forward_to,
        "cnam": number.cnam,
        "smsEnabled": number.sms_row != 0,
        "faxEnabled": number.fax_email is not None,
    }


def _detail(account: Account, number: Number) -> dict[str, object]:
    gateway = account.gateway_for(number.route)
    return {
        "route": number.route,
        # inferred: a system route shows its name
        "gateway": gateway.address if gateway else None,
        **feature_flags(number),
    }


def _take_off(account: Account, number: Number) -> None:
    """Take a number off an account, with its emergency record and its message route (inferred)."""
    if number.porting:
        raise Refusal(409, "The number is currently porting.")
    account.e911.pop(number.number, None)
    account.sms_routes.pop(number.sms_row, None)
    del account.numbers[number.number]
