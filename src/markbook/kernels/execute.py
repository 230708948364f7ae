"""Running one notebook's cells in a fresh kernel, with the outputs that nbgrader would get.

Imported late: nbclient costs more than a whole ``markbook --help``.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from markbook.kernels.apart import apart
from markbook.kernels.client import ForkedClient, KernelSettings
from markbook.kernels.forkowner import KernelStartError
from markbook.kernels.limits import Stopped
from markbook.kernels.manager import plain_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markbook.kernels.examiner.owner import Examining, Verdict
    from markbook.kernels.limits import Limits
    from markbook.kernels.sandbox.room import Room

__all__ = ["Execution", "execute"]

# nbgrader.preprocessors.Execute.error_on_timeout
_TIMEOUT: dict[str, Any] = {
    "ename": "CellTimeoutError",
    "evalue": "",
    "traceback": ["\x1b[0;31mCellTimeoutError\x1b[0m: No reply from kernel before timeout"],
}
# Seconds for a cell to end after it was interrupted. nbclient's iopub_timeout, which is what
# nbgrader gives: a cell that it still scores is scored here.
_GRACE = 4
_NO_TRACEBACK = ["ERROR: An error occurred while showtraceback was disabled"]

# What nbclient says of timeouts is in the outputs and in Execution.
_SILENCE = logging.getLogger("markbook.kernels.execute")
_SILENCE.addHandler(logging.NullHandler())
_SILENCE.propagate = False

_node: Callable[..., NotebookNode] = NotebookNode  # nbformat has no types


@dataclass(frozen=True, slots=True)
class Execution:
    """How a run went. ``stopped`` is why it ended before its last cell, None if it did not.

    ``cell`` is the index, in the notebook's cells, of the one in which it ended; with
    ``allow_errors=False`` also that of a cell that failed. ``seconds`` is wall time, the kernel's
    start and end included. ``log`` is what the kernel's process wrote outside of cells, and, where
    it never started, as its last line why. ``verdicts`` are those of ``examining``, by cell index.
    """

    stopped: Stopped | None
    cell: int | None
    seconds: float
    log: str
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)


def execute(  # noqa: PLR0913  (a seam: every argument is one choice of the caller)
    notebook: NotebookNode,
    *,
    limits: Limits,
    cwd: Path | Room,
    preload: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    allow_errors: bool = True,
    examining: Examining | None = None,
) -> Execution:
    """Run a notebook's code cells in ``cwd``, in a kernel forked for it and killed after it.

    ``cwd`` is a folder, or a sandbox's room: the kernel is locked up in that.

    Outputs are put into ``notebook``, as nbgrader's ``Execute`` puts them: a cell that is out of
    time is interrupted, gets a ``CellTimeoutError``, and the next one runs. Where a limit ends
    the kernel, the notebook keeps what ran. ``environment`` is added to a small one of the
    kernel's own. Where the code forged messages that are no outputs, they stand there as they are,
    and the notebook is invalid. May be called from any thread, an event loop's too. Nothing
    that the notebook does is raised. With ``examining``, its tests are run in a clean process, too,
    each before its cell runs in the kernel.
    """
    folder, room = (cwd, None) if isinstance(cwd, Path) else (Path(cwd.cwd), cwd)
    settings = KernelSettings(
        limits=limits,
        cwd=folder,
        room=room,
        preload=preload,
        environment={**plain_environment(), **(environment or {})},
    )
    settings.examining = examining
    start = time.monotonic()
    execution, lost = apart(_attempt, notebook, settings, allow_errors)
    if lost:  # the kernels' server went down, by another kernel's code, say: that is no verdict
        execution, _ = apart(_attempt, notebook, settings, allow_errors)
    return replace(execution, seconds=time.monotonic() - start)


def _attempt(
    notebook: NotebookNode, settings: KernelSettings, allow_errors: bool
) -> tuple[Execution, bool]:
    """Run once; says also whether the kernel was lost by no doing of its own."""
    client = ForkedClient(
        notebook,
        settings,
        allow_errors=allow_errors,
        interrupt_on_timeout=True,
        error_on_timeout=_TIMEOUT,
        raise_on_iopub_timeout=True,
        iopub_timeout=_GRACE,
        on_cell_executed=_record_error,
    )
    client.log = _SILENCE
    client.keep_forged = True
    index: int | None = None
    stopped: Stopped | None = None
    said = ""
    try:
        with client.setup_kernel():
            notebook.metadata["language_info"] = _node(client.language_info)
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":  # nbclient looks too, in a loop run for each cell
                    client.examine(cell, index)
                    client.execute_cell(cell, index, store_history=True)
            index = None
        client.set_widgets_metadata()
    except KernelStartError as error:
        stopped, said = Stopped.NEVER_STARTED, f"{error}\n"
    except (DeadKernelError, CellTimeoutError):
        stopped = client.stopped
    except CellExecutionError:
        pass  # not allowed: its outputs say what it was
    verdicts = client.examination.verdicts if client.examination is not None else {}
    return Execution(stopped, index, 0.0, client.log_text + said, verdicts), client.lost


def _record_error(cell: NotebookNode, execute_reply: dict[str, Any], **_: Any) -> None:
    """Put the reply's error among the outputs if it is not there: nbgrader's own rule."""
    reply = execute_reply["content"]
    if reply["status"] != "error":
        return
    if any(o.output_type == "error" and o.ename == reply["ename"] for o in cell.outputs):
        return
    cell.outputs.append(
        _node(
            output_type="error",
            ename=reply["ename"],
            evalue=reply["evalue"],
            traceback=reply["traceback"] or list(_NO_TRACEBACK),
        )
    )
