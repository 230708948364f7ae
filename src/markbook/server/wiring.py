"""What all requests share, made once when the server starts: the course, its gradebook, threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.errors import CourseError, MarkbookError
from markbook.marking.score_host import ScoreHost

if TYPE_CHECKING:
    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.marking.desk import Desk

__all__ = ["Wiring"]

# Requests mostly wait for the database, which lets one writer in at a time.
_THREADS = 8


class Wiring:
    """The course that this server marks, its gradebook and one desk per question.

    ``course`` is None, and ``problem`` says why, where the server was started outside a course.
    ``marker`` is the name for people whom the server does not know by name. With ``learn``,
    expected scores are learned from the marks, in a process that starts when it is needed.
    """

    def __init__(
        self,
        course: Course | None,
        *,
        marker: str,
        problem: CourseError | None = None,
        learn: bool = True,
    ) -> None:
        self.marker = marker
        self.pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="markbook")
        self._course = course
        self._problem = problem
        self._gradebook: Gradebook | None = None
        self._desks: dict[tuple[str, str], Desk] = {}
        self._reading: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()
        self._scores = ScoreHost() if learn else None

    @property
    def course(self) -> Course:
        """The course; ``CourseError`` where there is none."""
        if self._course is None:
            raise self._problem or CourseError("This server was started outside a course.")
        return self._course

    def gradebook(self) -> Gradebook:
        """The gradebook, open; ``CourseError`` when it cannot be opened. May take a second."""
        from markbook.gradebook import Gradebook

        with self._lock:
            if self._gradebook is None:
                _require_gradebook(self.course)
                self._gradebook = Gradebook.open(self.course)
            return self._gradebook

    def begin(self) -> None:
        """Open the gradebook, and finish edits of rubrics that were cut short by a kill."""
        from markbook.marking.rubric_edits import finish_edits

        if self._course is None:
            return
        with suppress(MarkbookError):  # whoever asks for the thing itself is told
            gradebook = self.gradebook()
            for assignment in self._course.assignments():
                with suppress(MarkbookError):
                    finish_edits(self._course, gradebook, assignment)

    def desk(self, assignment: str, question: str) -> Desk:
        """The desk of a question; ``UnknownName`` where the course has no such one."""
        from markbook.marking.cases import select_questions, text_questions
        from markbook.marking.desk import Desk

        name = self.course.require(assignment)
        gradebook = self.gradebook()
        with self._lock:
            if (name, question) in self._desks:
                return self._desks[name, question]
        # What came with the request becomes part of a path only after it is known to be an id.
        select_questions(text_questions(self.course, name), [question], name)
        with self._lock:
            reading = self._reading.setdefault((name, question), threading.Lock())
        with reading:  # a large question takes a second to read: the others need not wait for it
            if (name, question) not in self._desks:
                self._desks[name, question] = Desk(
                    self.course, gradebook, name, question, self._scores
                )
            return self._desks[name, question]

    def close(self) -> None:
        """Let running requests end, and close the gradebook."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        if self._scores is not None:
            self._scores.close()
        with self._lock:
            if self._gradebook is not None:
                self._gradebook.close()
            self._gradebook = None


def _require_gradebook(course: Course) -> None:
    """Refuse to make one: a look at a page must not."""
    file = course.db_url.removeprefix("sqlite:///")
    if file != course.db_url and not Path(file).is_file():
        raise CourseError(
            f"The course {course.root} has no gradebook yet: nothing was collected.",
            hint="Run 'markbook collect' and 'markbook autograde' first.",
        )
