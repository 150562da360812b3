"""Builds the wheel, installs it alone, and uses it as others will: beside neighbours, in their folders, as a library.

Run by CI as a program: `uv run python -m tests.wheel`. MCP clients start servers in folders that have a `tools/` of
their own, and other distributions may bring one into the same environment.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from ringfence_installation import PACKAGES
from sandbox.routee.seed import APPLICATION
from sandbox.voicetel.seed import API_KEY

ROOT: Final = Path(__file__).resolve().parents[1]
OURS: Final = {name: value for name, value in os.environ.items() if not name.startswith(("RINGFENCE_", "PYTHON"))}
FAILS: Final = "raise ImportError('this is not Ringfence')\n"
RUNS_ALONE: Final = """
import runpy, sys
runpy.run_path(sys.argv[1])
assert not {"mcp", "sqlalchemy", "server"} & set(sys.modules)
"""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with the wheel in it."""

    folder: Path
    wheel: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"

    @property
    def command(self) -> Path:
        """The `ringfence` command in it."""
        return self.python.with_name("ringfence")

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return next(self.folder.rglob("site-packages"))

    def install(self, *words: str) -> None:
        """Install something with uv."""
        _run("uv", "pip", "install", "--python", str(self.python), *words)

    def install_ours(self) -> None:
        """Install the wheel again, over whatever is there."""
        self.install("--offline", "--no-deps", "--reinstall", str(self.wheel))

    def install_neighbour(self, name: str, files: Mapping[str, str]) -> None:
        """Install another distribution, version 1.2, over whatever is there."""
        self.install("--offline", "--no-deps", str(_pack(self.folder.parent, name, files)))

    def uninstall(self, name: str) -> None:
        """Remove a distribution with uv."""
        _run("uv", "pip", "uninstall", "--python", str(self.python), name)

    def run(self, *words: str | Path, cwd: Path | None = None, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        command = [str(word) for word in words]
        state = {"RINGFENCE_STATE_FOLDER": str(self.folder.parent / "state")}
        return subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=cwd or self.folder.parent,
            env=OURS | state | variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


def main() -> None:
    """Build, install, try; leaves with a traceback if any of it fails."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder).resolve()
        environment = _build(base)
        for try_out in (_in_hostile_folders, _as_a_library, _beside_neighbours, _without_sources):
            try_out(environment, base)


def _build(base: Path) -> Environment:
    _run("uv", "build", "--wheel", "--out-dir", str(base / "dist"), str(ROOT))
    _run("uv", "venv", str(base / "venv"))
    environment = Environment(base / "venv", next((base / "dist").glob("*.whl")))
    environment.install(str(environment.wheel), "--constraints", str(_constraints(base)))
    return environment


def _constraints(base: Path) -> Path:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    file = base / "constraints.txt"
    file.write_text("\n".join(project["tool"]["uv"]["constraint-dependencies"]), encoding="utf-8")
    return file


# In folders of others ---------------------------------------------------------------------------------------------


def _in_hostile_folders(environment: Environment, base: Path) -> None:
    hostile, scripts = base / "project", base / "scripts"
    for name in PACKAGES:
        _write(hostile / name / "__init__.py", FAILS)
    for name in ("getpass", "typing", "typer", "tools"):  # `python -m` puts the current folder before Python's own
        _write(scripts / f"{name}.py", FAILS)
    started: Sequence[tuple[str, Path, list[str], Path, dict[str, str]]] = (
        ("by its command", environment.command, [], hostile, {}),
        ("by its command, PYTHONPATH=.", environment.command, [], hostile, {"PYTHONPATH": "."}),
        ("by its command, PYTHONPATH elsewhere", environment.command, [], base, {"PYTHONPATH": str(hostile)}),
        ("by python -m", environment.python, ["-m", "ringfence"], hostile, {}),
        ("by python -m, beside modules", environment.python, ["-m", "ringfence"], scripts, {}),
        ("by python -m, PYTHONPATH=.", environment.python, ["-m", "ringfence"], hostile, {"PYTHONPATH": "."}),
        ("by python -P -m", environment.python, ["-P", "-m", "ringfence"], hostile, {}),
        ("by its file", environment.python, [str(environment.packages / "ringfence.py")], hostile, {}),
    )
    for how, command, words, cwd, variables in started:
        child = StdioServerParameters(
            command=str(command),
            args=[*words, "serve", "--sandbox"],
            env=OURS | {"RINGFENCE_STATE_FOLDER": str(base / "state")} | variables,
            cwd=cwd,
        )
        tools = anyio.run(_list_tools, child)
        assert "voicetel_order_numbers" in tools, tools
        _report(f"serves {len(tools)} tools in a hostile folder, started {how}")


async def _list_tools(child: StdioServerParameters) -> list[str]:
    async with Client(child) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


# As a library -----------------------------------------------------------------------------------------------------


def _as_a_library(environment: Environment, base: Path) -> None:
    page = (ROOT / "docs" / "client-library.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    file = base / "library" / "program.py"
    _write(file, program)
    with _simulated_providers(environment) as url:
        ended = environment.run(
            environment.python,
            "-c",
            RUNS_ALONE,
            file,
            VOICETEL_API_KEY=API_KEY,
            VOICETEL_BASE_URL=f"{url}/voicetel",
            ROUTEE_APPLICATION_ID=APPLICATION.id,
            ROUTEE_APPLICATION_SECRET=APPLICATION.secret,
            ROUTEE_BASE_URL=f"{url}/routee",
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    *contacts, order = ended.stdout.splitlines()
    assert len(contacts) > 2, ended.stdout  # more than one page
    assert re.fullmatch(r"Ordered \+1201[0-9]{7} for \$[0-9]+\.[0-9]+\.", order), order
    _report(f"runs the program of docs/client-library.md: {len(contacts)} contacts. {order}")

    words = ("-m", "mypy", "--strict", "--config-file=", "--python-executable", str(environment.python), str(file))
    checked = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *words], cwd=file.parent, env=OURS, capture_output=True, encoding="utf-8", check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    _report("is seen as typed by mypy --strict")


@contextmanager
def _simulated_providers(environment: Environment) -> Generator[str]:
    """Run the sandbox of the wheel as a process; yields its address."""
    command = [str(environment.command), "sandbox", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=OURS | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[0-9.:]+", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()


# Beside neighbours ------------------------------------------------------------------------------------------------


def _beside_neighbours(environment: Environment, base: Path) -> None:
    environment.install_neighbour("acme-getpass", {"getpass.py": FAILS})
    _assert_starts(environment)
    ended = environment.run(environment.python, "-m", "ringfence", "doctor", "--sandbox")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    _report("takes getpass from the standard library, not from a neighbour")

    for package in ("server", "tools"):
        _try_a_neighbour_with(package, environment)

    environment.install_neighbour("acme-hammer", {"tools/__init__.py": FAILS, "tools/hammer.py": ""})
    environment.install_ours()
    _assert_starts(environment)
    ended = environment.run(environment.command, "doctor", "--sandbox")
    assert "warn  installation: acme-hammer 1.2 puts a package `tools` into this environment" in ended.stdout, (
        ended.stdout
    )
    _report("starts over a neighbour that came first; doctor warns of it")
    environment.uninstall("acme-hammer")
    environment.install_ours()

    file = environment.packages / "tools" / "selection.py"
    text = file.read_text(encoding="utf-8")
    file.unlink()  # it may be a link to uv's cache
    _write(file, text.replace("a", "b", 1))
    _assert_starts(environment)
    ended = environment.run(environment.command, "doctor", "--sandbox")
    assert ended.returncode == 1
    assert "fail  installation: not as installed: tools/selection.py in " in ended.stdout, ended.stdout
    environment.install_ours()
    _report("leaves a changed file of the same size to doctor")


def _try_a_neighbour_with(package: str, environment: Environment) -> None:
    name = f"acme-{package}"
    environment.install_neighbour(name, {f"{package}/__init__.py": FAILS})
    for command in ([environment.command], [environment.python, "-m", "ringfence"]):
        sentence = _assert_refuses(environment, *command, "serve", "--sandbox")
        assert f"the distribution {name} 1.2 replaced its file " in sentence, sentence
    _report(f"refuses to start: {sentence}")
    environment.uninstall(name)
    sentence = _assert_refuses(environment, environment.command, "serve", "--sandbox")
    assert f"{Path(package) / '__init__.py'} is missing: install Ringfence again" in sentence, sentence
    environment.install_ours()
    _assert_starts(environment)
    _report(f"refuses to start after {name} was removed, and starts when it was installed again")


# Without what describes the tools ---------------------------------------------------------------------------------


def _without_sources(environment: Environment, base: Path) -> None:
    sentence = _assert_refuses(environment, environment.python, "-OO", "-m", "ringfence", "serve")
    assert "under `python -OO`" in sentence, sentence
    _report(f"refuses to start: {sentence}")

    record = environment.packages / "ringfence-0.1.0.dist-info" / "RECORD"
    packages = [environment.packages / name for name in (*PACKAGES, "ringfence.py", "ringfence_installation.py")]
    _run(str(environment.python), "-m", "compileall", "-q", "-b", *map(str, packages))
    for package in packages:
        for source in [package] if package.is_file() else package.rglob("*.py"):
            source.unlink()
    for what in ("with its RECORD", "without it"):
        sentence = _assert_refuses(environment, environment.command, "serve", "--sandbox")
        assert "cannot start without its sources" in sentence, sentence
        record.unlink(missing_ok=True)
        _report(f"refuses to start as bytecode alone, {what}")


# What they share --------------------------------------------------------------------------------------------------


def _assert_starts(environment: Environment) -> None:
    ended = environment.run(environment.command, "--version")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr


def _assert_refuses(environment: Environment, *words: str | Path) -> str:
    """Run a command that must refuse to start, and return its one sentence."""
    ended = environment.run(*words)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stdout + ended.stderr
    assert ended.stderr.startswith("Ringfence cannot start")
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr.strip()


def _pack(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """Build a wheel of another distribution, version 1.2."""
    module = name.replace("-", "_")
    about = f"{module}-1.2.dist-info"
    contents = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{about}/RECORD"])
    wheel = folder / f"{module}-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (contents | {f"{about}/RECORD": record}).items():
            archive.writestr(path, text)
    return wheel


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _report(what: str) -> None:
    sys.stdout.write(f"The wheel {what.removesuffix('.')}.\n")
    sys.stdout.flush()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "UV_NO_PROGRESS": "1"})  # noqa: S603


if __name__ == "__main__":
    main()
