"""The comparison at the end of a soak finds what it looks for."""

from benchmarks.soak.ledgers import Comparison, Recorded, Told, Unknown, compare

TOLD = [Told("call-1", "send", "done", "act_1"), Told("call-2", "send", "no answer"), Told("call-3", "ask", "proposed")]
RECORD = [
    Recorded("call-1", "act_1", "done"),
    Recorded("call-2", "act_2", "done"),
    Recorded("call-3", "act_3", "declined"),
]
RECEIVED = {"call-1": 1, "call-2": 1}
CUT = Unknown("act_2", "Nobody knows.", "drop_after")


def test_three_ledgers_that_agree_are_said_to_agree() -> None:
    found = compare(TOLD, RECORD, RECEIVED, [CUT])
    assert found == Comparison()
    assert found.agrees


def test_a_call_that_the_provider_never_got_is_lost() -> None:
    found = compare(TOLD, RECORD, {"call-1": 1})
    assert not found.agrees
    assert found.lost == ["call-2: 1 of its actions are done, received 0 times"]


def test_a_call_that_only_the_client_was_told_of_is_lost() -> None:
    found = compare(TOLD, RECORD[1:], {"call-2": 1})
    assert found.lost == ["call-1: the client was told that it is done, the record does not say so"]


def test_a_call_that_arrived_twice_is_doubled() -> None:
    found = compare(TOLD, RECORD, RECEIVED | {"call-1": 2})
    assert not found.agrees
    assert found.doubled == ["call-1: received 2 times, 1 of its actions are done"]


def test_a_call_that_was_declined_and_arrived_is_unrecorded() -> None:
    found = compare(TOLD, RECORD, RECEIVED | {"call-3": 1})
    assert found.unrecorded == ["call-3: received, and the record says act_3 declined"]
    assert compare([], [], {"call-9": 1}).unrecorded == ["call-9: received, and the record says no action"]


def test_an_outcome_that_stays_open_or_that_no_fault_explains_is_found() -> None:
    assert compare([], [Recorded("call-4", "act_4", "sending")], {}).left_open == ["act_4 is sending"]
    assert compare([], [], {}, [Unknown("act_5", "Nobody knows.", None)]).unexplained == ["act_5: Nobody knows."]
