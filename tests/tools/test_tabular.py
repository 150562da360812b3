"""Long lists are written as tables: nothing is lost, and no cell can pass for two."""

import json

from hypothesis import given
from hypothesis import strategies as st

from server.mcp.tabular import render

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


def test_few_rows_and_rows_with_parts_stay_objects() -> None:
    few: dict[str, object] = {"numbers": [{"number": "+12015550142"}]}
    nested: dict[str, object] = {"routes": [{"route": 1, "numbers": ["+12015550142"]}] * 5}
    assert json.loads(render(few, "numbers")) == few
    assert json.loads(render(nested, "routes")) == nested
