"""What the test cells of a run notebook say, with nothing of the hidden tests in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from markbook.notebooks import NBGRADERS, Delimiters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.feedback.executed import Cell

__all__ = ["TestResult", "read_result"]

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# The outermost frame of a traceback is the test cell itself.
_FRAME = re.compile(r"(?:Cell In|Input In) ?\[\d+\](?:, line (\d+)|, in <cell line: (\d+)>)")
# An error message is a line or two; longer ones are output that a student's code made.
_MESSAGE = 300
# How the autograder names the end of code that it had to end.
_STOPPED = "MarkbookStopped"

Verdict = Literal["passed", "failed", "not-run"]


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test cell ended.

    ``visible`` and ``hidden`` are None where the cell has no such tests. ``line`` is the visible
    test that failed and ``message`` what it said; both are empty when a hidden one failed.
    """

    __test__ = False  # not a test of ours, whatever pytest thinks of the name

    visible: Verdict | None
    hidden: Verdict | None
    line: str = ""
    message: str = ""


def read_result(cell: Cell, *, full_marks: bool, delimiters: Delimiters = NBGRADERS) -> TestResult:
    """Read how a test cell ended.

    ``full_marks`` is nbgrader's word on a cell without an error, which can still earn less by
    writing to stderr or by returning a number. Hidden tests stand between ``delimiters``.
    """
    lines = cell.source.split("\n")
    hidden = _hidden_lines(lines, *delimiters.pairs["HIDDEN TESTS"])
    has_visible = _any_code(line for number, line in enumerate(lines) if number not in hidden)
    has_hidden = bool(hidden)
    error = _error(cell)
    if error is not None and error.get("ename") == _STOPPED:
        told = _message({"ename": str(error.get("evalue") or _STOPPED)}, _secrets(lines, hidden))
        return TestResult(
            "not-run" if has_visible else None, "not-run" if has_hidden else None, message=told
        )
    if error is None:
        verdict: Verdict = "passed" if full_marks else "failed"
        return TestResult(verdict if has_visible else None, verdict if has_hidden else None)
    number = _failing_line(error)
    if number in hidden:
        return TestResult("passed" if has_visible else None, "failed")
    if number is None or not 0 <= number < len(lines) or not has_visible:
        # Where it broke cannot be told, so nothing is said about where.
        return TestResult("failed" if has_visible else None, "failed" if has_hidden else None)
    return TestResult(
        "failed",
        "not-run" if has_hidden else None,
        line=lines[number].strip(),
        message=_message(error, _secrets(lines, hidden)),
    )


def _secrets(lines: list[str], hidden: frozenset[int]) -> list[str]:
    return [lines[index].strip() for index in hidden]


def _hidden_lines(lines: list[str], begin: str, end: str) -> frozenset[int]:
    found: set[int] = set()
    inside = False
    for number, line in enumerate(lines):
        inside = inside or begin in line
        if inside:
            found.add(number)
        if end in line:
            inside = False
    return frozenset(found)


def _any_code(lines: Any) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in lines)


def _error(cell: Cell) -> Mapping[str, Any] | None:
    for output in cell.outputs:
        if isinstance(output, dict) and output.get("output_type") == "error":
            return output
    return None


def _failing_line(error: Mapping[str, Any]) -> int | None:
    """Return the 0-based line of the test cell that failed, where the traceback names it."""
    lines = error.get("traceback")
    text = _ANSI.sub("", "\n".join(map(str, lines)) if isinstance(lines, list) else "")
    frame = _FRAME.search(text)
    return int(frame[1] or frame[2]) - 1 if frame else None


def _message(error: Mapping[str, Any], secrets: list[str]) -> str:
    name = _ANSI.sub("", str(error.get("ename") or "Error"))
    value = _ANSI.sub("", str(error.get("evalue") or "")).strip()
    # A student's code could read the hidden tests and put them into its own error.
    if any(len(secret) > 3 and secret in value for secret in secrets):
        value = ""
    text = f"{name}: {value}" if value else name
    return text if len(text) <= _MESSAGE else text[: _MESSAGE - 1] + "…"
