"""Running grader notebooks in kernels of their own: the only door to papermill and Jupyter."""

from markbook.kernels.run import GraderRunError, NotebookRun, run_grader

__all__ = ["GraderRunError", "NotebookRun", "run_grader"]
