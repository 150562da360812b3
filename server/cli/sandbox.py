"""`ringfence sandbox`: serves the simulated providers on one port."""

from typing import Annotated

import anyio
import typer

from sandbox.serving import serve_sandbox
from server.cli.terminal import console, fail


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8700,
) -> None:
    """Serve the simulated providers, each under its name, and /_control until stopped."""

    async def run() -> None:
        async with serve_sandbox(port=port) as url:
            console.print(f"Simulated providers at {url} (each under its name; controls under /_control).")
            await anyio.sleep_forever()

    try:
        anyio.run(run)
    except OSError as failed:
        fail(f"Cannot listen on 127.0.0.1, port {port}: {failed.strerror or failed}.")
    except KeyboardInterrupt:
        console.print("Stopped.")
