"""Running grader notebooks in kernels of their own: the only door to papermill and Jupyter."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markbook.kernels.run import GraderRunError, NotebookRun, run_grader

__all__ = ["GraderRunError", "NotebookRun", "run_grader"]


def __getattr__(name: str) -> Any:
    # Late: a fork server imports this package, and what it loads every kernel carries.
    if name in __all__:
        from markbook.kernels import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
