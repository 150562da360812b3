"""What a server sends to a collector and writes into its log, from a process as users start it."""

from pathlib import Path

import anyio
import pytest

from clients.telemetry.instruments import DECLARED
from server.settings.errors import BadSettings
from server.settings.load import read_settings
from tests.telemetry.collector import facts_of
from tests.telemetry.watched import COLLECTOR_KEY, PRIVATE, TRACE, Watched, watch


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Watch a server once for all tests of this module."""
    return anyio.run(watch, tmp_path_factory.mktemp("watched"))


def test_a_guarded_call_is_a_trace_from_the_tool_over_the_stages_and_the_store_to_the_provider(
    watched: Watched,
) -> None:
    call = "tools/call voicetel_order_numbers"
    assert {
        f"{call} > guard: propose > guard: read prices > voicetel_get_account > GET /v2.2/account",
        f"{call} > guard: propose > guard: check rules and caps > store read",
        f"{call} > guard: propose > store write",
        f"{call} > guard: record a yes or no > store write",
        f"{call} > guard: execute > guard: check again > guard: check rules and caps > store read",
        f"{call} > guard: execute > voicetel_order_numbers > POST /v2.2/orders",
        f"{call} > guard: execute > guard: settle > store write",
        "tools/call run_plan > plan: run > plan: step > guard: execute > voicetel_send_message > POST /v2.2/messages",
    } <= watched.received.paths()
    assert watched.received.services == {"telephony"}
    assert watched.received.keys == {COLLECTOR_KEY}


def test_what_the_record_says_of_an_action_is_found_in_traces_by_its_id(watched: Watched) -> None:
    found = {
        one.name: facts_of(one)
        for one in watched.received.spans
        if facts_of(one).get("ringfence.action.id") == watched.order
    }
    assert {"tools/call voicetel_order_numbers", "store write", "voicetel_order_numbers"} == set(found)
    events = [facts_of(one).get("ringfence.event") for one in watched.received.named("store write")]
    assert {"proposed", "approved", "sending", "done", "denied", "declined", "plan done"} <= set(events)
    reads = {facts_of(one)["code.function.name"] for one in watched.received.named("store read")}
    assert {"StoredJournal.find", "StoredJournal.find_open", "StoredJournal.spent"} <= reads


def test_a_providers_request_has_its_template_and_no_address(watched: Watched) -> None:
    request = facts_of(watched.received.span("POST /v2.2/orders"))
    assert (request["url.template"], request["http.response.status_code"]) == ("/voicetel/v2.2/orders", "201")
    every = {name for one in watched.received.spans for name in facts_of(one)}
    assert every.isdisjoint({"url.full", "url.path", "url.query", "jsonrpc.request.id"})


def test_a_request_that_is_sent_again_is_another_span_of_the_same_call(watched: Watched) -> None:
    first, again = watched.received.named("GET /v2.2/numbers")
    assert (facts_of(first)["http.response.status_code"], facts_of(first)["error.type"]) == ("429", "429")
    assert (facts_of(again)["http.request.resend_count"], again.parent_span_id) == ("1", first.parent_span_id)


def test_a_clients_trace_is_continued_but_it_can_neither_hide_its_call_nor_add_a_text(watched: Watched) -> None:
    spans = {one.name for one in watched.received.spans if one.trace_id.hex() == TRACE}
    assert "POST /v2.2/orders" in spans
    assert {one.trace_state for one in watched.received.spans} == {""}


def test_a_tool_that_a_client_made_up_is_counted_and_its_name_is_nowhere(watched: Watched) -> None:
    assert len(watched.received.named("tools/call [not shown]")) == 2
    assert (
        watched.received.values["ringfence.tool.calls"][
            frozenset({("error.type", "UnknownTool"), ("ringfence.outcome", "error")})
        ]
        == 2
    )


def test_nothing_outside_a_call_is_a_trace_of_its_own(watched: Watched) -> None:
    roots = {one.name for one in watched.received.spans if not watched.received.parents_of(one)}
    assert not {name for name in roots if name.startswith("store ")}


def test_calls_decisions_and_the_provider_are_measured(watched: Watched) -> None:
    value = watched.received.value
    order = {"operation": "voicetel_order_numbers", "provider": "voicetel", "account": "voicetel"}
    assert value("tool.calls", tool="voicetel_order_numbers", outcome="answered") == 1
    assert value("tool.calls", tool="voicetel_order_numbers", outcome="error") == 1
    states = {state: value("actions", state=state, **order) for state in ("proposed", "approved", "sending", "done")}
    assert states == {"proposed": 1, "approved": 1, "sending": 1, "done": 1}
    assert value("actions", state="declined") == 1
    assert value("actions", operation="voicetel_send_message", state="done") == 2
    assert value("plans", state="done") == 1
    assert value("refusals", operation="voicetel_order_numbers", refusal="OverBudget") == 1
    assert value("refusals", refusal="BadPlan") == 1
    assert value("audit.rows", event="denied") == 2
    assert value("approval.duration", **order) == 1
    assert value("approval.duration") == 2
    assert value("provider.request.duration", **order) == 1
    assert (value("provider.retries"), value("provider.throttled")) == (1, 1)
    assert watched.received.scopes == {"ringfence"}
    assert set(watched.received.values) <= set(DECLARED)


def test_every_decision_is_a_line_of_the_log_that_says_whose_it_is_and_who_decided(watched: Watched) -> None:
    said = [line.partition(":")[0] for line in watched.lines(watched.order) if "HTTP" not in line]
    assert said == [f"{event} {watched.order}" for event in ("proposed", "approved", "sending", "done")]
    [approved] = [line for line in watched.lines(watched.order) if line.startswith("approved")]
    assert ": operation voicetel_order_numbers, account voicetel, principal local:" in approved
    assert ", in the client's form" in approved
    of_call, of_plan = [line for line in watched.log if line.get("event") == "denied"]
    assert (of_call["operation"], of_call["refusal"]) == ("voicetel_order_numbers", "OverBudget")
    assert (of_plan["steps"], of_plan["refusal"], "plan" in of_plan) == (1, "BadPlan", False)
    declined = watched.lines(watched.declined)[-1]
    assert declined.startswith("declined")
    assert "decided by the client of local:" in declined
    steps = [line for line in watched.lines(watched.plan) if line.startswith("sending act_")]
    assert [f"plan {watched.plan}, step {place}," in line for place, line in enumerate(steps, 1)] == [True, True]


def test_each_request_to_a_provider_is_a_line_with_its_figures(watched: Watched) -> None:
    [line] = [line for line in watched.log if watched.order in line["message"] and "HTTP" in line["message"]]
    assert line["message"].startswith("voicetel_order_numbers on voicetel: HTTP 201, 1 attempt, ")
    figures = {"operation": "voicetel_order_numbers", "provider": "voicetel", "status": 201, "attempts": 1}
    assert figures.items() <= line.items()
    warned = [line["message"] for line in watched.log if line["level"] == "warning"]
    assert warned[0].startswith("voicetel_list_numbers on voicetel: HTTP 429, too many requests")
    assert warned[1].startswith("voicetel_list_numbers on voicetel: HTTP 429, sent again in ")


@pytest.mark.parametrize("private", PRIVATE)
def test_nothing_private_is_sent_or_logged(private: str, watched: Watched) -> None:
    assert b"voicetel_send_message" in b"".join(watched.received.raw)
    assert private not in watched.written
    assert not any(private.encode() in raw for raw in watched.received.raw)


def test_a_key_of_the_collector_in_the_settings_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(f'[telemetry.headers]\nx-api-key = "{COLLECTOR_KEY}"\n', encoding="utf-8")
    with pytest.raises(BadSettings, match="RINGFENCE_TELEMETRY__HEADERS__NAME=VALUE") as refused:
        read_settings(file)
    assert COLLECTOR_KEY not in str(refused.value)
