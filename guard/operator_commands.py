"""The operator's commands as answers and pages print them: with the options that make them work on this store."""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NAMES: Final = (
    "actions", "allowances", "approvals", "audit", "doctor", "freeze", "init", "notify", "operators", "optouts",
    "plans", "policy", "receipts", "revoke", "secrets", "settings", "spend", "store", "unfreeze", "work",
)  # fmt: skip
"""First words of the commands that work on settings or a store, and so take the options."""

_IN_TEXT: Final = re.compile(rf"`(ringfence (?:{'|'.join(NAMES)})\b[^`]*)`")


@dataclass(frozen=True, slots=True)
class OperatorCommands:
    """How commands are printed for one server. Each option is what its operator would have to type."""

    config: str | None = None
    """Settings file, if it is not the one in its usual place."""

    state_folder: str | None = None
    """State folder, if the environment of the server names it: the operator's terminal may have another one."""

    is_sandbox: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options to add to a command."""
        config = ("--config", self.config) if self.config else ()
        folder = ("--state-folder", self.state_folder) if self.state_folder else ()
        return (*config, *folder, *(("--sandbox",) if self.is_sandbox else ()))

    def line(self, *words: str) -> str:
        """Return a command as a line for a shell; behind a word `--`, nothing is an option."""
        end = words.index("--") if "--" in words else len(words)
        return quote_for_shell(("ringfence", *words[:end], *self.options, *words[end:]))

    def complete(self, text: str) -> str:
        """Add the options to every command between backticks in a sentence of our own."""
        if not self.options:
            return text
        more = quote_for_shell(self.options)
        return _IN_TEXT.sub(lambda found: f"`{found[1]} {more}`", text)


def quote_for_shell(words: Sequence[str]) -> str:
    """Join words to a line that a shell of this system reads as these words."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
