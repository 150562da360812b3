"""The messaging state of numbers and their campaigns (operations 38, 57, 62, 63, 65, 66)."""

from typing import Annotated

from pydantic import StringConstraints

from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import comma_list, is_tn
from sandbox.voicetel.phone_numbers import OwnNumber
from sandbox.voicetel.state import Account, Campaign, Number
from sandbox.voicetel.wire import Refusal, success

CARRIERS = {"A": 17, "B": 19}
"""The outbound carrier of each path; 17 is the documented sample, 19 the later SDK's number for path B."""

CampaignId = Annotated[str, StringConstraints(pattern=r"^C[A-Z0-9]{6}$")]


@operation("GET", "numbers/messaging")
def list_messaging(call: Call, *, numbers: str) -> Answer:
    """List the state of up to a thousand numbers; foreign ones come back with onAccount false."""
    wanted = _numbers(numbers)
    return success(numbers=[_state_of(call.account, number) for number in wanted])


@operation("GET", "numbers/{number}/messaging")
def show_messaging(call: Call, number: OwnNumber) -> Answer:
    """Show the state of one number."""
    return success(_state_of(call.account, number.number))


@operation("PATCH", "numbers/{number}/messaging")
def change_routes(call: Call, number: OwnNumber, *, routeIn: int | None = None, routeOut: int | None = None) -> Answer:
    """Change the inbound row, the outbound carrier, or both."""
    if routeIn is None and routeOut is None:
        raise Refusal(400, "At least one of routeIn and routeOut is required.")
    if routeIn and routeIn not in call.account.sms_routes:
        raise Refusal(403, "routeIn is not a row of this account.")
    if routeOut and routeOut not in CARRIERS.values():
        # inferred: the carrier ids themselves are not published
        raise Refusal(400, "routeOut is not a known carrier.")
    if routeIn is not None:
        number.sms_row = routeIn
    if routeOut is not None:
        number.carrier = routeOut
    return success(
        number=number.number,
        updated=[name for name, value in (("routeIn", routeIn), ("routeOut", routeOut)) if value is not None],
    )


@operation("PUT", "numbers/{number}/messaging-campaign")
def assign_campaign(
    call: Call, number: OwnNumber, *, campaignId: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+$")]
) -> Answer:
    """Bind a number to a campaign; a binding on the other path is cleared.

    `status` and `alreadyAssigned` are not in 2.2.10: the vendor's SDK has them since 2.2.14.
    """
    campaign = call.account.campaigns.get(campaignId)
    if campaign is None:
        raise Refusal(404, "Campaign not found.")
    previous = _network_of(call.account, number)
    was_bound = number.campaign == campaign.id
    number.campaign = campaign.id
    number.carrier = CARRIERS.get(campaign.network or "", 0)
    return success(
        number=number.number,
        campaignId=campaign.id,
        network=campaign.network,
        upstreamCnpId=campaign.upstream,
        carrier=number.carrier,
        previousNetwork=previous,
        previousNetworkCleared=previous is not None and previous != campaign.network,
        status="already" if was_bound else "enabled",
        alreadyAssigned=was_bound,
    )


@operation("DELETE", "numbers/{number}/messaging-campaign")
def unassign_campaign(call: Call, number: OwnNumber, *, campaignId: CampaignId) -> Answer:
    """Unbind a number. `unassigned` is true on every 200 (inferred: also where it was not bound to this campaign)."""
    campaign = _campaign(call.account, campaignId)
    _unbind(number, campaign)
    return success(
        number=number.number,
        campaignId=campaign.id,
        network=campaign.network,
        upstreamCnpId=campaign.upstream,
        unassigned=True,
    )


@operation("DELETE", "numbers/messaging-campaign")
def unassign_campaign_in_bulk(call: Call, *, campaignId: CampaignId, numbers: str) -> Answer:
    """Unbind up to a thousand numbers from one campaign, as far as they are bound to it."""
    wanted = _numbers(numbers)
    campaign = _campaign(call.account, campaignId)
    if campaign.network is None:
        raise Refusal(409, "The campaign is on an unsupported messaging path.")
    unassigned: list[str] = []
    failed: list[dict[str, object]] = []
    for text in wanted:
        number = call.account.numbers.get(text)
        if number is None:
            failed.append({"number": text, "reason": "Number not on account"})
        elif _unbind(number, campaign):
            unassigned.append(text)
        else:
            failed.append({"number": text, "reason": "Number not assigned to this campaign"})
    return success(
        campaignId=campaign.id,
        network=campaign.network,
        upstreamCnpId=campaign.upstream,
        unassignedNumbers=unassigned,
        failed=failed,
    )


def messaging_is_enabled(number: Number) -> bool:
    """Return whether a number may send; inferred: it needs an outbound carrier and a campaign."""
    return number.carrier != 0 and number.campaign is not None


def _numbers(text: str) -> list[str]:
    numbers = comma_list(text, 1000, "numbers")
    for number in numbers:
        if not is_tn(number):
            raise Refusal(400, f"{number} is not a ten-digit telephone number.")
    return numbers


def _campaign(account: Account, identifier: str) -> Campaign:
    """inferred: an unknown campaign is a bad request, since 404 means that the number is not yours."""
    campaign = account.campaigns.get(identifier)
    if campaign is None:
        raise Refusal(400, "Unknown campaign.")
    return campaign


def _unbind(number: Number, campaign: Campaign) -> bool:
    if number.campaign != campaign.id:
        return False
    number.campaign = None
    return True


def _network_of(account: Account, number: Number) -> str | None:
    campaign = account.campaigns.get(number.campaign or "")
    return campaign.network if campaign else None


def _state_of(account: Account, text: str) -> dict[str, object]:
    number = account.numbers.get(text)
    if number is None:
        nothing: dict[str, object] = {"carrier": 0, "network": None, "routeIn": 0, "resource": "", "campaign": None}
        return {"number": text, "onAccount": False, "enabled": False, **nothing}
    campaign = account.campaigns.get(number.campaign or "")
    route = account.sms_routes.get(number.sms_row)
    return {
        "number": text,
        "enabled": messaging_is_enabled(number),
        "carrier": number.carrier,
        "network": _network_of(account, number),
        "routeIn": number.sms_row,
        "resource": route.resource if route else "",
        "campaign": campaign
        and {
            "id": campaign.id,
            "upstreamCnpId": campaign.upstream,
            "status": campaign.status,
            "network": campaign.network,
        },
    }
