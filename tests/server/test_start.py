"""What a server does before its first answer, for which clients wait."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from server.mcp.listing.registry import ToolRegistry
from tests.connecting import settings_for
from tools.registry import provider_names

SERVE_AND_TELL: Final = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
sys.argv = ["ringfence", "serve", "--toolsets", "all"]
import ringfence
ringfence.main()
"""

MESSAGES: Final[tuple[dict[str, Any], ...]] = (
    {
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    },
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/list", "params": {}},
)

OF_GUARD: Final = {
    "background",
    "errors",
    "injection.sanitize",
    "notices.event",
    "operator_commands",
    "operators.roles",
    "rules.policy",
}
OF_TOOLS: Final = {"provider", "registry", "selection", "suggestions"}
OF_CLIENTS: Final = {"deferred", "effects", "redaction", "settings"}
LIBRARIES: Final = {"alembic", "argon2", "dbos", "jinja2", "phonenumbers", "psycopg", "rich", "sqlalchemy"}


def test_until_it_has_listed_its_tools_it_loads_neither_guard_nor_store_nor_operations(tmp_path: Path) -> None:
    listed = ToolRegistry(settings_for(tmp_path)).listed  # a list is kept between starts
    environment = {
        **os.environ,
        "RINGFENCE_VOICETEL__API_KEY": "0123456789abcdef0123456789abcdef",
    }
    command = [sys.executable, "-c", SERVE_AND_TELL]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write("".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in MESSAGES))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        loaded = set(process.stderr.read().split())
    assert [tool["name"] for tool in answers[-1]["result"]["tools"]] == list(listed)
    assert "server.mcp.server" in loaded
    assert _modules(loaded, "guard.") <= OF_GUARD | {"injection", "notices", "operators", "rules"}
    assert {name for name in _modules(loaded, "clients.") if not name.startswith("shared")} <= OF_CLIENTS
    of_providers = {part for name in provider_names() for part in (name, f"{name}.settings")}
    assert _modules(loaded, "tools.") <= OF_TOOLS | of_providers | {"routee.personal_texts"}
    assert LIBRARIES & loaded == set()


def _modules(loaded: set[str], package: str) -> set[str]:
    return {name.removeprefix(package) for name in loaded if name.startswith(package)}


def test_an_http_server_without_an_authorization_server_loads_nothing_that_checks_signatures() -> None:
    code = (
        "import sys; from server.http.app import http_app; from server.services import Services\n"
        "from server.settings.load import read_settings; http_app(Services(read_settings()), '127.0.0.1', 8000)\n"
        "print(*sys.modules)"
    )
    environment = {**os.environ, "RINGFENCE_HTTP__TOKENS": '{"alice": "a-long-token-of-alice"}'}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, encoding="utf-8"
    )
    loaded = set(done.stdout.split())
    assert "server.http.oauth.access" in loaded
    assert {name for name in loaded if name.partition(".")[0] in {"joserfc", "oauthlib"}} == set()
    of_oauth = {"server.http.oauth", *(f"server.http.oauth.{name}" for name in ("access", "metadata", "refusals"))}
    assert {name for name in loaded if name.startswith("server.http.oauth")} <= of_oauth | {"server.http.oauth.errors"}
