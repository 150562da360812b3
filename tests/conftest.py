"""No test sees the settings or the store of the machine it runs on."""

import gc
import os
from pathlib import Path

import pytest

from tests.operator_side import OperatorSide


def pytest_configure() -> None:
    """Let the processes that tests start keep what they compile: each would compile our modules and the SDK anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """Keep what is loaded by now out of every later garbage collection: it stays until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("RINGFENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RINGFENCE_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("RINGFENCE_APPROVALS__PAGE", "off")  # tests of the page turn it on, at a port of their own
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def operator(tmp_path: Path) -> OperatorSide:
    """Return the operator of every server in this process; the environment set above names the store's folder."""
    return OperatorSide(tmp_path / "state")
