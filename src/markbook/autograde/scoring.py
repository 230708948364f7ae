"""Scoring cells as nbgrader does: ``determine_grade`` and the preprocessors around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.autograde.checksum import checksum

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from markbook.autograde.values import Settings
    from markbook.model import MasterCell

__all__ = ["NO_RESPONSE", "Score", "comment", "limit_outputs", "score"]

NO_RESPONSE = "No response."

_CUT = "... Output truncated ..."
_CUT_TRACEBACK = "... Traceback truncated ..."


@dataclass(frozen=True, slots=True)
class Score:
    """A cell's automatic score; ``value`` None: a person decides, ``why`` if that is unusual."""

    value: float | None
    why: str = ""


def score(master: MasterCell, cell: NotebookNode) -> Score:
    """Score a graded cell that was restored, and run where it is code.

    An answer is 0 as it was released, and a person's otherwise. A test is 0 with an error or
    anything on stderr, else worth the first result that is a number, else all its points. Where
    a number cannot be a score nbgrader gives up on the submission; here a person is asked.
    """
    if master.solution:
        return Score(0.0 if _untouched(master, cell) else None)
    if master.cell_type != "code":
        return Score(None)
    points = float(master.points or 0)
    for output in cell.outputs:
        if _failed(output):
            return Score(0.0)
        if output.output_type == "execute_result":
            return _partial(output, points)
    return Score(points)


def comment(master: MasterCell, cell: NotebookNode) -> str | None:
    """Return nbgrader's remark on an answer or task."""
    return NO_RESPONSE if not master.task and _untouched(master, cell) else None


def _untouched(master: MasterCell, cell: NotebookNode) -> bool:
    return checksum(master, cell.source) == master.checksum


def _failed(output: NotebookNode) -> bool:
    kind = output.output_type
    return bool(kind == "error" or (kind == "stream" and output.name == "stderr"))


def _partial(output: NotebookNode, points: float) -> Score:
    """Score a test by its result, as ``nbgrader.utils.get_partial_grade`` does."""
    shown: Any = output.get("data", {}).get("text/plain")
    if not shown:
        return Score(None, "its result has no text")
    if isinstance(shown, list):
        if len(shown) > 1:
            return Score(points)
        shown = shown[0]
    try:
        value = float(shown)
    except ValueError:
        return Score(points)
    except TypeError:
        return Score(None, "its result is no text")
    if value > points:
        return Score(None, f"its result is {value:g}, more than its {points:g} points")
    return Score(value if value >= 0.0 else points)  # so nbgrader: below zero, and no number


def limit_outputs(cell: NotebookNode, settings: Settings) -> None:
    """Cut a code cell's outputs as IgnorePattern and LimitOutput do, before it is scored."""
    if cell.cell_type != "code" or not cell.outputs:
        return
    if settings.ignore_stderr:
        cell.outputs = [
            output
            for output in cell.outputs
            if not (
                output.output_type == "stream"
                and output.name == "stderr"
                and re.search(settings.ignore_stderr, output.text)
            )
        ]
    if settings.output_lines != -1:
        _limit_streams(cell, settings.output_lines)
    if settings.traceback_lines != -1:
        _limit_tracebacks(cell, settings.traceback_lines)


def _limit_streams(cell: NotebookNode, most: int) -> None:
    count = 0
    kept = []
    for output in cell.outputs:
        if output.output_type == "stream":
            if count == most:
                continue
            lines = output.text.split("\n")
            if len(lines) + count > most:
                lines = [*lines[: most - count - 1], _CUT]
            count += len(lines)
            output.text = "\n".join(lines)
        kept.append(output)
    cell.outputs = kept


def _limit_tracebacks(cell: NotebookNode, most: int) -> None:
    for output in cell.outputs:
        if output.output_type == "error" and len(output.traceback) > most:
            start = int(most / 2)
            end = most - start - 1
            output.traceback = [
                *output.traceback[:start],
                _CUT_TRACEBACK,
                *output.traceback[-end:],
            ]
