"""The configurations of MCP clients: what `ringfence init` prints and writes, and what docs/clients.md shows."""

import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from platformdirs import user_config_path

_NEXT: Final = ",\n"
_LIST_OF_WORDS: Final = re.compile(r'\[\n((?:\s*"(?:\\.|[^"\\])*"(?:,\n)?)*)\n\s*\]')

NAME: Final = "ringfence"
"""Name of the server in every client's settings."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a client starts the server."""

    program: tuple[str, ...] = ("ringfence",)
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def command(self) -> str:
        """The program itself."""
        return self.program[0]

    @property
    def arguments(self) -> list[str]:
        """What stands behind the program."""
        return [*self.program[1:], "serve", *self.options]


@dataclass(frozen=True, slots=True, kw_only=True)
class McpClient:
    """One client: where its settings lie, and what an MCP server looks like in them."""

    name: str
    """What `--client` calls it."""

    title: str
    form: Literal["json", "toml", "goose"]
    path: str
    """Its settings file, for people; `CONFIG` is the user's configuration folder, `~` the home folder."""

    section: str
    """The table of servers in it."""

    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What an entry needs besides command, arguments and environment."""

    home_variable: str | None = None
    """Variable that names another folder for the settings file."""

    own_command: str | None = None
    """The beginning of its own command that adds a server, if it has one; shown in place of the file."""

    @property
    def can_be_written(self) -> bool:
        """True where `--write` knows how to add an entry without touching the rest of the file."""
        return self.form != "goose"

    def file(self) -> Path:
        """Return the settings file on this machine."""
        folder = os.environ.get(self.home_variable) if self.home_variable else None
        if folder:
            return Path(folder) / Path(self.path).name
        if self.path.startswith("CONFIG/"):
            return user_config_path(roaming=True) / self.path.removeprefix("CONFIG/")
        return Path(self.path).expanduser()

    def entry(self, launch: Launch) -> dict[str, Any]:
        """Return the server's entry as JSON or TOML hold it."""
        before = {key: value for key, value in self.more.items() if key == "type"}
        after = {key: value for key, value in self.more.items() if key != "type"}
        environment = {"env": dict(launch.environment)} if launch.environment else {}
        return {**before, "command": launch.command, "args": launch.arguments, **environment, **after}

    def snippet(self, launch: Launch) -> tuple[str, str]:
        """Return what a person adds, and the language that it is in."""
        if self.own_command is not None:
            variables = [word for name, value in launch.environment.items() for word in ("--env", f"{name}={value}")]
            words = shlex.join([*variables, "--", launch.command, *launch.arguments])
            return f"{self.own_command} {words}", "sh"
        if self.form == "goose":
            return _goose(launch), "yaml"
        if self.form == "toml":
            return toml_entry(self.section, self.entry(launch)), "toml"
        return json_text({self.section: {NAME: self.entry(launch)}}), "json"


def json_text(value: Mapping[str, Any]) -> str:
    """Write JSON as people do: a key a line, a list of words on one line."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _LIST_OF_WORDS.sub(lambda found: f"[{', '.join(part.strip() for part in found[1].split(_NEXT))}]", text)


def toml_entry(section: str, entry: Mapping[str, Any]) -> str:
    """Write an entry as a table of TOML; text in JSON's quotes is a basic string of TOML."""
    lines = [f"[{section}.{NAME}]"]
    for key, value in entry.items():
        if isinstance(value, Mapping):
            pairs = ", ".join(f"{name} = {_quote(text)}" for name, text in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            lines.append(f"{key} = {{ {pairs} }}")
        else:
            lines.append(f"{key} = {_quote(value)}")
    return "\n".join(lines)


def _quote(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _goose(launch: Launch) -> str:
    """Return the entry for Goose, whose file is YAML; every text is in double quotes, as JSON writes it."""
    lines = ["extensions:", f"  {NAME}:", f"    name: {NAME}", "    type: stdio", "    enabled: true"]
    lines += [f"    cmd: {_quote(launch.command)}", f"    args: {_quote(launch.arguments)}"]
    if launch.environment:
        lines += ["    envs:", *(f"      {name}: {_quote(value)}" for name, value in launch.environment.items())]
    return "\n".join([*lines, "    timeout: 300"])


MCP_CLIENTS: Final = (
    McpClient(
        name="claude-code",
        title="Claude Code",
        form="json",
        path="~/.claude.json",
        section="mcpServers",
        more={"type": "stdio"},
        own_command="claude mcp add ringfence --scope user",
    ),
    McpClient(
        name="claude-desktop",
        title="Claude Desktop",
        form="json",
        path="CONFIG/Claude/claude_desktop_config.json",
        section="mcpServers",
    ),
    McpClient(
        name="cursor",
        title="Cursor",
        form="json",
        path="~/.cursor/mcp.json",
        section="mcpServers",
    ),
    McpClient(
        name="vscode",
        title="VS Code",
        form="json",
        path="CONFIG/Code/User/mcp.json",
        section="servers",
        more={"type": "stdio"},
    ),
    McpClient(
        name="windsurf",
        title="Windsurf",
        form="json",
        path="~/.codeium/windsurf/mcp_config.json",
        section="mcpServers",
    ),
    McpClient(
        name="cline",
        title="Cline",
        form="json",
        path="CONFIG/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        section="mcpServers",
        more={"disabled": False},
    ),
    McpClient(
        name="gemini",
        title="Gemini CLI",
        form="json",
        path="~/.gemini/settings.json",
        section="mcpServers",
    ),
    McpClient(
        name="codex",
        title="Codex CLI",
        form="toml",
        path="~/.codex/config.toml",
        section="mcp_servers",
        home_variable="CODEX_HOME",
    ),
    McpClient(
        name="zed",
        title="Zed",
        form="json",
        path="~/.config/zed/settings.json",
        section="context_servers",
    ),
    McpClient(
        name="goose",
        title="Goose",
        form="goose",
        path="~/.config/goose/config.yaml",
        section="extensions",
    ),
)
"""Every client that `ringfence init` knows, in the order of docs/clients.md."""
