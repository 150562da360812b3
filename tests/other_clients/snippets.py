"""Load configurations in the clients themselves: `snippets.py FOLDER`, where npm installed them.

Once as docs/clients.md shows them, once as `ringfence init --write` writes them, each time in a home folder of its own.
Claude Code starts the server and connects; Codex and Gemini CLI read their files.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEY = "0" * 32
LOADED = {
    "claude": re.compile(r"ringfence: .*ringfence(\.py)? serve.*Connected"),
    "codex": re.compile(r"ringfence +\S+ .*serve.*enabled"),
    "gemini": re.compile(r"ringfence: .*ringfence(\.py)? serve.*\(stdio\)"),
}
"""What a client prints of a server that it has loaded."""


def snippet(client: str, language: str) -> str:
    """Return the first configuration of a client in the documentation."""
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    section = text.split(f"## {client}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)[0]


def run(home: Path, command: str) -> str:
    """Run a command as the user of a home folder, and return all that it prints."""
    done = subprocess.run(  # noqa: S602 - as the documentation prints it
        command, shell=True, cwd=home, env=environment(home), capture_output=True, timeout=120
    )
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def environment(home: Path) -> dict[str, str]:
    """Return variables under which the clients find their own settings only, and the server of this tree."""
    path = f"{home / 'bin'}:{home.parent / 'node_modules' / '.bin'}:{os.environ['PATH']}"
    ours = {
        "HOME": str(home),
        "PATH": path,
        "CODEX_HOME": str(home / ".codex"),
        "XDG_CONFIG_HOME": str(home / ".config"),
    }
    server = {"RINGFENCE_VOICETEL__API_KEY": KEY, "RINGFENCE_STATE_FOLDER": str(home / "state")}
    return {**os.environ, **ours, **server, "GEMINI_CLI_TRUST_WORKSPACE": "true"}


def write(file: Path, text: str) -> None:
    """Write a file, with its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def set_up(home: Path, *, written: bool) -> str:
    """Configure the three clients in a home folder; returns what their own commands print of it."""
    write(home / "bin" / "ringfence", f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "ringfence.py"}" "$@"\n')
    (home / "bin" / "ringfence").chmod(0o755)
    if written:
        words = "--sandbox --no-check --no-passcode --write </dev/null"
        return "".join(
            run(home, f"ringfence init --client {name} {words}") for name in ("claude-code", "codex", "gemini")
        )
    write(home / ".codex" / "config.toml", snippet("Codex CLI", "toml"))
    write(home / ".gemini" / "settings.json", snippet("Gemini CLI", "json"))
    return run(home, snippet("Claude Code", "sh"))


def main() -> None:
    """Load each, print what came of it, and end with 1 if one was not loaded."""
    wrong = 0
    for how in ("documented", "written"):
        home = Path(sys.argv[1]).resolve() / how
        before = set_up(home, written=how == "written")
        for name, pattern in LOADED.items():
            text = run(home, f"{name} mcp list")
            is_loaded = pattern.search(text) is not None
            wrong += not is_loaded
            print(f"{name}, as {how}: {'ok' if is_loaded else f'{before[-300:]}{text[-500:]}'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
