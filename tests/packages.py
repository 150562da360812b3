"""Installs what a release ships as people do: `uv tool install` and `pipx` from the files, and the unpacked bundle.

Run by `.ci/packages` as a program: `uv run python -m tests.packages FOLDER`, where FOLDER is empty. With the folder of
an unpacked bundle as a second word, that is tried too.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters

ROOT: Final = Path(__file__).resolve().parents[1]
OURS: Final = {name: value for name, value in os.environ.items() if not name.startswith(("RINGFENCE_", "VIRTUAL_ENV"))}
PIPX: Final = "pipx==1.8.0"


def main() -> None:
    """Build wheel and sdist, install each with each tool, and use what was installed."""
    base = Path(sys.argv[1]).resolve()
    _run(["uv", "build", "--out-dir", str(base / "dist"), str(ROOT)], OURS)
    wheel, sdist = next((base / "dist").glob("*.whl")), next((base / "dist").glob("*.tar.gz"))
    for tool, file in (("uv", wheel), ("uv", sdist), ("pipx", wheel)):
        home = base / f"{tool}-{file.suffix.strip('.')}"
        command = _install_with_uv(home, file) if tool == "uv" else _install_with_pipx(home, file)
        _use([str(command)], home, f"{'wheel' if file is wheel else 'sdist'}, installed by {tool}")
    if len(sys.argv) > 2:
        _use_bundle(Path(sys.argv[2]).resolve(), base / "bundle")


def _install_with_uv(home: Path, file: Path) -> Path:
    folders = {"UV_TOOL_DIR": str(home / "tools"), "UV_TOOL_BIN_DIR": str(home / "bin")}
    _run(["uv", "tool", "install", "--python", sys.executable, str(file)], OURS | folders)
    return home / "bin" / "ringfence"


def _install_with_pipx(home: Path, file: Path) -> Path:
    folders = {"PIPX_HOME": str(home / "tools"), "PIPX_BIN_DIR": str(home / "bin"), "PIPX_DEFAULT_BACKEND": "uv"}
    _run(["uv", "tool", "run", PIPX, "install", "--python", sys.executable, str(file)], OURS | folders)
    return home / "bin" / "ringfence"


def _use(command: Sequence[str], home: Path, what: str) -> None:
    """Set it up with `init` for a client, and start the server as that client's file says."""
    person = home / "home"
    person.mkdir(parents=True)
    environment = OURS | {"HOME": str(person), "XDG_CONFIG_HOME": str(person / ".config")}
    words = ["init", "--sandbox", "--no-passcode", "--client", "cursor", "--write"]
    _run([*command, *words], environment | {"XDG_STATE_HOME": str(person / "state")})
    entry = json.loads((person / ".cursor" / "mcp.json").read_text(encoding="utf-8"))["mcpServers"]["ringfence"]
    child = StdioServerParameters(command=entry["command"], args=entry["args"], env=environment, cwd=person)
    _report(f"{what}: `init` connects a client, which gets {anyio.run(_count_tools, child)} tools")


def _use_bundle(bundle: Path, home: Path) -> None:
    """Start the bundle as a client does: with nothing filled in, and with one account."""
    config: dict[str, Any] = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["server"]["mcp_config"]
    command: str = config["command"]
    home.mkdir()
    for filled, least in (({}, 0), ({"voicetel_api_key": "0" * 32}, 20)):
        values = {name: _fill_in(text, bundle, filled) for name, text in config["env"].items()}
        child = StdioServerParameters(
            command=shutil.which(command) or command,
            args=[_fill_in(word, bundle, filled) for word in config["args"]],
            env=OURS | values | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home)},
            cwd=home,
        )
        count = anyio.run(_count_tools, child)
        assert count >= least, count
        _report(f"bundle, with {len(filled)} of its settings: a client gets {count} tools")


def _fill_in(text: str, bundle: Path, filled: dict[str, str]) -> str:
    text = text.replace("${__dirname}", str(bundle))
    key = text.removeprefix("${user_config.").removesuffix("}")
    return filled.get(key, "") if text.startswith("${user_config.") else text


async def _count_tools(child: StdioServerParameters) -> int:
    async with Client(child) as client:
        return len((await client.list_tools()).tools)


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    ended = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"


def _report(what: str) -> None:
    sys.stdout.write(f"The {what}.\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
