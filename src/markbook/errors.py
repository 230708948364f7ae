"""Everything Markbook raises on purpose.

::

    MarkbookError                 base: a sentence that says what, where, what next
    ├── UsageError                the command or its arguments are wrong        (exit 2)
    │   ├── CourseError           no course here, or its configuration is broken
    │   └── UnknownName           an assignment, question or student that is not there
    ├── InputError                a file of a person is wrong                   (exit 1)
    │   ├── RubricError           a rubric file
    │   ├── NotebookError         a notebook
    │   └── PaperError            a student's paper
    ├── NothingMatched            the request was fine and selected nothing     (exit 4)
    ├── GraderError               a grader notebook failed or wrote nonsense    (exit 1)
    ├── IsolationError            student code cannot be locked up here         (exit 1)
    ├── StaleMark                 somebody else saved a mark in between         (exit 1)
    ├── StaleRubric               somebody else edited the rubric in between    (exit 1)
    └── InternalError             our fault                                     (exit 3)

Only ``cli`` turns these into exit codes. Everything else just raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CourseError",
    "GraderError",
    "InputError",
    "InternalError",
    "IsolationError",
    "MarkbookError",
    "NotebookError",
    "NothingMatched",
    "PaperError",
    "RubricError",
    "StaleMark",
    "StaleRubric",
    "UnknownName",
    "UsageError",
]


class MarkbookError(Exception):
    """Something went wrong that a person can act on.

    ``what`` is a sentence naming the problem and its place; ``hint`` says what to do next.
    """

    def __init__(self, what: str, *, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(what, hint)

    def __str__(self) -> str:
        return f"{self.what} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries; keyword-only fields need help to survive it.
        return (_rebuild, (type(self), dict(self.__dict__)))


def _rebuild(kind: type[MarkbookError], state: dict[str, object]) -> MarkbookError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (state.get("what"), state.get("hint"))
    return error


class UsageError(MarkbookError):
    """The command or its arguments are wrong."""


class CourseError(UsageError):
    """There is no course here, or its configuration cannot be read."""


class UnknownName(UsageError):  # noqa: N818  (the name already says what happened)
    """An assignment, question or student that the course does not have."""


class InputError(MarkbookError):
    """A file that a person wrote is wrong; ``path`` and ``line`` say where (line is 1-based)."""

    def __init__(
        self, what: str, *, path: Path | None = None, line: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(what, hint=hint)
        self.path = path
        self.line = line

    @property
    def placed(self) -> str:
        """The problem with its line, for where the file has been named already."""
        return self.what if self.line is None else f"{self.what} (line {self.line})"

    def __str__(self) -> str:
        if self.path is None:
            return super().__str__()
        place = f"{self.path}:{self.line}" if self.line is not None else str(self.path)
        return f"{place}: {super().__str__()}"


class RubricError(InputError):
    """A rubric file is wrong."""


class NotebookError(InputError):
    """A notebook is wrong."""


class PaperError(InputError):
    """A student's paper cannot be read."""


class NothingMatched(MarkbookError):  # noqa: N818  (the name already says what happened)
    """The request was fine, and selected nothing."""


class GraderError(MarkbookError):
    """A grader notebook failed, or what it wrote is not valid."""


class IsolationError(MarkbookError):
    """Student code cannot be locked up here, so it is not run."""


class StaleMark(MarkbookError):  # noqa: N818  (the name already says what happened)
    """The mark was changed by somebody else since it was read; nothing was stored.

    ``theirs`` is the mark that counts now (a ``Mark``), where there is one.
    """

    theirs: object | None = None


class StaleRubric(MarkbookError):  # noqa: N818  (the name already says what happened)
    """The rubric was edited by somebody else since it was read; nothing was stored.

    ``theirs`` is the rubric as it is now (a ``Rubric``).
    """

    theirs: object | None = None


class InternalError(MarkbookError):
    """A fault of Markbook itself."""
