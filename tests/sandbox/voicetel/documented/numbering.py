"""Orders, inventory, ports, lookups and messaging."""

from tests.sandbox.voicetel.documented.operation import MAIN, Body, Documented
from tests.sandbox.voicetel.shapes import NUM, TIME, TN, Like, Maybe, Optionally

NETWORK = Maybe({"A", "B"})
MESSAGING = {
    "number": TN,
    "onAccount": Optionally(bool),
    "enabled": bool,
    "network": NETWORK,
    "campaign": Maybe({"upstreamCnpId": str, "id": str, "status": str, "network": {"A", "B"}}),
    "carrier": Optionally(int),
    "resource": Optionally(str),
    "routeIn": Optionally(int),
}
RESULT = {"result": {"statusCode": str, "status": str}}
PORT = {"id": Like("[0-9a-f]{40}"), "pid": Like("[A-Za-z0-9]{5}"), "status": str, "createdAt": TIME, "message": str}
FOC = Like(r"(\d{8})?")

PORT_BODY: Body = {
    "lcBtn": "9175550184",
    "street": "Main",
    "nameType": "business",
    "lcAccountNumber": "123456789",
    "streetNumber": "550",
    "streetType": "ST",
    "name": "Acme Corp",
    "authPerson": "Jane Smith",
    "state": "IL",
    "zip": "60601",
    "city": "Chicago",
    "country": "US",
    "did": ["9175550185"],
    "desiredDueDate": "2026-06-18",
    "streetSuffix": "",
    "features": [{"number": "9175550185", "routing": {"gatewayId": 1000}, "lidb": {"name": "ACME"}}],
}


NUMBERING = (
    Documented(
        "POST",
        "orders",
        201,
        {"amountCharged": NUM, "numbersOrdered": [TN], "orderId": str, "failed": [{"reason": str, "number": TN}]},
        body={"numbers": ["2015550101", {"number": "2015550102", "route": 1000}, "2015550113"]},
        required=("numbers",),
    ),
    Documented(
        "GET",
        "inventory/coverage",
        200,
        {"coverage": [{"locState": str, "rcAbbre": str, "lata": str, "count": int}]},
        query={"countBy": "rateCenter", "npa": "512", "lata": "558"},
        required=("countBy",),
    ),
    Documented(
        "POST",
        "ports",
        201,
        {"pid": Like("[A-Za-z0-9]{5}"), "portUrl": str, "loaUrl": str, "message": str, "ticket": int},
        body=PORT_BODY,
        required=(
            "lcBtn",
            "street",
            "nameType",
            "lcAccountNumber",
            "streetNumber",
            "streetType",
            "name",
            "authPerson",
            "state",
            "zip",
            "city",
            "country",
            "did",
        ),
        before=(("GET", "ports/availability/9175550185"),),
    ),
    Documented("GET", "ports", 200, {"ports": [{**PORT, "foc": FOC, "supportUrl": str}]}),
    Documented("GET", "ports/w1476", 200, {"port": {**PORT, "foc": FOC, "name": str, "email": str, "numbers": [TN]}}),
    Documented(
        "GET",
        "inventory",
        200,
        {"numbers": [{"province": str, "rateCenter": str, "number": TN, "city": str, "lata": str}]},
        query={"tnMask": "201555*", "quantity": "5", "province": "NJ", "lata": "224"},
        required=("tnMask",),
    ),
    Documented(
        "GET",
        "ports/availability/9175550186",
        200,
        {
            "reason": Maybe(str),
            "losingCarrier": Maybe(str),
            "portable": bool,
            "rateCenterTier": Maybe(str),
            "number": TN,
            "localRoutingNumber": Maybe(TN),
        },
    ),
)

LOOKUPS = (
    Documented("GET", "cnam/9175550161", 200, {"number": TN, "cnam": str}),
    Documented(
        "GET",
        f"lrn/2125550145/{MAIN}",
        200,
        {
            "destination": TN,
            "ani": TN,
            "lrn": dict.fromkeys(
                ("ocn", "lecType", "city", "rc", "lrn", "jurisdiction", "local", "lata", "lec", "state"), str
            ),
        },
    ),
)

MESSAGES = (
    Documented(
        "GET",
        "numbers/messaging",
        200,
        {"numbers": [MESSAGING]},
        query={"numbers": f"{MAIN},3125550154,9175550161"},
        required=("numbers",),
    ),
    Documented(
        "POST",
        "messaging/brands",
        201,
        RESULT,
        body={"messagingBrandName": "Acme", "messagingBrandId": "BMQ8L9X", "messagingBrandDescription": "x"},
        required=("messagingBrandName", "messagingBrandId"),
    ),
    Documented(
        "POST",
        "messages",
        201,
        {
            "fromNumber": TN,
            "toNumber": TN,
            "id": str,
            "mediaUrls": [str],
            "parts": int,
            "type": {"mms"},
            "subject": str,
        },
        body={
            "text": "Reminder",
            "toNumber": "9175550161",
            "fromNumber": MAIN,
            "subject": "Hello",
            "mediaUrls": ["https://media.example.com/a.png"],
        },
        required=("text", "toNumber", "fromNumber"),
    ),
    Documented(
        "GET",
        "messages",
        200,
        {
            "toTs": int,
            "fromTs": int,
            "type": {"sms"},
            "number": TN,
            "messages": [
                {
                    "id": str,
                    "key": list,
                    "value": {
                        "direction": {"in", "out"},
                        "rate": str,
                        "message": str,
                        "number": int,
                    },
                }
            ],
        },
        query={"number": MAIN, "type": "sms", "from": "1779105600", "to": "1778846400"},
        required=("number",),
    ),
    Documented(
        "POST",
        "messaging/campaigns",
        201,
        RESULT,
        body={
            "externalCampaignId": "CXY1234",
            "campaignDescription": "Reminders",
            "messagingBrandId": "BBLUEW1",
            "campaignStartDate": "2026-05-18T12:00:00Z",
            "campaignClassName": "T",
        },
        required=("externalCampaignId", "campaignDescription", "messagingBrandId"),
    ),
    Documented(
        "GET",
        "messaging/campaigns",
        200,
        {"campaigns": [{"id": str, "status": str, "numbers": [TN]}]},
        query={"ids": "CBW7T2K,CBW9Q4M"},
        required=("ids",),
    ),
    Documented(
        "PUT",
        "messaging/health/alerts",
        200,
        {"enabled": bool},
        body={"enabled": False},
        required=("enabled",),
    ),
)
