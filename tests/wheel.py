"""Builds the wheel, installs it alone, and starts it from a folder that has its own `tools/` and `server/`.

Run by CI as a program: `uv run python -m tests.wheel`. MCP clients start servers in exactly such folders.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Build, install, start; leaves with a traceback if any of it fails."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        _run("uv", "build", "--wheel", "--out-dir", str(base / "dist"), str(ROOT))
        wheel = next((base / "dist").glob("*.whl"))
        _run("uv", "venv", str(base / "venv"))
        python = base / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        _run("uv", "pip", "install", "--python", str(python), str(wheel), "--constraints", str(_constraints(base)))
        hostile = _hostile(base / "project")
        for python_path in (None, "."):
            tools = anyio.run(_listed, python.with_name("ringfence"), hostile, python_path, base / "state")
            assert "voicetel_order_numbers" in tools, tools
            sys.stdout.write(f"The wheel serves {len(tools)} tools from a hostile folder (PYTHONPATH={python_path}).\n")


def _constraints(base: Path) -> Path:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    file = base / "constraints.txt"
    file.write_text("\n".join(project["tool"]["uv"]["constraint-dependencies"]), encoding="utf-8")
    return file


def _hostile(project: Path) -> Path:
    for name in ("tools", "server", "clients", "guard", "prompts", "sandbox"):
        package = project / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise ImportError('this is not Ringfence')\n", encoding="utf-8")
    return project


async def _listed(command: Path, cwd: Path, python_path: str | None, state: Path) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RINGFENCE_", "PYTHON"))}
    environment |= {"RINGFENCE_STATE_FOLDER": str(state)} | ({"PYTHONPATH": python_path} if python_path else {})
    child = StdioServerParameters(command=str(command), args=["serve", "--sandbox"], env=environment, cwd=cwd)
    async with Client(child) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "UV_NO_PROGRESS": "1"})  # noqa: S603


if __name__ == "__main__":
    main()
