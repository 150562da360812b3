"""Carries out the Dockerfile without a daemon: each step that can be, in folders that stand for the image's root.

Run by `.ci/packages` as a program: `uv run python -m tests.image`. What only a daemon can do (a user of the image's
own, a volume) is left out and said.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters

ROOT: Final = Path(__file__).resolve().parents[1]
LEFT_OUT: Final = ("useradd", "pip install --no-cache-dir uv")
"""Commands that would change this machine: the image's user, and uv itself, which runs this already."""

OURS: Final = {name: value for name, value in os.environ.items() if not name.startswith(("RINGFENCE_", "VIRTUAL_ENV"))}


@dataclass
class Stage:
    """One stage of the build: a folder for its root, and what the steps so far set."""

    root: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])
    entry: list[str] = field(default_factory=list[str])
    command: list[str] = field(default_factory=list[str])

    def place(self, path: str) -> Path:
        """Return where a path of the image lies on this machine."""
        inside = path if path.startswith("/") else f"{self.folder}/{path}"
        return self.root / inside.lstrip("/")

    def placed(self, text: str) -> str:
        """Return a command with the image's own folders replaced by where they lie here."""
        return re.sub(r"(?<![\w.])/(app|src|state)\b", lambda found: str(self.root / found[1]), text)


def main() -> None:
    """Build, start, and check that it refuses to listen for everybody without a token."""
    with tempfile.TemporaryDirectory() as folder:
        stage = _build(Path(folder).resolve())
        program = str(stage.root / "app" / "bin" / stage.entry[0])
        environment = OURS | {name: stage.placed(value) for name, value in stage.environment.items() if name != "PATH"}
        _run([program, "--version"], environment)
        _run([program, "doctor", "--sandbox"], environment)
        ended = subprocess.run(  # noqa: S603 - our own command
            [program, *stage.command], env=environment, capture_output=True, encoding="utf-8", check=False
        )
        assert ended.returncode == 2, ended.stderr
        assert "RINGFENCE_HTTP__TOKENS" in ended.stderr, ended.stderr
        _report("stops without a token, as it says")
        child = StdioServerParameters(command=program, args=["serve", "--sandbox"], env=environment, cwd=folder)
        _report(f"serves {anyio.run(_count_tools, child)} tools")


def _build(base: Path) -> Stage:
    stages: dict[str, Stage] = {}
    stage = Stage(base, Path("/"))
    for instruction, rest in _instructions():
        words = shlex.split(rest) if instruction in {"COPY", "FROM", "ENV"} else []
        if instruction == "FROM":
            stage = Stage(base / str(len(stages)), Path("/"))
            stage.root.mkdir()
            stages[words[-1] if "AS" in words else str(len(stages))] = stage
        elif instruction == "WORKDIR":
            stage.folder = Path(rest)
            stage.place("").mkdir(parents=True)
        elif instruction == "COPY":
            _copy(words, stage, stages)
        elif instruction == "ENV":
            stage.environment |= dict(word.split("=", 1) for word in words)
        elif instruction == "RUN":
            _carry_out(rest, stage)
        elif instruction in {"ENTRYPOINT", "CMD"}:
            setattr(stage, "entry" if instruction == "ENTRYPOINT" else "command", re.findall(r'"([^"]*)"', rest))
        else:
            assert instruction in {"USER", "VOLUME", "EXPOSE"}, instruction
    return stage


def _instructions() -> Iterator[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            instruction, _, rest = line.partition(" ")
            yield instruction, rest.strip()


def _copy(words: list[str], stage: Stage, stages: dict[str, Stage]) -> None:
    source_stage = next((stages[word.removeprefix("--from=")] for word in words if word.startswith("--from=")), None)
    *sources, target = [word for word in words if not word.startswith("--")]
    for name in sources:
        source = source_stage.place(name) if source_stage else ROOT / name
        place = stage.place(target)
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / source.name if target.endswith("/") else place)
    if (
        source_stage is not None
    ):  # a virtual environment names its own folder in its scripts; in the image it is the same
        for script in (stage.place(target) / "bin").iterdir():
            if script.is_file() and not script.is_symlink() and script.read_bytes()[:2] == b"#!":
                text = script.read_text(encoding="utf-8")
                script.write_text(text.replace(str(source_stage.root), str(stage.root)), encoding="utf-8")


def _carry_out(rest: str, stage: Stage) -> None:
    for command in rest.split(" && "):
        if command.startswith(LEFT_OUT):
            _report(f"needs a daemon for: {command}")
            continue
        if "-o ringfence" in command:
            command = command.replace("-o ringfence ", "")  # the owner is a user of the image
        ended = subprocess.run(  # noqa: S602 - our own Dockerfile
            stage.placed(command), shell=True, cwd=stage.place(""), env=OURS, capture_output=True, encoding="utf-8"
        )
        assert ended.returncode == 0, f"{command}\n{ended.stderr}"
        _report(f"is built: {command}")


async def _count_tools(child: StdioServerParameters) -> int:
    async with Client(child) as client:
        return len((await client.list_tools()).tools)


def _run(command: list[str], environment: dict[str, str]) -> None:
    ended = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    _report(f"runs `ringfence {' '.join(command[1:])}`")


def _report(what: str) -> None:
    sys.stdout.write(f"The image {what}.\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
