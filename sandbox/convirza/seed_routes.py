"""The seeded routes; those of Bluewater ring telephone numbers that the company has at VoiceTel."""

from datetime import timedelta

from sandbox.convirza.records import ProvisionedRoute
from sandbox.convirza.route_body import RouteBody
from sandbox.convirza.state import State

ROUTED_NUMBERS = (
    # phone_number_id, number, unit
    (45101, "2015550201", 70035),
    (45102, "2125550202", 70036),
    (45103, "3055550203", 70037),
    (45104, "5125550204", 70038),
    (45105, "7205550205", 60001),
    (45106, "2015550206", 70035),
    (45201, "2065550211", 90001),
)

ROUTES: tuple[tuple[int, tuple[int, ...], dict[str, object], dict[str, object]], ...] = (
    # id, phone_number_ids, top-level fields, routing configuration
    (
        12301,
        (45101, 45106),
        {
            "provisioned_route_name": "Google Ads - Hackensack",
            "call_value": 100,
            "repeat_interval": 30,
            "org_unit_id": 70035,
            "webhook_id": 1,
            "sms_enabled": True,
            "spam_enabled": True,
            "sms_settings": {
                "assigned_users": [84784, 84785],
                "sms_notifications": True,
                "email_notifications": True,
                "unclaimed_sms": True,
            },
            "customSourceList": [{"custom_source_id": "1080", "custom_source_type": "CS1"}],
        },
        {
            # the company's main number at VoiceTel
            "ringto": "2015550142",
            "dnis_as_cid": "phone_number",
            "voice_prompt": "Thank you for calling. Please wait while we connect your call.",
            "whisper_enabled": True,
            "whisper_type": "text",
            "whisper_message": "Call from Google Ads",
            "ftc_whisper_enabled": "1",
            "ftc_whisper_type": "file",
            "ftc_whisper_message": "qLMcUEqb_1660813454043",
            "message_enabled": "1",
            "message_type": "file",
            "message": "fBiYF5MG_1674141425479",
            "activate_voicemail": True,
            "voicemail_greeting": "Please leave a message after the beep.",
            "voicemail_rings_count": "5",
            "play_disclaimer": "before",
            "record_call": True,
            "overflowNumbers": [
                {
                    "number": "(201)-555-0144",
                    "rings": "3",
                    "overflow_order": 1,
                    "unmaskNumber": "2015550144",
                    "overflowNumber": "2015550144",
                }
            ],
        },
    ),
    (
        12302,
        (45102,),
        {
            "provisioned_route_name": "Subway posters - Manhattan",
            "call_value": 80,
            "repeat_interval": 30,
            "org_unit_id": 70036,
            "sms_enabled": True,
        },
        {"ringto": "2125550145", "record_call": True, "play_disclaimer": "before"},
    ),
    (
        12303,
        (45103,),
        {"provisioned_route_name": "Yelp - Miami", "call_value": 60, "repeat_interval": 14, "org_unit_id": 70037},
        {
            "ringto": "3055550148",
            "activate_voiceagent": True,
            "route_voice_agent_enabled": True,
            "voice_agent_rings_count": 3,
            "voice_agent_id": 683,
            "record_call": True,
            "play_disclaimer": "before",
        },
    ),
    (
        12304,
        (45104,),
        {
            "provisioned_route_name": "Spring mailer - Austin",
            "provisioned_route_status": "inactive",
            "call_value": 50,
            "org_unit_id": 70038,
        },
        # a fax line at VoiceTel: whoever switches this route on sends callers to a fax tone
        {"ringto": "5125550150"},
    ),
    (
        12305,
        (45105,),
        {"provisioned_route_name": "Denver referral line", "call_value": 40, "org_unit_id": 60001},
        # forwarded at VoiceTel to the main number, so two providers decide where these calls end
        {"ringto": "7205550151"},
    ),
    (
        12390,
        (45201,),
        {"provisioned_route_name": "Northgate intake", "org_unit_id": 90001},
        {"ringto": "2065550188"},
    ),
)


def add_routes(state: State) -> None:
    """Write the routes and give them their numbers."""
    created = state.clock.now() - timedelta(days=270)
    for identifier, numbers, fields, config in ROUTES:
        body = RouteBody.model_validate(
            {**fields, "routing_configuration": {"routing_type": "simple", "config": config}}
        )
        unit = body.org_unit_id
        if unit is None:
            raise ValueError(f"seeded route {identifier} names no org unit")
        state.routes[identifier] = ProvisionedRoute(identifier, unit, body, created, created)
        for number in numbers:
            state.numbers[number].route_id = identifier
