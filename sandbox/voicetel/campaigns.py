"""10DLC brands and campaigns at the messaging network (operations 39, 42, 43)."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from sandbox.frame.wire import Answer
from sandbox.voicetel.endpoint import Call, operation
from sandbox.voicetel.fields import Text, comma_list
from sandbox.voicetel.state import Campaign
from sandbox.voicetel.wire import Refusal, created, success

UNKNOWN_STATUS = "CAMPAIGN_INVALID_ID"
"""The later SDK's status for an id nobody knows; 2.2.10 lists none."""
DONE = {"statusCode": "200", "status": "Success"}
"""What the network says of every registration that went through, with 201 around it."""
NEW_STATUS = "CAMPAIGN_PENDING_DCA"
"""The later SDK's status for a campaign that the carriers have yet to review."""


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


@operation("POST", "messaging/brands")
def register_brand(
    call: Call,
    *,
    messagingBrandName: Text,
    messagingBrandId: Annotated[str, StringConstraints(pattern=r"^B[A-Za-z0-9]+$")],
    messagingBrandDescription: str = "",
) -> Answer:
    """Register a brand; registry fees are billed elsewhere, so nothing is charged here."""
    if messagingBrandId in call.account.brands:
        # inferred: the network's validation is documented as 400, its rules are not
        raise Refusal(400, "The brand is registered already.")
    call.account.brands.add(messagingBrandId)
    return created(result=DONE)


@operation("POST", "messaging/campaigns")
def register_campaign(
    call: Call,
    *,
    externalCampaignId: Text,
    campaignDescription: Text,
    messagingBrandId: Text,
    campaignStartDate: Annotated[str, AfterValidator(_moment)] = "",
    campaignClassName: str = "T",
) -> Answer:
    """Register a campaign of a registered brand (inferred: the brand comes first)."""
    if messagingBrandId not in call.account.brands:
        raise Refusal(400, "The brand is not registered at the network.")
    if externalCampaignId in call.account.campaigns:
        raise Refusal(400, "The campaign is registered already.")
    call.account.campaigns[externalCampaignId] = Campaign(
        id=externalCampaignId,
        brand=messagingBrandId,
        description=campaignDescription,
        network="A",
        upstream="SFL9UTQ",
        status=NEW_STATUS,
    )
    return created(result=DONE)


@operation("GET", "messaging/campaigns")
def list_campaign_status(call: Call, *, ids: str) -> Answer:
    """List status and bound numbers of up to a hundred campaigns."""
    identifiers = comma_list(ids, 100, "campaign ids")
    for identifier in identifiers:
        if not re.fullmatch(r"[A-Za-z0-9]+", identifier):
            raise Refusal(400, "Campaign ids are alphanumeric.")
    return success(campaigns=[_status(call, identifier) for identifier in identifiers])


def _status(call: Call, identifier: str) -> dict[str, object]:
    campaign = call.account.campaigns.get(identifier)
    bound = [number.number for number in call.account.numbers.values() if number.campaign == identifier]
    return {"id": identifier, "status": campaign.status if campaign else UNKNOWN_STATUS, "numbers": bound}
