"""Lets only the administrator of the machine reset what nobody else may: whoever owns it owns the store on it.

An assistant that can run commands as the operator's user must not get a passcode of its own by this.
"""

import ctypes
import os
import sys
from dataclasses import replace
from typing import Final

from guard.operator_commands import quote_for_shell
from server.cli.terminal import Target, fail
from server.settings.load import settings_file

_SECRET_ADDRESS: Final = ("RINGFENCE_STORE_URL", "RINGFENCE_STATE_KEY")
"""Settings of the store that are secrets, and so in no command: sudo hands them on if it is told to."""


def require_administrator(target: Target) -> None:
    """Exit with 2 unless this process runs as the administrator; print the command that does."""
    if is_administrator():
        return
    if sys.platform == "win32":
        fail("Only an administrator of this machine can reset the passcode: run this in a terminal as administrator.")
    settings, file = target.settings(), settings_file(target.config)
    commands = replace(
        settings.commands,
        config=os.path.abspath(file) if file else None,
        state_folder=os.path.abspath(settings.state_folder),
        is_sandbox=target.sandbox,
    )
    handed_on = ",".join(name for name in _SECRET_ADDRESS if os.environ.get(name))
    program = os.path.abspath(sys.argv[0])
    line = quote_for_shell(
        (
            "sudo",
            *([f"--preserve-env={handed_on}"] if handed_on else []),
            *([program] if os.access(program, os.X_OK) else [sys.executable, program]),
            *("approvals", "passcode", "--reset"),
            *commands.options,
        )
    )
    fail(f"Only an administrator of this machine can reset the passcode; nothing was changed. Run:\n{line}")


def is_administrator() -> bool:
    """Return True if this process runs as root, or with the rights of a Windows administrator."""
    if sys.platform == "win32":
        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    return os.geteuid() == 0
