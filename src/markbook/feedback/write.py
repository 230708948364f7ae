"""Writing the pages where nbgrader looks for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from markbook.errors import MarkbookError, UnknownName
from markbook.feedback.build import Class, build_page
from markbook.feedback.executed import read_executed
from markbook.feedback.papers import read_papers
from markbook.feedback.plan import read_plan
from markbook.notebooks import Delimiters
from markbook.rubrics import load_rubric
from markbook.text.files import write_atomic
from markbook.text.pages import PageTemplate
from markbook.text.plainfiles import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future
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
_COMPANION = 4_096  # bytes; a time and a secret have a hundred

# Disks take several files in the time of one; a few students' pages wait for them at most.
_WRITERS = 4
_AHEAD = 16


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
    plan = read_plan(course.source(assignment), assignment, Delimiters.of(course.setting))
    rooms = _Rooms(course, gb, assignment, show_model_answers=show_model_answers)
    tell = on_event or (lambda _event: None)
    tell(FeedbackEvent("start", 0, len(chosen)))
    with ThreadPoolExecutor(_WRITERS, "markbook-feedback") as pool:
        run = _Run(course, assignment, plan, pool, dry_run=dry_run)
        for papers in read_papers(gb, assignment, plan, chosen):
            room = rooms.of(papers)
            for student in papers.students:
                run.student(room, student)
                for written in run.settle(_AHEAD):
                    tell(FeedbackEvent("student", run.done, len(chosen), written))
        for written in run.settle(0):
            tell(FeedbackEvent("student", run.done, len(chosen), written))
    tell(FeedbackEvent("done", len(chosen), len(chosen)))
    return FeedbackReport(
        assignment=assignment,
        students=chosen,
        pages=tuple(run.pages),
        changed=tuple(run.changed),
        waiting=run.waiting,
        problems=tuple(run.problems),
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """What became of one student's files."""

    changed: tuple[Path, ...]
    problem: str = ""


class _Run:
    """One pass over the class, gathering what it did.

    Pages are made here, one after another, and written by ``pool``: a disk takes as long to say
    that it holds a file for good as it takes to make a page.
    """

    def __init__(
        self,
        course: Course,
        assignment: str,
        plan: tuple[Notebook, ...],
        pool: Executor,
        *,
        dry_run: bool,
    ) -> None:
        self._course, self._assignment, self._plan = course, assignment, plan
        self._pool, self._dry_run = pool, dry_run
        self._under_way: deque[tuple[str, Future[_Written]]] = deque()
        self.done = 0
        self.pages: list[Path] = []
        self.changed: list[Path] = []
        self.problems: list[str] = []
        self.waiting = 0

    def student(self, room: Class, student: str) -> None:
        """Make a student's pages and have them written."""
        folder = self._course.feedback(self._assignment, student)
        files: list[tuple[Path, bytes]] = []
        for notebook in self._plan:
            page = build_page(room, notebook, student, self._executed(student, notebook))
            self.waiting += page.waiting
            files.append((folder / f"{notebook.name}.html", render_page(page).encode()))
        self.pages += [path for path, _ in files]
        self._under_way.append((student, self._pool.submit(self._write, student, files, folder)))

    def settle(self, ahead: int) -> Iterator[str]:
        """Wait until at most ``ahead`` students are being written; yield those that were."""
        while len(self._under_way) > ahead:
            student, future = self._under_way.popleft()
            written = future.result()
            self.changed += written.changed
            if written.problem:
                self.problems.append(written.problem)
            self.done += 1
            yield student

    def _executed(self, student: str, notebook: Notebook) -> Executed | None:
        if not any(item.is_code or item.in_code for item in notebook.items):
            return None
        folder = self._course.autograded(self._assignment, student)
        path = folder / f"{notebook.name}.ipynb"
        try:
            return read_executed(path)
        except MarkbookError as error:
            self.problems.append(f"{student}: the page shows nothing of what the code did. {error}")
            return None

    def _write(self, student: str, files: Iterable[tuple[Path, bytes]], folder: Path) -> _Written:
        changed: list[Path] = []
        try:
            # Of the companions the submission has the original.
            for durable, some in ((True, files), (False, self._companions(student, folder))):
                for path, data in some:
                    if self._put(path, data, durable=durable):
                        changed.append(path)
        except OSError as error:
            problem = f"{student}: {error.filename}: {error.strerror}."
            return _Written(tuple(changed), problem)
        return _Written(tuple(changed))

    def _companions(self, student: str, folder: Path) -> Iterator[tuple[Path, bytes]]:
        submitted = self._course.submitted(self._assignment, student)
        for name in _COMPANIONS:
            # A link could lead anywhere, a pipe never end: what is odd is as good as not there.
            with suppress(OSError):
                yield folder / name, read_plain(submitted / name, _COMPANION)

    def _put(self, path: Path, data: bytes, *, durable: bool) -> bool:
        if self._dry_run:
            return not path.is_file() or path.read_bytes() != data
        return write_atomic(path, data, durable=durable)


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
        self._delimiters = Delimiters.of(course.setting)
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
            delimiters=self._delimiters,
        )


class _CurrentRubrics(Mapping[str, "Rubric"]):
    """The rubrics of today by question, each read when it is first asked for.

    All of them take as long to read as the pages of twenty students.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = {
            path.stem: path
            for ending in ("yml", "yaml")
            for path in sorted(folder.glob(f"*.{ending}"))
        }
        self._read: dict[str, Rubric] = {}

    def __getitem__(self, question: str) -> Rubric:
        if question not in self._read:
            self._read[question] = load_rubric(self._paths[question])
        return self._read[question]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)
