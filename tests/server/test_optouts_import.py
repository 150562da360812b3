"""An import of opt-outs adds every number of a file or none, and names each line that cannot be read."""

from pathlib import Path

import pytest

from tests.operator_side import OperatorSide

GOOD = "+12015550124\n\n(212) 555-0142\n44 7700 900123\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_a_file_that_can_be_read_is_added_as_a_whole(
    encoding: str, tmp_path: Path, operator: OperatorSide
) -> None:
    (tmp_path / "asked.txt").write_text(GOOD, encoding=encoding)
    done = await operator.run("optouts", "import", str(tmp_path / "asked.txt"))
    assert done.exit_code == 0, done.output
    assert await operator.opted_out() == ["+12015550124", "+12125550142", "+447700900123"]


async def test_each_line_that_cannot_be_read_is_named_and_nothing_is_added(
    tmp_path: Path, operator: OperatorSide
) -> None:
    lines = ["+12015550124", "Harbor", "", "+1201555", "number", "+447700900123", "911", "+19995551234x"]
    (tmp_path / "asked.txt").write_text("\n".join(lines), encoding="utf-8")
    refused = await operator.run("optouts", "import", str(tmp_path / "asked.txt"))
    assert refused.exit_code == 2
    for place, line in enumerate(lines, 1):
        is_named = f"  line {place}: {line}" in refused.output.splitlines()
        assert is_named == (line not in {"+12015550124", "", "+447700900123"}), line
    assert "Nothing was added, because 5 lines of asked.txt" in refused.output
    assert await operator.opted_out() == []


async def test_what_is_no_text_is_said_to_be_none(tmp_path: Path, operator: OperatorSide) -> None:
    (tmp_path / "asked.txt").write_bytes(b"\xff\xd8\xff\xe0 picture")
    for name in ("asked.txt", "missing.txt"):
        refused = await operator.run("optouts", "import", str(tmp_path / name))
        assert refused.exit_code == 2
        assert "nothing was added" in refused.output
