"""Writing the pages where nbgrader looks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from markbook.errors import MarkbookError, UnknownName
from markbook.feedback.build import Class, build_page
from markbook.feedback.executed import read_executed
from markbook.feedback.papers import read_papers
from markbook.feedback.plan import read_plan
from markbook.rubrics import load_rubrics
from markbook.text.files import write_atomic
from markbook.text.pages import PageTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from markbook.course import Course
    from markbook.feedback.executed import Executed
    from markbook.feedback.papers import Papers
    from markbook.feedback.plan import Notebook
    from markbook.feedback.source import FeedbackSource
    from markbook.feedback.views import StudentPage
    from markbook.model import Rubric

__all__ = ["FeedbackEvent", "FeedbackReport", "write_feedback"]

# nbgrader's release_feedback reads both beside each page.
_COMPANIONS = ("timestamp.txt", "submission_secret.txt")


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """A moment in the writing: ``done`` of ``total`` students, the last one ``student``."""

    name: Literal["start", "student", "done"]
    done: int
    total: int
    student: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """What ``write_feedback`` did, or would do.

    ``pages`` are all pages, ``changed`` the files that were (or would be) written anew.
    ``waiting`` counts the answers that wait for a person. ``problems`` are sentences: a page that
    could not be made complete, and why.
    """

    assignment: str
    students: tuple[str, ...]
    pages: tuple[Path, ...]
    changed: tuple[Path, ...]
    waiting: int
    problems: tuple[str, ...] = ()


def write_feedback(  # noqa: PLR0913  (a step's seam: every argument is one choice of the caller)
    course: Course,
    gb: FeedbackSource,
    assignment: str,
    *,
    students: Iterable[str] | None = None,
    show_model_answers: bool = False,
    dry_run: bool = False,
    on_event: Callable[[FeedbackEvent], None] | None = None,
) -> FeedbackReport:
    """Write every student's pages, with the two files that nbgrader's release_feedback reads.

    ``students`` narrows the class; ``UnknownName`` for one without a submission. A page that is
    already right is not touched. One student's broken files become a problem in the report, and
    the others go on.
    """
    course.require(assignment)
    chosen = _chosen(gb.students(assignment), students, assignment)
    plan = read_plan(course.source(assignment), assignment)
    run = _Run(course, assignment, plan, dry_run=dry_run)
    rooms = _Rooms(course, gb, assignment, show_model_answers=show_model_answers)
    tell = on_event or (lambda _event: None)
    tell(FeedbackEvent("start", 0, len(chosen)))
    done = 0
    for papers in read_papers(gb, assignment, plan, chosen):
        room = rooms.of(papers)
        for student in papers.students:
            run.student(room, student)
            done += 1
            tell(FeedbackEvent("student", done, len(chosen), student))
    tell(FeedbackEvent("done", len(chosen), len(chosen)))
    return FeedbackReport(
        assignment=assignment,
        students=chosen,
        pages=tuple(run.pages),
        changed=tuple(run.changed),
        waiting=run.waiting,
        problems=tuple(run.problems),
    )


class _Run:
    """One pass over the class, gathering what it did."""

    def __init__(
        self, course: Course, assignment: str, plan: tuple[Notebook, ...], *, dry_run: bool
    ) -> None:
        self._course, self._assignment, self._plan = course, assignment, plan
        self._dry_run = dry_run
        self.pages: list[Path] = []
        self.changed: list[Path] = []
        self.problems: list[str] = []
        self.waiting = 0

    def student(self, room: Class, student: str) -> None:
        folder = self._course.feedback(self._assignment, student)
        try:
            for notebook in self._plan:
                page = build_page(room, notebook, student, self._graded(student, notebook))
                self.waiting += page.waiting
                path = folder / f"{notebook.name}.html"
                self.pages.append(path)
                self._write(path, render_page(page).encode())
            self._companions(student, folder)
        except OSError as error:
            self.problems.append(f"{student}: {error.filename}: {error.strerror}.")

    def _graded(self, student: str, notebook: Notebook) -> Executed | None:
        if not any(item.is_code or item.in_code for item in notebook.items):
            return None
        folder = self._course.autograded(self._assignment, student)
        path = folder / f"{notebook.name}.ipynb"
        try:
            return read_executed(path)
        except MarkbookError as error:
            self.problems.append(f"{student}: the page shows nothing of what the code did. {error}")
            return None

    def _companions(self, student: str, folder: Path) -> None:
        submitted = self._course.submitted(self._assignment, student)
        for name in _COMPANIONS:
            source = submitted / name
            # A link could lead anywhere; what a student handed in is not followed.
            if source.is_file() and not source.is_symlink():
                self._write(folder / name, source.read_bytes())

    def _write(self, path: Path, data: bytes) -> None:
        if self._dry_run:
            written = not path.is_file() or path.read_bytes() != data
        else:
            written = write_atomic(path, data)
        if written:
            self.changed.append(path)


def render_page(page: StudentPage) -> str:
    """Return the page as HTML."""
    return _template().render(page=page)


@cache
def _template() -> PageTemplate:
    return PageTemplate("markbook.feedback", "feedback.html.j2", ["feedback.css"])


def _chosen(
    known: tuple[str, ...], wanted: Iterable[str] | None, assignment: str
) -> tuple[str, ...]:
    if wanted is None:
        return known
    chosen = tuple(dict.fromkeys(wanted))
    for student in chosen:
        if student not in known:
            raise UnknownName(
                f"There is no submission of {student!r} to {assignment!r} in the gradebook.",
                hint=f"It has those of: {', '.join(known) or 'nobody yet'}.",
            )
    return chosen


class _Rooms:
    """Makes the values that pages are built from, with what all students share read once."""

    def __init__(
        self, course: Course, gb: FeedbackSource, assignment: str, *, show_model_answers: bool
    ) -> None:
        self._course, self._gb, self._assignment = course, gb, assignment
        self._show_model_answers = show_model_answers
        self._rubrics: dict[str, Rubric | None] = {}
        self._current = _CurrentRubrics(course.rubrics(assignment))

    def of(self, papers: Papers) -> Class:
        for version in {mark.rubric_version for mark in papers.marks.values()}:
            if version not in self._rubrics:
                self._rubrics[version] = self._gb.rubric(version)
        return Class(
            course=self._course.course_id,
            assignment=self._assignment,
            answers=papers.answers,
            marks=papers.marks,
            grades=papers.grades,
            suggestions=papers.suggestions,
            rubrics=self._rubrics,
            current=self._current,
            show_model_answers=self._show_model_answers,
        )


class _CurrentRubrics(Mapping[str, "Rubric"]):
    """The rubrics of today by question, read when the first is asked for.

    Reading them takes as long as the pages of twenty students, and a class that is marked to the
    end asks for none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Rubric] | None = None

    def _all(self) -> dict[str, Rubric]:
        if self._read is None:
            self._read = dict(load_rubrics(self._folder)) if self._folder.is_dir() else {}
        return self._read

    def __getitem__(self, question: str) -> Rubric:
        return self._all()[question]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
