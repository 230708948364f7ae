"""One run of one grader notebook by papermill."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.errors import GraderError
from markbook.kernels.limits import LOG_LIMIT
from markbook.notebooks import read_notebook, write_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = ["GraderRunError", "NotebookRun", "run_grader"]

_KERNEL = "python3"
_OUTPUT_LIMIT = 50_000_000  # bytes; a grader draws what it found, and its notebook is kept
# Imported once for all runs: half a second of rubrics and figures that each would wait for.
_PRELOAD = (
    "markbook.graders",
    "markbook.graders.drawing",
    "markbook.graders.earlier_parts",
    "markbook.graders.expected",
    "markbook.graders.learning.model",
    "markbook.graders.learning.prior",
    "markbook.graders.learning.semantic",
    "markbook.graders.learning.taught",
    "markbook.graders.marked",
    "markbook.graders.sense",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "matplotlib.ticker",
)
_MARKER_TAG = "markbook-failed"


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """A grader notebook that ran to its end. ``seconds`` is wall time, the kernel's start too."""

    output: Path
    seconds: float
    log: str


class GraderRunError(GraderError):
    """A grader notebook did not run to its end.

    ``cell`` is the failing cell's position in the source notebook (None when no cell is to
    blame), ``name`` and ``value`` are the exception's, ``output`` is the notebook as far as it
    ran, with a marker above the failing cell, and ``log`` is what was said on the way.
    """

    def __init__(
        self,
        what: str,
        *,
        output: Path,
        name: str,
        value: str,
        cell: int | None = None,
        log: str = "",
    ) -> None:
        super().__init__(what, hint=f"See {output}; the grader notebook is to be mended.")
        self.output = output
        self.name = name
        self.value = value
        self.cell = cell
        self.log = log


def run_grader(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    timeout: float,
    cwd: Path,
    metadata: Mapping[str, Any] | None = None,
) -> NotebookRun:
    """Run ``notebook`` with ``parameters`` in ``cwd`` and keep it, as run, at ``output``.

    ``timeout`` is in seconds and for each cell. ``metadata`` is stored under ``markbook`` in the
    kept notebook. ``output`` is replaced at the end and in one step; it holds no path of this
    machine but those in ``parameters`` and in tracebacks. The process is not moved to ``cwd``,
    so runs may go side by side in threads as well as in processes.

    Raises ``GraderRunError`` when a cell fails, runs out of time, or the kernel dies; ``output``
    is then the notebook as far as it ran. Raises ``NotebookError`` when ``notebook`` is none.
    """
    source = read_notebook(notebook)
    started = time.monotonic()
    ran = _Ran(source)
    with _log() as lines:
        failure = _execute(source, ran, parameters, timeout=timeout, cwd=cwd)
    result = ran.notebook
    log = "\n".join([*lines, *ran.log.splitlines()])[:LOG_LIMIT]
    error = _failure(notebook, output, result, failure, log)
    _tidy(result, {"failed": True} if error else dict(metadata or {}))
    if error is not None:
        _mark(result, error)
        write_notebook(result, output)
        raise error
    write_notebook(result, output)
    return NotebookRun(output=output, seconds=time.monotonic() - started, log=log)


class _Ran:
    """The notebook as far as it ran, and what its kernel said outside of cells."""

    def __init__(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self.log = ""

    def keep(self, notebook: NotebookNode, log: str) -> None:
        self.notebook, self.log = notebook, log


def _execute(
    source: NotebookNode, ran: _Ran, parameters: Mapping[str, Any], *, timeout: float, cwd: Path
) -> BaseException | None:
    """Run through papermill; returns what went wrong. ``ran`` gets the notebook in any case."""
    with warnings.catch_warnings():
        # Foreign deprecations at import are not this run's findings.
        warnings.simplefilter("ignore")
        import papermill
        from nbclient.exceptions import CellTimeoutError, DeadKernelError

        from markbook.kernels.forkowner import KernelStartError
        from markbook.kernels.manager import grader_environment

    try:
        papermill.execute_notebook(
            source,
            None,  # it is written once, by us
            parameters=dict(parameters),
            engine_name="markbook",
            kernel_name=_KERNEL,
            language="python",
            progress_bar=False,
            start_timeout=60,
            execution_timeout=timeout,
            output_limit=_OUTPUT_LIMIT,
            preload=_PRELOAD,
            environment=grader_environment(),
            on_end=ran.keep,
            # papermill's own cwd would move this whole process; this moves the kernel.
            resources={"metadata": {"path": str(cwd)}},
        )
    except (
        papermill.PapermillExecutionError,
        CellTimeoutError,
        DeadKernelError,
        KernelStartError,
        RuntimeError,  # nbclient's, for a kernel that did not start
    ) as error:
        return error
    return None


def _failure(
    notebook: Path, output: Path, result: NotebookNode, failure: BaseException | None, log: str
) -> GraderRunError | None:
    if failure is None:
        return None
    name = str(getattr(failure, "ename", "") or type(failure).__name__)
    value = str(getattr(failure, "evalue", "") or failure).strip()
    number = _failing_cell(result)
    first = value.splitlines()[0][:300] if value else ""
    where = f" in cell {number + 1}" if number is not None else ""
    return GraderRunError(
        f"The grader notebook {notebook.name} failed{where}: {name}: {first}",
        output=output,
        name=name,
        value=value,
        cell=number,
        log=log,
    )


def _own_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that the source has: not the injected parameters, not the markers."""
    foreign = {"injected-parameters", "papermill-error-cell-tag"}
    return [c for c in notebook.cells if not foreign & set(c.metadata.get("tags", []))]


def _failing_cell(notebook: NotebookNode) -> int | None:
    for number, cell in enumerate(_own_cells(notebook)):
        if any(o.get("output_type") == "error" for o in cell.get("outputs", [])):
            return number
        if cell.metadata.get("papermill", {}).get("exception") is True:
            return number
    return None


def _tidy(notebook: NotebookNode, metadata: dict[str, Any]) -> None:
    """Drop times, paths and chance from a run notebook, so that equal runs are equal bytes."""
    notebook.cells = [
        c for c in notebook.cells if "papermill-error-cell-tag" not in c.metadata.get("tags", [])
    ]
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = f"injected-parameters-{number}"
    notebook.metadata.pop("papermill", None)
    notebook.metadata["markbook"] = metadata


def _mark(notebook: NotebookNode, error: GraderRunError) -> None:
    """Put a marker above the failing cell, or at the top when no cell is to blame."""
    from nbformat.v4 import new_markdown_cell

    position = 0
    if error.cell is not None:
        position = notebook.cells.index(_own_cells(notebook)[error.cell])
    text = f"**This run stopped here.** `{error.name}`: `{error.value[:500]}`"
    cell = new_markdown_cell(text, id=_MARKER_TAG)  # type: ignore[no-untyped-call]
    cell.metadata["tags"] = [_MARKER_TAG]
    notebook.cells.insert(position, cell)


class _Lines(logging.Handler):
    """Keeps what one thread logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(f"{record.levelname}: {record.getMessage()}")


@contextmanager
def _log() -> Iterator[list[str]]:
    """Collect papermill's log of this thread, and keep it off the terminal."""
    logger = logging.getLogger("papermill")
    handler = _Lines()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
