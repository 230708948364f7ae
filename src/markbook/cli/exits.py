"""Exit codes are words. docs/reference/command.md explains them; a test keeps both alike."""

from __future__ import annotations

from enum import IntEnum

from markbook.errors import InternalError, MarkbookError, NothingMatched, UsageError

__all__ = ["ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    DONE = 0  # done
    ATTENTION = 1  # done as far as possible, and something needs a person's attention
    USAGE = 2  # the command, its arguments or the course folder are wrong
    FAULT = 3  # our fault: please report it
    NOTHING = 4  # the request was fine and matched nothing
    INTERRUPTED = 130  # stopped by Ctrl-C; run it again to go on


def exit_code_of(error: MarkbookError) -> ExitCode:
    """Return the exit code that an error ends the command with."""
    if isinstance(error, UsageError):
        return ExitCode.USAGE
    if isinstance(error, InternalError):
        return ExitCode.FAULT
    if isinstance(error, NothingMatched):
        return ExitCode.NOTHING
    return ExitCode.ATTENTION
