"""Papermill's engine on forked kernels: ``execute_notebook(..., engine_name="markbook")``.

Papermill imports this at its own start, through the entry point ``papermill.engine``, so nothing
here may import papermill at once: whoever came here first would find it half made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill.engines import NotebookExecutionManager

__all__ = ["MarkbookEngine"]


class MarkbookEngine:
    """Runs a notebook in a kernel that is forked for it from a process that is ready.

    Options beyond papermill's own, for ``execute_notebook``: ``total_timeout`` (s) for all cells,
    ``output_limit`` (bytes) for all that they write, ``memory_limit`` (bytes) beyond what a kernel
    maps at its start, ``preload`` (modules that the kernel finds imported), ``environment`` (all
    of the kernel's; default: this process's), ``save_on_cell_execute`` and ``on_end``, which is
    called with the notebook and the kernel's own log however the run ended.

    The output file is written when the notebook ran (by papermill), and before that every
    ``autosave_cell_every`` seconds (30, as papermill has it, between cells also), or after each
    cell with ``save_on_cell_execute=True``. Kernels of other languages, and other Pythons', are
    run as papermill runs them.

    Raises papermill's and nbclient's errors: ``PapermillExecutionError``, ``CellTimeoutError``
    (``execution_timeout``, ``total_timeout``), ``DeadKernelError`` (also past ``output_limit``);
    ``KernelStartError``; ``UsageError`` for an option that a kernel cannot have.
    """

    @classmethod
    def execute_notebook(
        cls,
        nb: NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        **options: Any,
    ) -> NotebookNode:
        """Run ``nb``; see papermill's method of this name."""
        from markbook.kernels.enginerun import SavingManager

        manager = SavingManager(
            nb,
            output_path=output_path,
            progress_bar=options.pop("progress_bar", True),
            log_output=options.get("log_output", False),
            autosave_cell_every=options.pop("autosave_cell_every", 30),
        )
        manager.each_cell = options.pop("save_on_cell_execute", False)
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, **options)
        except BaseException:
            manager.each_cell = True  # papermill writes nothing after this
            raise
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        ran: NotebookNode = manager.nb
        return ran

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any
    ) -> None:
        """Run the notebook of ``nb_man``; see papermill's method of this name."""
        from markbook.kernels.enginerun import run

        run(nb_man, kernel_name, options)

    @classmethod
    def nb_kernel_name(cls, nb: NotebookNode, name: str | None = None) -> str:
        """Return the kernel that a notebook asks for, unless another is named."""
        from papermill.utils import nb_kernel_name

        return str(nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: NotebookNode, language: str | None = None) -> str:
        """Return a notebook's language, unless another is named."""
        from papermill.utils import nb_language

        return str(nb_language(nb, language))
