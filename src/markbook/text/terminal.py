"""Text that was written for a terminal, as a terminal would leave it."""

from __future__ import annotations

import re

__all__ = ["plain_text", "without_colours"]

# ECMA-48: control sequences, operating system commands (titles, links) and the short ones.
_CODES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-~]"
)


def without_colours(text: str) -> str:
    """Return ``text`` without the codes for colours, links and the cursor."""
    return _CODES.sub("", text) if "\x1b" in text else text


def plain_text(text: str) -> str:
    """Return what is left on a terminal: no codes, lines overwritten by what followed a return.

    Backspaces take away what stands before them, as far as the line goes.
    """
    text = without_colours(text).replace("\r\n", "\n")
    if "\b" in text:
        text = "\n".join(_rubbed_out(line) for line in text.split("\n"))
    if "\r" in text:
        text = "\n".join(_overwritten(line) for line in text.split("\n"))
    return text


def _rubbed_out(line: str) -> str:
    left: list[str] = []
    for character in line:
        if character != "\b":
            left.append(character)
        elif left:
            left.pop()
    return "".join(left)


def _overwritten(line: str) -> str:
    """Write each piece after a carriage return over the line, as a progress bar does."""
    shown = ""
    # Each piece costs the length of what it overwrites: of very many only the last ones matter.
    for piece in line.split("\r")[-200:]:
        shown = piece + shown[len(piece) :]
    return shown
