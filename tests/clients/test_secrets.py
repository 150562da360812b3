"""Credentials stay out of logs, errors and addresses."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.errors import InvalidRequest, OutcomeUnknown, TelephonyError
from clients.fields import is_secret
from clients.redaction import HIDDEN, RedactingFilter, Redactor, names_a_secret, redact_answer, without_secrets
from sandbox.request_log import SECRET_FIELDS
from sandbox.voicetel.seed import API_KEY, PASSWORD, USERNAME
from tests.clients.accounts import Provider, account, answered_by, http_client, refused, sandboxes, success
from tests.clients.routee_accounts import sandboxes as routee_sandboxes
from tools.registry import all_operations
from tools.voicetel.operations.credentials import FetchApiKey
from tools.voicetel.operations.ordering import OrderNumbers
from tools.voicetel.operations.phone_numbers import AddNumber, ListNumbers

SECRET_NAMES = ["apiKey", "apikey", "password", "portOutPin", "pin", "auth_token", "access_token", "client_secret"]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Capture everything that is logged, past the filter."""
    past = RedactingFilter()
    caplog.set_level(logging.DEBUG)
    caplog.handler.addFilter(past)
    yield caplog
    caplog.handler.removeFilter(past)


async def test_a_login_and_a_call_leave_no_credentials_in_the_log_or_the_address(log: pytest.LogCaptureFixture) -> None:
    async with (
        sandboxes() as sandbox,
        account(sandbox, api_key=None, username=USERNAME, password=PASSWORD) as client,
    ):
        await client.send(ListNumbers())
        await client.send(FetchApiKey.model_validate({"username": USERNAME, "password": PASSWORD}))
        await client.send(OrderNumbers(numbers=["+12015550101"]))
        await sandbox.break_with("drop_after")
        with pytest.raises(OutcomeUnknown) as caught:
            await client.send(AddNumber(number="+12015550102"))
        logging.getLogger("ringfence").error("Lost with %s", {"password": PASSWORD}, exc_info=caught.value)
        addresses = [f"{row['path']} {row['query']}" for row in await sandbox.requests()]
    assert "POST" in log.text, "the HTTP library logs what it does"
    assert "Traceback" in log.text
    for secret in (API_KEY, PASSWORD):
        assert secret not in log.text
        assert not any(secret in address for address in addresses)


@pytest.mark.parametrize(
    "echo",
    [
        refused(400, f"The key {API_KEY} is not for this."),
        refused(400, f"authorization: Bearer {API_KEY}"),
    ],
)
async def test_a_provider_that_repeats_the_key_is_not_quoted_with_it(echo: Any) -> None:
    async with answered_by(Provider(echo)) as client:
        with pytest.raises(InvalidRequest, match=r"\[hidden\]") as caught:
            await client.send(ListNumbers())
    assert API_KEY not in str(caught.value)


async def test_an_odd_answer_that_holds_a_secret_is_not_quoted_with_it(log: pytest.LogCaptureFixture) -> None:
    odd = success({"apikey": {"of": "a-key-nobody-has-seen-before"}})
    fetch = FetchApiKey.model_validate({"username": USERNAME, "password": PASSWORD})
    async with answered_by(Provider(odd)) as client:
        with pytest.raises(OutcomeUnknown, match="it shows no api key") as caught:
            await client.send(fetch)
    logging.getLogger("ringfence").error("Odd", exc_info=caught.value)
    assert "nobody-has-seen" not in str(caught.value) + log.text
    assert "nobody-has-seen" not in redact_answer(caught.value.raw)


def test_secret_arguments_are_not_shown_by_the_call_that_holds_them() -> None:
    fetch = FetchApiKey.model_validate({"username": USERNAME, "password": PASSWORD})
    assert PASSWORD not in repr(fetch) + str(fetch) + fetch.model_dump_json()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
        ("api_key=abc&x=1", "abc"),
        ("x-api-key: abc", "abc"),
        ("password: hunter2, then", "hunter2"),
        ("{'password': 'hunter 2'}", "hunter 2"),
        ('{"password": "hun\\"ter2"}', "ter2"),
        ('{"body": "{\\"password\\": \\"hunter2\\"}"}', "hunter2"),
        ('{"portOutPin":"4711"}', "4711"),
        ('{"pin": 4711}', "4711"),
        ("application_secret=hunter2", "hunter2"),
        ("client-secret=hunter2", "hunter2"),
        ("refresh_token=hunter2", "hunter2"),
        ("https://x.test/?auth_token=hunter2&id=7", "hunter2"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, hidden: str) -> None:
    shown = Redactor()(text)
    assert hidden not in shown
    assert HIDDEN in shown
    assert Redactor()(shown) == shown


@pytest.mark.parametrize(
    "text",
    ["Number +12015550142 rings at 1000.", "The bearer of bad news", "The password is too short.", '{"spin": "left"}'],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redactor()(text) == text


def test_a_learned_secret_is_hidden_wherever_it_stands() -> None:
    redactor = Redactor()
    redactor.learn("Harbor2026")
    assert redactor("It was xHarbor2026x, they said.") == f"It was x{HIDDEN}x, they said."


@pytest.mark.parametrize("short", ["", "abc", "12345", "2015550100"])
def test_short_strings_and_numbers_are_not_learned_since_they_would_hide_ordinary_text(short: str) -> None:
    redactor = Redactor()
    redactor.learn(short)
    assert redactor(f"abc 12345 {short} 2015550100") == f"abc 12345 {short} 2015550100"


def test_a_secret_that_starts_with_another_is_hidden_to_its_end() -> None:
    redactor = Redactor()
    for secret in ("abcdefgh", "abcdefghijkl", "abcdef"):
        redactor.learn(secret)
    assert redactor("abcdefghijkl") == HIDDEN


@given(st.text(min_size=6).filter(lambda text: not text.isdigit() and text.strip() == text))
def test_a_learned_secret_is_hidden_as_json_spells_it_too(secret: str) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    assert redactor(json.dumps(["-", secret])) == f'["-", "{HIDDEN}"]'


def test_a_learned_secret_is_hidden_as_an_address_spells_it_too() -> None:
    redactor = Redactor()
    redactor.learn("p&ss w/rd")
    assert redactor("?a=p%26ss%20w%2Frd&b=p%26ss+w%2Frd") == f"?a={HIDDEN}&b={HIDDEN}"


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_secret_fields_are_known_by_name(name: str) -> None:
    assert names_a_secret(name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="abc "),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="abc"), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, st.sampled_from(SECRET_NAMES), st.lists(st.sampled_from(["list", "field"]), max_size=5))
def test_a_secret_field_is_hidden_at_any_depth_and_its_neighbours_are_kept(
    neighbour: Any, name: str, wrapping: list[str]
) -> None:
    value: Any = {"neighbour": neighbour, name: "XYZ-4711"}
    expected: Any = {"neighbour": neighbour, name: HIDDEN}
    for how in wrapping:
        value, expected = ([value], [expected]) if how == "list" else ({"in": value}, {"in": expected})
    assert without_secrets(value) == expected
    assert json.loads(redact_answer(json.dumps(value))) == expected


def test_an_answer_that_is_no_json_is_kept_without_what_looks_like_a_secret() -> None:
    assert redact_answer('{"password": "hunter2", "cut o') == f'{{"password": {HIDDEN}, "cut o'
    assert redact_answer("[" * 100_000).startswith("[[")


def test_a_traceback_is_logged_without_the_secret_in_it(log: pytest.LogCaptureFixture) -> None:
    try:
        raise TelephonyError("Bearer abcdef0123456789 does not open it")
    except TelephonyError:
        logging.getLogger("ringfence").exception("Failed for %s", "password=hunter2")
    assert "Traceback" in log.text
    assert "abcdef0123456789" not in log.text
    assert "hunter2" not in log.text


def test_a_record_that_is_logged_wrongly_does_not_break_the_call() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%d numbers, password=%s", ("ten", "hunter2"), None)
    assert RedactingFilter().filter(record)
    assert "hunter2" not in record.getMessage()
    assert sys.exc_info() == (None, None, None)


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "482913"}',
        "answer=482913",
        '{\\"answer\\": \\"482913\\"}',
        "otp: 482913",
        '{"one_time_code": "482913"}',
        "verificationCode=482913",
    ],
)
def test_a_one_time_code_is_hidden(text: str) -> None:
    assert "482913" not in Redactor()(text)


def test_an_answer_in_words_is_kept() -> None:
    assert Redactor()("The answer: no such number 12015550142.") == "The answer: no such number 12015550142."


@pytest.mark.parametrize("operation", all_operations().values(), ids=lambda operation: operation.spec.tool_name)
def test_every_secret_input_is_known_by_its_name_on_the_wire(operation: Any) -> None:
    for name, field in operation.model_fields.items():
        if is_secret(field.annotation):
            wire = field.serialization_alias or operation.spec.provider.wire_case(name)
            assert names_a_secret(wire)
            assert wire in WIRED or wire.lower() in SECRET_FIELDS


WIRED = {"shared_token"}
"""Secrets that are sent inside another field: a webhook's `static_value`."""


async def test_what_somebody_answers_to_a_verification_is_in_no_log_of_the_sandbox() -> None:
    async with routee_sandboxes() as sandbox, http_client() as http:
        await http.post(f"{sandbox.url}/routee/2step/none", data={"answer": "482913"})
        [row] = await sandbox.requests(path="2step")
    assert row["body"] == {"answer": "[redacted]"}
