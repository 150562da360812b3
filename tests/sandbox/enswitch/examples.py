"""One call of every function that succeeds on the seeded installation."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.sandbox.contracts import contracts_of_reads


@dataclass(frozen=True)
class Example:
    """Who calls, with what, and what the answer's data looks like: `id`, `row`, `rows`, `strings` or nothing."""

    shape: str
    parameters: dict[str, str | int] = field(default_factory=dict[str, str | int])
    who: str | None = "customer"


def by(who: str | None, shape: str, **parameters: str | int) -> Example:
    """Build an example; names that are Python's own are written with an underscore at the end."""
    return Example(shape, {name.removesuffix("_"): value for name, value in parameters.items()}, who)


def own(shape: str, **parameters: str | int) -> Example:
    """Build an example that the company's administrator calls."""
    return by("customer", shape, **parameters)


WRITTEN: dict[str, Example] = {
    "plans/routes/create": by("reseller", "id", plan=3, called_prefix="011"),
    "plans/routes/list": by("reseller", "rows", plan=3, sort="called_prefix"),
    "plans/routes/get": by("reseller", "row", id=41),
    "plans/routes/update": by("reseller", "", id=41, allow=1),
    "plans/routes/delete": by("reseller", "", id=41),
    "plans/list": by("reseller", "rows"),
    "plans/get": by(None, "row", id=3),
    "plans/create": by("reseller", "id", name="Clinics", bill_type="prepaid", call_maximum="20.00"),
    "plans/classes/update": by("reseller", "", id=33, fee="1.10"),
    "plans/features/set": by("reseller", "", feature="ivrs", plan=3, maximum=2),
    "plans/ingroups/delete": by("reseller", "", ingroup=21, plan=3),
    "plans/outgroups/delete": by("reseller", "", outgroup=12, plan=3),
    "routes/update": by("admin", "", id=11, peer1=61, media="voice"),
    "routes/import": by("admin", "row", csv="called_prefix,outgroup\n49,12\n"),
    "outcosts/create": by("reseller", "id", outgroup_time=11, plan=3, cost="0.05"),
    "outcosts/update": by("admin", "", id=11, cost="0.03"),
    "outcosts/list": by("admin", "rows", plan=1),
    "incosts/create": by("reseller", "id", ingroup_time=22, plan=3, cost="0.02"),
    "incosts/customer/list": own("rows", used=1),
    "peers/costs/create": by("admin", "", peer=61, called_prefix="1", cost="0.004"),
    "outgroups/create": by("admin", "id", name="Caribbean"),
    "callergroups/create": by("admin", "id", name="Foreign", description="callers from abroad"),
    "calleridgroups/create": own("id", name="Suppliers", description="labs"),
    "calleridgroups/list": own("rows"),
    "numbers/list": own("rows", sort="number"),
    "numbers/get": own("row", number="12015550142"),
    "numbers/available/list": by(None, "strings", ingroup=21, count=3),
    "numbers/purchase": own("", number="12015550120"),
    "numbers/update": own("", number="12015550190", dtype="phone", dnumber="bw-rey"),
    "timegroups/list": own("rows", available=1),
    "timegroups/periods/list": own("rows", timegroup=73),
    "timegroups/usage": own("rows", id=73),
    "numbers/times/update": own("", number="12015550142", timegroup=73, dtype="mailbox", dnumber="202"),
    "numbers/system/create": by("admin", "row", start="12015559000", end="12015559004", class_=1, ingroup=21),
    "numbers/system/get": by("admin", "row", number="12015550120"),
    "numbers/system/update": by("admin", "", number="12015550120", customer=4),
    "numbers/system/delete": by("admin", "", number="12015550121"),
    "numbers/delete": own("", number="12015550190"),
    "calls/make": own("", snumber="bw-desk-1", cnumber="19175550161"),
    "calls/hangup": own("", uniqueid="seed.live"),
    "calls/update": own("", uniqueid="seed.live", dnumber="802"),
    "calls/active/list": own("rows", direction="in"),
    "calls/active/list/panel": own("rows"),
    "cdrs/list": own("rows", start=0, talktime_minimum=60),
    "cdrs/totals/list": own("rows", start=0),
    "traces/calls/list": by("admin", "rows", machine=71, timestamp=1_700_000_000),
    "customers/list": by("reseller", "rows", sort="name"),
    "customers/create": by("reseller", "id", name="Tern Bakery", plan=3, email="tern@bakery.example"),
    "customers/update": by("reseller", "", id=4, account="NG-1"),
    "customers/delete": by("reseller", "", id=4),
    "customers/undelete": by("reseller", "", id=6),
    "customers/purge": by("reseller", "", id=6),
    "customers/move": by("admin", "", id=4, parent=1, plan=1),
    "customers/import": by("admin", "row", csv="name,plan,email\nTern,3,tern@bakery.example\n"),
    "customers/export": by("admin", "rows", customer=3, data=1),
    "customers/balance/add": by("reseller", "", id=4, amount="25.00", transaction="credit"),
    "customers/topup/request": own("row", amount="50.00"),
    "vouchers/use": own("row", serial="BW-TOPUP-25"),
    "charges/create": by("reseller", "id", name="Cabling", customer=3, amount="80.00", period="once"),
    "charges/charge": by("reseller", "", id=941),
    "charges/list": by("reseller", "rows", plan=3),
    "transactions/list": own("rows", start=0),
    "invoices/list": own("rows", start=0, status="approved"),
    "invoices/get": own("row", id=922, file=1, encoding="base64"),
    "invoices/update": by("reseller", "", id=922, status="paid"),
    "invoices/send": by("reseller", "row", status="both"),
    "taxes/create": by("reseller", "id", name="City tax", rate="1.50", liable=2),
    "taxes/update": by("reseller", "", id=951, rate="7.00"),
    "taxes/liable/get": by("reseller", "row", tax=951, type="customer", number=3),
    "taxes/liable/set": by("reseller", "", tax=951, type="customer", number=3, liable=1),
    "cards/groups/create": by("reseller", "id", name="Gift cards", plan=3),
    "cards/batches/create": by("reseller", "id", cardgroup=961, batch_name="May", balance="10.00", number=3),
    "callshops/create": by("reseller", "rows", credit="20.00", number=2, plan=3),
    "unlimited/list": own("rows"),
    "people/list": own("rows"),
    "people/get": own("row", username="dr.rey"),
    "people/create": own("id", username="new.desk", email="new@bluewater.example", password="pass-7", role=5),
    "people/delete": own("", id=302, features=1),
    "roles/list": own("rows"),
    "roles/create": by("admin", "id", name="Night desk"),
    "roles/access/set": by("admin", "", role=5, privilege="actions", access=2),
    "user/login": own("row", token=1),
    "user/switch": own("row", username="dr.rey", token=1),
    "access/get": own("row", id=882),
    "phones/list": own("rows"),
    "phones/list/panel": own("rows"),
    "phones/system/list": by("reseller", "rows", registered=1),
    "phones/get": own("row", name="bw-desk-1"),
    "phones/create": own("", name="bw-new", password="long-secret"),
    "phones/update": own("", name="bw-rey", dtype="mailbox", dnumber="202"),
    "phones/unregister": own("", name="bw-rey"),
    "phones/hardware/create": own("id", phone="bw-rey", hardware_address="00155d0a0143"),
    "phones/hardware/delete": own("", id=881),
    "queues/create": own("id", name="Billing", dtype="mailbox", dnumber="201"),
    "queues/update": own("", id=801, name="Reception"),
    "queues/destinations/create": own("id", queue=801, dtype="phone", dnumber="bw-miami-1"),
    "queues/destinations/get": own("row", queue=801, dtype="phone", dnumber="bw-rey"),
    "queues/destinations/list": own("rows", queue=801),
    "queues/callbacks/list": own("rows"),
    "huntgroups/create": own("id", name="Miami", type="circular", dtype="phone", dnumber="bw-miami-1"),
    "ivrs/create": own("id", name="Billing menu"),
    "conferences/create": own("id", code="9001", talkpin="1234"),
    "speeddials/create": own("id", stype="phone", snumber="bw-rey", sdial="1", dnumber="12015550142"),
    "addresses/create": own("id", user="billing", domain="bluewater.example", dtype="queue", dnumber="801"),
    "addresses/list": own("rows"),
    "codes/get": own("row", code="*97"),
    "codes/callers/list": own("rows", code="*97"),
    "mailboxes/create": own("", mailbox="204", pin="9931"),
    "mailboxes/get": own("row", mailbox="201"),
    "mailboxes/list": own("rows"),
    "messages/list": own("rows", mailbox="201", folder="INBOX", sort="time"),
    "messages/get": own("row", mailbox="201", folder="INBOX", message="msg0002"),
    "messages/delete": own("", mailbox="201", folder="INBOX", messages="msg0001,msg0002"),
    "messages/text/send": own("", cnumber="19175550161", snumber="12015550142", message="See you at nine."),
    "faxes/send": own("", cnumber="12015550173", data="JVBERi0xLjQ="),
    "bulk/campaigns/list": own("rows"),
}


def _from_contracts() -> Iterator[tuple[str, Example]]:
    """Yield an example of each plain read that has none above, from its contract."""
    for spec, contract in contracts_of_reads("enswitch"):
        function = spec.path.removeprefix("/api/json/").removesuffix("/")
        if function not in WRITTEN:
            data: object = contract["answer"]["body"]["data"]
            sent: dict[str, str] = contract["request"]["body"]
            shape = "rows" if isinstance(data, list) else "row"
            yield function, own(shape, **{name: value for name, value in sent.items() if name != "auth_token"})


EXAMPLES: dict[str, Example] = WRITTEN | dict(_from_contracts())
