"""Long lists are written as tables: nothing is lost, and no cell can pass for two."""

import json

from hypothesis import given
from hypothesis import strategies as st

from server.mcp.tabular import read_rows, render, tabulate

CELLS = st.one_of(st.text(max_size=20), st.integers(), st.none(), st.booleans())
PAIRS = st.lists(st.tuples(CELLS, CELLS), min_size=4, max_size=9)


@given(PAIRS)
def test_every_row_is_one_line_and_every_value_one_cell(pairs: list[tuple[object, object]]) -> None:
    rows = [{"number": number, "label": label} for number, label in pairs]
    lines = render({"total": len(rows), "numbers": rows}, "numbers").split("\n")
    assert json.loads(lines[0]) == {"total": len(rows)}
    assert len(lines) == 2 + len(rows)
    separators = lines[1].rpartition(": ")[2].count("|")
    assert all(line.count("|") == separators for line in lines[2:])


def test_what_is_the_same_in_all_rows_stands_above_them_once() -> None:
    rows = [{"number": f"+1201555010{digit}", "carrier": 17, "texts": True} for digit in range(5)]
    lines = render({"numbers": rows}, "numbers").split("\n")
    assert lines[0] == 'numbers (in all of them {"carrier":17,"texts":true}), a line each: number'
    assert lines[1:] == [row["number"] for row in rows]


def test_few_rows_and_rows_with_lists_of_objects_stay_objects() -> None:
    few: dict[str, object] = {"numbers": [{"number": "+12015550142"}]}
    nested: dict[str, object] = {"routes": [{"route": 1, "numbers": [{"number": "+12015550142"}]}] * 5}
    long: dict[str, object] = {"routes": [{"route": 1, "numbers": ["+12015550142"] * 9}] * 5}
    assert json.loads(render(few, "numbers")) == few
    assert json.loads(render(nested, "routes")) == nested
    assert json.loads(render(long, "routes")) == long


def test_the_fields_of_an_objects_object_are_columns_and_read_back_as_they_were() -> None:
    states = ("Delivered", "Undelivered", "Sent", "Failed")
    rows = [{"id": place, "status": {"name": name, "why": {"code": place}}, "groups": ["Recall", name]}
            for place, name in enumerate(states)]  # fmt: skip
    lines = render({"messages": rows}, "messages").split("\n")
    assert lines[0] == "messages, a line each: id|status.name|status.why.code|groups"
    assert lines[1] == "0|Delivered|0|Recall, Delivered"
    assert read_rows(tabulate({"messages": rows}, "messages")["messages"]) == rows
