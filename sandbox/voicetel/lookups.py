"""Lookups that are billed one by one (operations 36 and 37)."""

import hashlib

from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import path_number
from sandbox.voicetel.inventory import RATE_CENTERS, RateCenter
from sandbox.voicetel.wire import Refusal, success

_CENTERS = {center.npa: center for center in RATE_CENTERS}
_ELSEWHERE = RateCenter("", "KS", "Wichita", "WICHITA", "532")


@operation("GET", "cnam/{number}")
def look_up_caller_name(call: Call) -> Answer:
    """Return the caller name of a number; 402 if the service is off or the cash is short."""
    number = path_number(call.path["number"])
    if not call.account.services.get("cnam", False):
        raise Refusal(402, "CNAM service is not enabled.")
    call.state.charge(call.account, "cnam", 1, call.account.rates["cnam"], number)
    return success(number=number, cnam=call.state.caller_names.get(number) or _regional_name(number))


@operation("GET", "lrn/{number}/{ani}")
def look_up_routing(call: Call) -> Answer:
    """Return routing number and carrier of a destination as seen from a caller; 402 if cash is short (inferred)."""
    destination = path_number(call.path["number"])
    ani = path_number(call.path["ani"])
    call.state.charge(call.account, "lrn", 1, call.account.rates["lrn"], destination)
    center, origin = _center_of(destination), _center_of(ani)
    pick = int(hashlib.sha256(destination.encode()).hexdigest()[:4], 16)
    return success(
        destination=destination,
        ani=ani,
        lrn={
            "lrn": f"{destination[:6]}0000",
            "ocn": f"{6000 + pick % 900}",
            "lec": ("LAKESHORE TELECOM", "SUMMIT WIRELESS", "PRAIRIE BELL")[pick % 3],
            "lecType": ("CLEC", "WIRELESS", "RBOC")[pick % 3],
            "city": center.city.upper(),
            "state": center.state,
            "rc": center.name,
            "lata": center.lata,
            "jurisdiction": "INTRASTATE" if center.state == origin.state else "INTERSTATE",
            "local": "Y" if center.lata == origin.lata else "N",
        },
    )


def _center_of(number: str) -> RateCenter:
    return _CENTERS.get(number[:3], _ELSEWHERE)


def _regional_name(number: str) -> str:
    """Return what a number without a registered name shows: its place, cut to fifteen characters."""
    center = _CENTERS.get(number[:3])
    return f"{center.city.upper()[:12]} {center.state}".strip()[:15] if center else "UNAVAILABLE"
