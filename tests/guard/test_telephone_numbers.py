"""Telephone numbers: which exist, which are one telephone, and what is said about one that is written wrongly."""

import random
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType, shortnumberinfo
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from sqlalchemy import create_engine, make_url, text

from clients.descriptions import argument_models, field_descriptions
from clients.phone_numbers import canonical, read_with_country_code, valid_form
from guard.errors import BadDestination
from guard.money import Money
from guard.rules.destinations import Destinations
from server.settings.model import settings_class
from server.settings.sandbox_settings import for_sandbox
from tests.connecting import Person, connect, server_for
from tests.sandbox_control import sandboxes
from tests.server.operating import ringfence
from tests.server.test_store import migrate
from tests.server.webhook_sender import listed_events, opened
from tools.registry import all_operations

WORLD: Final = Destinations(countries=frozenset(phonenumbers.SUPPORTED_REGIONS))
SOME_COUNTRIES: Final = ["US", "CA", "DE", "FR", "AR", "PT", "NO", "IN", "BR", "MX", "GB"]
EACH: Final = 3


def _valid_numbers() -> Iterator[str]:
    """Yield valid numbers of every country, those that begin like its emergency numbers first; always the same ones."""
    chance = random.Random(2026)  # noqa: S311 (no secret is made of it)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        short = phonenumbers.PhoneMetadata.short_metadata_for_region(region)
        emergency = short.emergency.national_number_pattern if short and short.emergency else None
        begins = [code for code in map(str, range(10, 1000)) if _is_emergency(code, region)] if emergency else []
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            national = phonenumbers.national_significant_number(example)
            for begin in ["", *begins, *[national[:2] + code for code in begins[:2]], *[""] * EACH]:
                keep = begin or national[:3]
                digits = keep + "".join(str(chance.randrange(10)) for _ in range(len(national) - len(keep)))
                number = phonenumbers.parse(f"+{example.country_code}{digits}")
                usual = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
                if phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in usual:
                    yield phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_emergency(code: str, region: str) -> bool:
    return shortnumberinfo.is_emergency_number(code, region)


def test_no_valid_number_of_any_country_is_refused() -> None:
    numbers = list(_valid_numbers())
    assert len(numbers) > 1500
    WORLD.check(numbers)


async def test_such_a_number_is_texted_alone_and_in_a_campaign(tmp_path: Path) -> None:
    numbers = ["+4991123456", "+33153456789", "+5491155550100", "+351911234567", "+4791123456", "+911123456789"]
    person = Person("decline")
    async with sandboxes() as sandbox:
        _, server = server_for(_settings(tmp_path, sandbox.url))
        async with connect(server, person=person) as client:
            calls: list[tuple[str, dict[str, Any]]] = [
                ("routee_send_sms", {"sender": "Harbor", "to": numbers[0], "text": "We open."}),
                (
                    "routee_send_campaign",
                    {"sender": "Harbor", "to": numbers, "text": "We open.", "when": "now", "campaign_name": "Open"},
                ),
            ]
            for tool, arguments in calls:
                refused: dict[str, Any] = (await client.call_tool(tool, arguments)).structured_content or {}
                assert refused.get("error") not in {"DestinationRefused", "BadDestination", "BadArguments"}, refused
    assert len(person.questions) == 2


SAME: Final = {
    "+5215562000000": "+525562000000",
    "+52 1 55 6200 0000": "+525562000000",
    "+5491155550100": "+541155550100",
    "+541155550100": "+541155550100",
    "+54 9 11 5555-0100": "+541155550100",
    "+553191234567": "+5531991234567",
    "+22961234567": "+2290161234567",
    "+841621234567": "+84321234567",
    "+44 (0)7700 900123": "+447700900123",
    "+1\u2011201\u2010555\u20130142": "+12015550142",
    "\u202a+1\u00a0201\u2009555\u202f0142\u202c": "+12015550142",
    "+39 06 1234 5678": "+390612345678",
}
"""What a telephone is written as, and the one form by which it is compared."""


@pytest.mark.parametrize("written", SAME)
def test_one_telephone_has_one_form(written: str) -> None:
    assert canonical(written) == SAME[written]
    assert canonical(SAME[written]) == SAME[written]


@pytest.mark.parametrize("text", ["", "+", "Harbor", "911", "+12015550", "5551212", "+1201555014\uff12", "+0123456789"])
def test_what_is_no_number_has_no_form(text: str) -> None:
    assert canonical(text) is None


@pytest.mark.parametrize(
    ("posted", "read"),
    [
        ("5215562000000", "+525562000000"),
        ("447700900123", "+447700900123"),
        ("00447700900123", "+447700900123"),
        ("9175550199", "+19175550199"),  # with the country code of India it would be too short
        ("2015550142", None),  # New Jersey without its 1, or Egypt without its plus
        ("911", None),
        ("Harbor", None),
    ],
)
def test_digits_of_a_provider_are_a_number_where_only_one_can_be_meant(posted: str, read: str | None) -> None:
    assert read_with_country_code(posted) == read


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [
        ("5215562000000", "+525562000000"),
        ("+5491155550100", "+541155550100"),
        ("541155550100", "+5491155550100"),
        ("553191234567", "+5531991234567"),
    ],
)
async def test_a_stop_counts_for_every_form_of_its_sender(sender: str, recipient: str, tmp_path: Path) -> None:
    person = Person()
    async with opened(tmp_path, destinations={"countries": SOME_COUNTRIES}) as (inbox, _):
        assert await inbox.post("inbound", _inbound(sender, "STOP")) == 200
        async with inbox.client(person=person) as client:
            words = {"sender": "Harbor", "to": recipient, "text": "We open at nine."}
            refused: dict[str, Any] = (await client.call_tool("routee_send_sms", words)).structured_content or {}
        assert f"{recipient} opted out" in refused["message"]
        assert len(await listed_events(inbox, number=recipient)) == 1
    assert person.questions == []


async def test_ten_digits_without_a_country_opt_out_nobody_in_india(tmp_path: Path) -> None:
    async with opened(tmp_path) as (inbox, _):
        assert await inbox.post("inbound", _inbound("9175550199", "STOP")) == 200
        listed = await ringfence(inbox.folder, "optouts", "list")
    assert "+19175550199" in listed
    assert "+9175550199" not in listed


async def test_opt_outs_of_the_first_version_keep_their_telephones_and_what_is_no_number_stays(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.db"
    migrate(make_url(f"sqlite:///{file}"), to="0001")
    before = ["+5215562000000", "+525562000000", "+5491155550100", "+12125550142", "no number"]
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        for place, number in enumerate(before):
            row = {"number": number, "at": f"2026-01-0{place + 1}T00:00:00.000000+00:00", "source": f"source {place}"}
            connection.execute(text("INSERT INTO optouts (number, at, source) VALUES (:number, :at, :source)"), row)
    engine.dispose()
    listed = (await ringfence(tmp_path, "optouts", "list")).splitlines()
    assert listed == [
        "+12125550142  source 3",
        "+525562000000  source 0",
        "+541155550100  source 2",
        "no number  source 4",
    ]


async def test_the_operator_takes_a_telephone_off_in_any_of_its_forms(tmp_path: Path) -> None:
    await ringfence(tmp_path, "approvals", "passcode", typed="harbor lights 26\n")
    assert "1 added" in await ringfence(tmp_path, "optouts", "add", "5215562000000", "+525562000000")
    assert "0 added" in await ringfence(tmp_path, "optouts", "add", "+52 1 55 6200 0000")
    await ringfence(tmp_path, "optouts", "remove", "+525562000000", typed="harbor lights 26\n")
    assert await ringfence(tmp_path, "optouts", "list") == "No opt-outs.\n"


async def test_the_same_text_to_a_telephone_in_another_form_is_a_repetition(tmp_path: Path) -> None:
    person = Person("decline")
    async with sandboxes() as sandbox:
        _, server = server_for(_settings(tmp_path, sandbox.url))
        async with connect(server, person=person) as client:
            for to in ("+5491155550100", "+541155550100", "+5491155550101"):
                await client.call_tool("routee_send_sms", {"sender": "Harbor", "to": to, "text": "We open at nine."})
    assert ["Exactly this was declined" in question for question in person.questions] == [False, True, False]


WRONG_FORMS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("routee_send_sms", {"sender": "Harbor", "to": "+44 (0)7700 900123", "text": "Hi"}, "write +447700900123"),
    ("routee_send_sms", {"sender": "Harbor", "to": "00447700900123", "text": "Hi"}, "write +447700900123"),
    ("routee_send_sms", {"sender": "Harbor", "to": "+5215562000000", "text": "Hi"}, "write +525562000000"),
    ("routee_send_sms", {"sender": "Harbor", "to": "9175550199", "text": "Hi"}, "write +19175550199"),
    ("routee_send_sms", {"sender": "Harbor", "to": "nobody", "text": "Hi"}, "such as +12015550123"),
    ("routee_send_sms", {"sender": "Harbor", "to": "+12015550", "text": "Hi"}, "its area code is missing"),
    ("routee_send_sms", {"sender": "Harbor", "to": "+19995551234", "text": "Hi"}, "its area code does not exist"),
    (
        "voicetel_send_message",
        {"from_number": "+12015550142", "to_number": "+19995551234", "text": "Hi"},
        "its area code does not exist",
    ),
    (
        "voicetel_send_message",
        {"from_number": "+12015550142", "to_number": "+442079460958", "text": "Hi"},
        "is not a US or Canadian number, such as +12015550123",
    ),
    (
        "enswitch_send_text",
        {"snumber": "+12015550142", "cnumber": "+44 (0)7700 900123", "message": "Hi"},
        "write +447700900123",
    ),
    (
        "enswitch_make_call",
        {"snumber": "12015550142", "stype": "external", "ctype": "external", "cnumber": "5215562000000"},
        "+525562000000",
    ),
)
"""Tool, arguments, and what the answer says about the right form."""

UNSENDABLE: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("routee_send_sms", {"sender": "Harbor", "to": "+12125550142", "text": "\u200b\u2060 \u3164"}, "shows nothing"),
    ("routee_send_sms", {"sender": "911", "to": "+12125550142", "text": "Hi"}, "not a complete number"),
    ("routee_send_sms", {"sender": "9-1-1", "to": "+12125550142", "text": "Hi"}, "not a complete number"),
    ("routee_send_sms", {"sender": "+112", "to": "+12125550142", "text": "Hi"}, "not a complete number"),
    ("routee_send_sms", {"sender": "9175550199", "to": "+12125550142", "text": "Hi"}, "write +19175550199"),
    (
        "voicetel_send_message",
        {"from_number": "+12015550142", "to_number": "+12125550142", "text": "\ufeff\u00ad"},
        "at least one visible character",
    ),
    (
        "voicetel_send_message",
        {"from_number": "+12015550142", "to_number": "+12125550142", "text": "a" * (153 * 255 + 1)},
        "at most 255",
    ),
    (
        "voicetel_send_message",
        {"from_number": "911", "to_number": "+12125550142", "text": "Hi"},
        "not a US or Canadian",
    ),
    (
        "convirza_create_broadcast",
        {
            "name": "Open",
            "message": "\u2800\ufe0f",
            "from_number": "+12015550142",
            "recipients": ["+12125550142"],
            "when": "now",
        },
        "shows nothing",
    ),
    ("enswitch_send_text", {"snumber": "12015550142", "cnumber": "12125550142", "message": "\u200d"}, "shows nothing"),
    ("enswitch_send_text", {"snumber": "999", "cnumber": "12125550142", "message": "Hi"}, "not a complete number"),
    (
        "enswitch_make_call",
        {
            "snumber": "12015550142",
            "stype": "external",
            "ctype": "external",
            "cnumber": "12125550142",
            "callerid2": "911",
        },
        "emergency number or a special service",
    ),
)
"""Tool, arguments, and why nobody is asked about it."""


async def test_faults_are_answered_with_what_would_be_right_before_anybody_is_asked(tmp_path: Path) -> None:
    person = Person()
    async with sandboxes() as sandbox:
        _, server = server_for(_settings(tmp_path, sandbox.url))
        async with connect(server, person=person) as client:
            for tool, arguments, right in (*WRONG_FORMS, *UNSENDABLE):
                result = await client.call_tool(tool, arguments)
                shown = "\n".join(getattr(block, "text", "") for block in result.content)
                assert result.is_error, (tool, arguments)
                assert right in shown, (tool, arguments, shown)
                assert "nothing was sent" in shown
                assert "only the operator" not in shown
        assert await sandbox.charges() == []
    assert person.questions == []


async def test_typographic_hyphens_and_blanks_are_no_fault(tmp_path: Path) -> None:
    person = Person("decline")
    async with sandboxes() as sandbox:
        _, server = server_for(_settings(tmp_path, sandbox.url))
        async with connect(server, person=person) as client:
            for tool, arguments in (
                ("routee_send_sms", {"sender": "Harbor", "to": "+44\u20117700\u2010900\u2212123", "text": "Hi"}),
                (
                    "voicetel_send_message",
                    {"from_number": "(201)\u00a0555\u20110142", "to_number": "212\u2013555\u20140142", "text": "Hi"},
                ),
            ):
                await client.call_tool(tool, arguments)
    assert ["+447700900123" in person.questions[0], "+12125550142" in person.questions[1]] == [True, True]


def test_a_former_form_is_refused_with_the_one_of_today() -> None:
    with pytest.raises(BadDestination, match=r"the number is \+5531991234567 today; nothing was sent"):
        WORLD.check(["+553191234567"])
    assert valid_form("+553191234567") == "+5531991234567"


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("300", "JPY", "300 JPY"),
        ("1250000", "VND", "1,250,000 VND"),
        ("2.5", "KWD", "2.500 KWD"),
        ("0.5", "JPY", "0.5 JPY"),
        ("-12", "ISK", "-12 ISK"),
        ("1", "CLF", "1.0000 CLF"),
        ("2", "USD", "$2.00"),
        ("0.0075", "USD", "$0.0075"),
        ("2", "CHF", "2.00 CHF"),
    ],
)
def test_amounts_carry_the_decimals_of_their_currency(amount: str, currency: str, shown: str) -> None:
    assert str(Money(Decimal(amount), currency)) == shown


def _inbound(sender: str, words: str) -> dict[str, Any]:
    return {"messageId": f"in-{sender}", "from": sender, "to": "+12015550142", "message": words}


def _settings(folder: Path, url: str, **more: Any) -> Any:
    base = {"state_folder": folder, "toolsets": ["all"], "destinations": {"countries": SOME_COUNTRIES}, **more}
    return for_sandbox(settings_class().model_validate(base), url)


SENDER_NAMES: Final = re.compile(r"(^|_)(caller_?id[0-9]?|snumber|sender|originator|from_number|caller)$")
SAYS_SENDER: Final = re.compile(r"caller id|sends it|sender", re.IGNORECASE)

NO_SENDERS: Final = re.compile(
    r"convirza_\w+_webhook\.shared_token"  # a secret
    r"|enswitch_\w+\.caller_prefix"  # which callers a route or price is for
    r"|enswitch_create_speeddial\.snumber"  # the line that dials
    r"|enswitch_make_call\.snumber"  # an end of the call, which is checked as a destination
    r"|routee_\w+\.sender_id"  # the id of a Viber service
)
"""Arguments that are named or described like senders, and what they are."""


def test_no_argument_of_any_operation_lets_somebody_call_or_text_as_an_emergency_or_special_number() -> None:
    """Whatever is shown as the caller or the sender, at every provider, nested settings included."""
    checked = {place: field for place, field in _sender_like() if not NO_SENDERS.fullmatch(place)}
    taken = {
        place: numbers
        for place, field in checked.items()
        if (numbers := [number for number in ("911", "112", "988", "+911", "9-1-1") if _takes(field, number)])
    }
    assert taken == {}
    assert len(checked) > 20
    assert {place.partition("_")[0] for place in checked} == {"convirza", "enswitch", "routee", "voicetel"}


def _sender_like() -> Iterator[tuple[str, FieldInfo]]:
    """Yield the arguments that are named or described like senders and take a text."""
    for tool, operation in all_operations().items():
        if operation.spec.effect.is_plain_read:
            continue
        for model in argument_models(operation):
            said = field_descriptions(model)
            for name, field in model.model_fields.items():
                is_named_so = SENDER_NAMES.search(name) or SAYS_SENDER.search(said.get(name, ""))
                if is_named_so and _takes(field, "+12015550142"):
                    yield f"{tool}.{name}", field


def _takes(field: FieldInfo, value: str) -> bool:
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True
