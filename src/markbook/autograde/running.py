"""Running a submission's notebook, and what is left of it where its code ends too early."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nbformat

from markbook.autograde.overruns import overruns
from markbook.kernels.limits import Limits, Stopped
from markbook.notebooks import is_valid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbformat import NotebookNode

    from markbook.autograde.prepared import PreparedNotebook
    from markbook.autograde.values import Settings
    from markbook.kernels.examiner.owner import Examining, Verdict
    from markbook.kernels.sandbox.room import Room

__all__ = ["NeverStarted", "Ran", "run_notebook"]

_ENVIRONMENT = {"NBGRADER_EXECUTION": "autograde"}  # as nbgrader sets it
_TIMEOUT = "CellTimeoutError"


class NeverStarted(Exception):  # noqa: N818  (the name already says what happened)
    """No kernel could be started: our machine's fault; the message says what is known of it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a notebook ran: sentences for a person, and what tests came to elsewhere, by index."""

    findings: list[str]
    verdicts: Mapping[int, Verdict]


@dataclass(frozen=True, slots=True)
class _Place:
    """A cell, for people."""

    number: int
    notebook: str

    def __str__(self) -> str:
        return f"cell {self.number} of {self.notebook}.ipynb"


def run_notebook(
    notebook: NotebookNode,
    prepared: PreparedNotebook,
    settings: Settings,
    place: Path | Room,
    examining: Examining | None = None,
) -> Ran:
    """Run a restored notebook in ``place``; its outputs are put into it.

    The tests of ``examining`` run in a clean process, too.

    Where the code ends the run, the cell that did and every test after it get an error output, so
    that they count 0. Raises ``NeverStarted``.
    """
    from markbook.kernels.execute import execute

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = _encodable(cell.source)
    execution = execute(
        notebook,
        limits=Limits(
            cell_seconds=settings.cell_seconds,
            total_seconds=settings.total_seconds,
            memory=settings.memory,
            output=settings.output,
            messages=settings.messages,
        ),
        cwd=place,
        preload=settings.preload,
        environment=_ENVIRONMENT,
        examining=examining,
    )
    name = prepared.master.name
    if execution.stopped is Stopped.NEVER_STARTED:
        raise NeverStarted(_last_line(execution.log))
    findings = _refuse_invalid(notebook, name)
    findings += [
        f"{_Place(number, name)} was interrupted after {settings.cell_seconds:g} seconds"
        for number, cell in enumerate(notebook.cells, start=1)
        if any(output.get("ename") == _TIMEOUT for output in cell.get("outputs", ()))
    ]
    findings += [f"{name}.ipynb: {sentence}" for sentence in overruns(notebook, settings, place)]
    if execution.stopped is not None:
        stopped_at = execution.cell or 0
        findings.append(
            f"{execution.stopped}: {_Place(stopped_at + 1, name)}; tests from there on count 0"
        )
        _mark_unrun(notebook, prepared, stopped_at, execution.stopped)
    return Ran(findings, execution.verdicts)


def _encodable(source: str) -> str:
    """Replace lone surrogates, which no message to a kernel can hold."""
    return source.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _last_line(log: str) -> str:
    lines = log.strip().splitlines()
    return lines[-1][:300] if lines else ""


def _mark_unrun(
    notebook: NotebookNode, prepared: PreparedNotebook, stopped_at: int, stopped: Stopped
) -> None:
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or index < stopped_at:
            continue
        known = prepared.find(cell)
        is_test = known is not None and known.master.grade and not known.master.solution
        if index == stopped_at or is_test:
            cell.outputs.append(_error(str(stopped)))


def _error(sentence: str) -> Any:
    return nbformat.v4.new_output(  # type: ignore[no-untyped-call]
        "error",
        ename="MarkbookStopped",
        evalue=sentence,
        traceback=[f"MarkbookStopped: {sentence}"],
    )


def _refuse_invalid(notebook: NotebookNode, name: str) -> list[str]:
    """Put an error, which counts 0, for outputs that code forged so that they are none.

    They would make the whole notebook invalid, and nbgrader gives up on such a submission.
    """
    findings: list[str] = []
    if is_valid(notebook):
        return findings
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and not all(map(_is_output, cell.outputs)):
            sentence = "wrote an output that is none"
            cell.outputs = [o if _is_output(o) else _error(f"it {sentence}") for o in cell.outputs]
            findings.append(f"{_Place(number, name)} {sentence}")
    return findings


def _is_output(output: NotebookNode) -> bool:
    with contextlib.suppress(nbformat.ValidationError):
        nbformat.validate(output, ref=str(output.get("output_type")), version=4, version_minor=5)
        return True
    return False
