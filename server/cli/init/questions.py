"""Asks the operator on a terminal; without one, takes options, variables and lines of standard input instead."""

import sys
from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import ValidationError
from rich.prompt import Confirm, Prompt

from server.cli.terminal import console, fail, plain, read_secret, tell

T = TypeVar("T")

MOST_TRIES: Final = 5
"""After so many answers that do not fit, the question is given up."""


class NotAnAnswer(Exception):
    """An answer does not fit. The message says what is expected, and never repeats a secret."""


class Questions:
    """The questions of one run. It asks only where somebody sits at a terminal."""

    def __init__(self) -> None:
        """Look whether standard input is a terminal."""
        self.has_terminal = sys.stdin.isatty()

    def text(self, question: str, read: Callable[[str], T], *, given: str | None, default: str, option: str) -> T:
        """Return what an option gave, or a person answers, as `read` understands it; exits with 2 if it never fits.

        Without a terminal the default counts; where there is none, the option is named.
        """
        if given is not None:
            return self._read_given(read, given, option)
        if not self.has_terminal:
            if not default:
                fail(f"{option} is needed, because there is no terminal to ask at. Nothing was changed.")
            return self._read_given(read, default, option)
        for _ in range(MOST_TRIES):
            try:
                return read(self._ask(question, default))
            except NotAnAnswer as wrong:
                tell(f"  {wrong}")
        fail("No answer that fits was given. What was written so far stays; run `ringfence init` again.")

    def secret(self, question: str, read: Callable[[str], T], *, variable: str) -> T:
        """Return a secret that is typed unseen, or the next line of standard input; exits with 2 if none fits."""
        for _ in range(MOST_TRIES if self.has_terminal else 1):
            given = read_secret(f"{question} (not shown): ")
            if not given and not self.has_terminal:
                fail(f"{question} is needed: set {variable}, or write it as a line to standard input.")
            try:
                return read(given)
            except NotAnAnswer as wrong:
                tell(f"  {wrong}")
        fail(f"{question}: no answer that fits was given. Run `ringfence init` again.")

    def confirm(self, question: str) -> bool:
        """Return True if a person says yes; False where there is nobody to ask."""
        return self.has_terminal and Confirm.ask(plain(question), console=console, default=False)

    @staticmethod
    def _ask(question: str, default: str) -> str:
        if default:
            return Prompt.ask(plain(question), console=console, default=default)
        return Prompt.ask(plain(question), console=console)

    @staticmethod
    def _read_given(read: Callable[[str], T], given: str, option: str) -> T:
        try:
            return read(given)
        except NotAnAnswer as wrong:
            fail(f"{option}: {wrong} Nothing was changed.")


def reason_of(misfit: ValidationError) -> str:
    """Return the first thing that does not fit, as a sentence without the value."""
    text = misfit.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
    return f"{text[0].upper()}{text[1:]}."
