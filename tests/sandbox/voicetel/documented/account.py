"""Account, access list, authentication, e911 and gateways."""

from tests.sandbox.voicetel.documented.operation import MAIN, Body, Documented
from tests.sandbox.voicetel.doors import ADMIN_KEY
from tests.sandbox.voicetel.shapes import DN, NUM, TIME, TN, Like, Maybe

CIDR = {"cidr": str}
ADDRESS = {"zip": str, "city": str, "address1": str, "address2": str, "state": Like("[A-Z]{2}")}
RECORD = {"dn": DN, "callername": str, **ADDRESS}
GATEWAY = {"system": bool, "id": int, "gateway": str, "prefix": str, "limit": Maybe(int)}
FLAGS = {
    "carrier": int,
    "faxEnabled": bool,
    "translated": TN,
    "forward": bool,
    "forwardTo": Maybe(TN),
    "number": TN,
    "smsEnabled": bool,
    "cnam": bool,
}
STREET: Body = {"address1": "411 Hackensack Avenue", "city": "Hackensack", "zip": "07601", "state": "NJ"}
STREET_REQUIRED = ("address1", "city", "zip", "state")

SEEDED_ADDRESS = 340251
"""The addressid of 411 Hackensack Ave, Ste 200, which the seed has validated."""

ACCOUNT = (
    Documented(
        "POST",
        "account",
        201,
        {"username": str, "password": str, "name": str, "email": str, "masterAccount": str},
        body={"username": "2015550190", "name": "Acme Inc", "email": "acme@example.com"},
        required=("username", "name", "email"),
        key=ADMIN_KEY,
    ),
    Documented(
        "PUT",
        "account",
        200,
        {"updated": [{"notify", "notifyThreshold", "timezone", "callerId"}]},
        body={"notify": False, "notifyThreshold": 5, "timezone": "America/Chicago", "callerId": MAIN},
    ),
    Documented(
        "GET",
        "account",
        200,
        {
            "services": dict.fromkeys(("sms", "rcid", "mms", "bypassMedia", "e911", "intl", "cnam", "dialer"), bool),
            "rates": dict.fromkeys(("fax", "sms", "mms", "tfAdj", "lrn", "nibble", "did", "cnam", "intlMax"), NUM),
            "callerId": TN,
            "notify": bool,
            "ccs": int,
            "username": str,
            "notifyThreshold": int,
            "name": str,
            "created": TIME,
            "timezone": str,
            "enabled": bool,
            "cash": NUM,
            "authType": int,
            "email": str,
        },
    ),
    Documented(
        "GET",
        "account/credits",
        200,
        {"credits": [{"paid": bool, "date": TIME, "amount": NUM}]},
        query={"status": "paid"},
    ),
    Documented(
        "GET",
        "account/cdr",
        200,
        {
            "start": int,
            "end": int,
            "cdr": [
                {
                    "id": str,
                    "key": [str],
                    "value": dict.fromkeys(("ip", "cn", "nr", "dst", "dur", "ba", "cid"), str),
                }
            ],
        },
        query={"start": "1779105600", "end": "1778846400"},
    ),
    Documented("GET", "account/registration", 200, {"agent": str, "uri": str}),
    Documented(
        "GET",
        "account/recurring-charges",
        200,
        {"charges": [{"amount": NUM, "description": str}], "total": NUM},
    ),
    Documented(
        "GET",
        "account/payments",
        200,
        {
            "payments": [
                {
                    "amount": NUM,
                    "date": TIME,
                    "payerEmail": str,
                    "transactionId": str,
                    "status": {"Completed", "Pending", "Reversed", "Refunded", "Failed", "Denied"},
                }
            ]
        },
    ),
    Documented(
        "POST",
        "account/api-key",
        200,
        {"apikey": Like("[0-9a-f]{32}")},
        body={"username": "2015550100", "password": "Harbor2026"},
        required=("username", "password"),
        key="",
    ),
    Documented(
        "POST",
        "account/recovery",
        200,
        {"message": str},
        body={"email": "office@bluewater.example"},
        required=("email",),
        key="",
    ),
    Documented(
        "POST",
        "accounts",
        201,
        {"username": str, "password": str, "name": str, "email": str},
        body={"name": "Acme Inc", "email": "acme@example.com", "promo": "SPRING"},
        required=("name", "email"),
        key="",
    ),
)

ACCESS = (
    Documented("POST", "acl", 200, {"added": [CIDR]}, body={"acl": [{"cidr": "203.0.113.0/24"}]}, required=("acl",)),
    Documented(
        "DELETE",
        "acl",
        200,
        {"removed": [CIDR]},
        query={"cidrs": "203.0.113.10/32,198.51.100.0/24"},
        required=("cidrs",),
    ),
    Documented("GET", "acl", 200, {"acl": [CIDR]}),
    Documented("PUT", "auth", 200, {"updated": [{"value": int, "field": {"authType"}}]}, body={"authType": 3}),
    Documented("GET", "auth", 200, {"authTypeDescription": str, "acl": [CIDR], "authType": {0, 1, 2, 3}}),
)

E911 = (
    Documented(
        "POST",
        "e911/validations",
        200,
        {"address": {"addressid": int, **ADDRESS}},
        body={**STREET, "address2": "STE 200"},
        required=STREET_REQUIRED,
    ),
    Documented("DELETE", f"e911/{MAIN}", 204),
    Documented(
        "PUT",
        f"e911/{MAIN}",
        200,
        {"record": RECORD},
        body={"addressid": SEEDED_ADDRESS, "callername": "JOHN DOE"},
        required=("addressid", "callername"),
    ),
    Documented("GET", f"e911/{MAIN}", 200, {"record": RECORD}),
    Documented(
        "POST",
        "e911",
        201,
        {"record": RECORD},
        body={**STREET, "dn": "2015550143", "callername": "JOHN DOE"},
        required=("dn", "callername", *STREET_REQUIRED),
    ),
    Documented("GET", "e911", 200, {"records": [RECORD]}),
)

GATEWAYS = (
    Documented("DELETE", "gateways/1003", 204),
    Documented(
        "PUT", "gateways/1003", 200, GATEWAY, body={"gateway": "203.0.113.20:5060", "prefix": "9", "limit": 100}
    ),
    Documented("GET", "gateways/1000", 200, GATEWAY),
    Documented(
        "POST",
        "gateways",
        201,
        GATEWAY,
        body={"gateway": "203.0.113.77:5060", "prefix": "9", "limit": 23},
        required=("gateway",),
    ),
    Documented("GET", "gateways", 200, {"gateways": [GATEWAY]}),
    Documented("GET", "gateways/1000/numbers", 200, {"numbers": [FLAGS]}),
)
