"""The demo: four questions, and a no is a step that shows what a refusal looks like."""

import io
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from server.cli.demo import WIDEST
from server.demo.run import run_demo


async def test_whoever_says_no_four_times_sees_four_refusals_and_how_to_open_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\nn\nn\nn\n"))
    await run_demo(tmp_path, Console(file=printed, width=WIDEST), answers_itself=False, all_providers=False)
    told = printed.getvalue()
    assert re.findall(r"question (\d) of 4", told) == ["1", "2", "3", "4"]
    assert told.count("What the assistant gets") == 4
    assert "nothing was sent and nothing was charged" in told
    assert "is declined: a person said no, and nothing was sent." in " ".join(told.split())
    lines = told.replace("(n): ", "(n):\n").splitlines()  # nobody pressed Enter at this terminal
    assert max(map(len, lines)) <= WIDEST
    assert told.rstrip().endswith("ringfence approvals page --sandbox")
