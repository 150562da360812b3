"""Calling cards, call shops and unlimited access accounts."""

from decimal import Decimal

from sandbox.enswitch.billing import note
from sandbox.enswitch.customers import new_customer
from sandbox.enswitch.fields import Fields, Row, customer, decimal, flag, integer, need, one_of, text
from sandbox.enswitch.function import Call, Function, reading, writing
from sandbox.enswitch.verbs import create, listing, require_feature, subject
from sandbox.enswitch.wire import Answer, created, ok, refuse

MOST_CARDS = 10_000
"""inferred: so many cards fail with the documented 500, since nothing says how many are too many."""


_GROUP: Fields = (
    *flag(allow_balance=1, change_pin=1, charge_locked=0),
    *decimal(balance="0.00", charge="0.00", credit="0.00"),
    *text("currency", "dialplan", callerid="", description="", dnumber=""),
    *integer(card_length=12, low=6, high=20),
    *one_of("charge_after", "create|firstuse", default="firstuse"),
    *one_of("charge_period", "daily|weekly|monthly|annually|", default="monthly"),
    *integer(clock=100, expires=0, low=0),
    *customer(),
)
"""The bounds of card_length are inferred."""


@writing(
    "cards/batches/create",
    "cards",
    subject("card_groups", "cardgroup"),
    need(text("batch_name")),
    decimal(balance="0.00"),
    integer(batch_number=1, number=1, low=1),
    integer("card_length", low=6, high=20),
    text("currency"),
    flag(lock_cards=0, locked=0),
    one_of("method", "random|sequential"),
    integer("pin_length", low=0, high=20),
    dry_run=True,
)
def create_batches(call: Call) -> Answer:
    """Create batches of cards; the answer has one id, that of the first batch (inferred)."""
    state, args = call.state, call.args
    group = call.row("card_groups", "cardgroup")
    batches, number = args.whole("batch_number"), args.whole("number")
    if batches * number > MOST_CARDS:
        raise refuse(500, "number")
    call.stop_if_validating()
    length = args.whole("card_length") or group.whole("card_length")
    balance = args.money("balance")
    names = [args.text("batch_name")] if batches == 1 else [f"{args['batch_name']}-{n}" for n in range(1, batches + 1)]
    ids: list[int] = []
    for name in names:
        batch = state.insert("card_batches", name=name, cardgroup=group["id"], locked=args["locked"], number=number)
        ids.append(batch.whole("id"))
        for _ in range(number):
            card = f"{state.next_id():0{length}d}"[-length:]
            columns = Row({"card": card, "cardgroup": group["id"], "batch": batch["id"], "balance": balance})
            state.insert("cards", **{**columns, "pin": card[-4:], "locked": args["lock_cards"]})
    if balance:
        total = balance * len(ids) * number
        note(state, group.whole("customer"), "cards_created", total, f"batch {ids[0]}", len(ids) * number)
    return created(ids[0])


@writing(
    "callshops/create",
    "callshop telephones",
    need(decimal("credit")),
    need(integer("number", low=1, high=100)),
    need(integer("plan", refers="plans")),
    customer(),
    dry_run=True,
    basis="guide 4.4; the most that number may be is inferred",
)
def create_callshop(call: Call) -> Answer:
    """Create sub-customers, each with a telephone line and credit."""
    state, args = call.state, call.args
    require_feature(state, call.customer, "phones", "phones", args.whole("number"))
    call.stop_if_validating()
    shops: list[dict[str, object]] = []
    for index in range(1, args.whole("number") + 1):
        name = f"Call shop {call.customer}-{index}"
        shop = new_customer(state, call.customer, Row({"name": name, "plan": args["plan"], "credit": args["credit"]}))
        line = f"shop{shop['id']}"
        state.insert("phones", name=line, customer=shop["id"], password=f"{line}-secret", description=name)
        shops.append({"customer": shop.whole("id"), "username": line})
    total: Decimal = args.money("credit") * len(shops)
    if total:
        note(state, call.customer, "callshop_credit", total, f"customer {shops[0]['customer']}", len(shops))
    return ok(shops)


CARDS: tuple[Function, ...] = (
    writing(
        "cards/groups/create", "cards", need(text("name")), need(integer("plan", refers="plans")), _GROUP, cut=True
    )(create("card_groups")),
    reading("unlimited/list", "user", customer())(listing("unlimited_access")),
)
