"""Load the configurations of docs/clients.md in the clients themselves: `snippets.py FOLDER`, where npm installed them.

Each has a home folder of its own. Claude Code starts the server and connects; Codex and Gemini CLI read their files.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEY = "0" * 32
LOADED = {
    "claude": re.compile(r"ringfence: ringfence serve.*Connected"),
    "codex": re.compile(r"ringfence +ringfence +serve +RINGFENCE_VOICETEL__API_KEY=.*enabled"),
    "gemini": re.compile(r"ringfence: ringfence serve \(stdio\)"),
}
"""What a client prints of a server that it has loaded."""


def snippet(client: str, language: str) -> str:
    """Return the first configuration of a client in the documentation, with a key in it."""
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    section = text.split(f"## {client}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)[0].replace("…", KEY)


def run(home: Path, command: str) -> str:
    """Run a command as the user of a home folder, and return all that it prints."""
    done = subprocess.run(  # noqa: S602 - as the documentation prints it
        command, shell=True, cwd=home, env=environment(home), capture_output=True, timeout=120
    )
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def environment(home: Path) -> dict[str, str]:
    """Return variables under which the clients find their own settings only, and the server of this tree."""
    path = f"{home / 'bin'}:{home.parent / 'node_modules' / '.bin'}:{os.environ['PATH']}"
    ours = {"HOME": str(home), "PATH": path, "CODEX_HOME": str(home / ".codex"), "VOICETEL_KEY": KEY}
    return {**os.environ, **ours, "GEMINI_CLI_TRUST_WORKSPACE": "true", "RINGFENCE_STATE_FOLDER": str(home / "state")}


def write(file: Path, text: str) -> None:
    """Write a file, with its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def main() -> None:
    """Load each, print what came of it, and end with 1 if one was not loaded."""
    home = Path(sys.argv[1]).resolve() / "home"
    write(home / "bin" / "ringfence", f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "ringfence.py"}" "$@"\n')
    (home / "bin" / "ringfence").chmod(0o755)
    write(home / ".codex" / "config.toml", snippet("Codex CLI", "toml"))
    write(home / ".gemini" / "settings.json", snippet("Gemini CLI", "json"))
    printed = {
        "claude": run(home, snippet("Claude Code", "sh")) + run(home, "claude mcp list"),
        "codex": run(home, "codex mcp list"),
        "gemini": run(home, "gemini mcp list"),
    }
    wrong = [name for name, text in printed.items() if not LOADED[name].search(text)]
    for name, text in printed.items():
        print(f"snippet of {name}: {'ok' if name not in wrong else text[-500:]}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
