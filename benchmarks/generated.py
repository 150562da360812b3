"""The server to compare with that `fastmcp` generates from the provider's published OpenAPI document.

`PYTHON -m benchmarks.generated DOCUMENT [PORT]`, with a Python that has `fastmcp` installed. The project does not
depend on it, so this module loads it by name.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2


def main() -> None:
    """Serve over stdio, or over HTTP on a port."""
    fastmcp: Any = import_module("fastmcp")
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    http = httpx2.AsyncClient(
        base_url=os.environ["BARE_URL"], headers={"Authorization": f"Bearer {os.environ['BARE_KEY']}"}
    )
    server = fastmcp.FastMCP.from_openapi(document, client=http, name="generated")
    if len(sys.argv) > 2:
        server.run(
            "http", show_banner=False, port=int(sys.argv[2]), path="/mcp", stateless_http=True, log_level="WARNING"
        )
    else:
        server.run("stdio", show_banner=False, log_level="WARNING")


if __name__ == "__main__":
    main()
