"""Collecting papers: from files and folders to submissions, one bad paper never stopping others."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.collect.archives import MOST_BYTES as MOST_ARCHIVE
from markbook.collect.archives import archive_endings, unpacker_for
from markbook.collect.matching import match_with
from markbook.collect.parcels import Parcel, open_archive
from markbook.collect.readers import endings, is_paper, reader_for
from markbook.collect.report import CollectedPaper, CollectReport, PaperFinished, PaperProblem
from markbook.collect.similarity import Phrasebook
from markbook.collect.students import StudentFrom, StudentNames
from markbook.collect.submissions import Paper, released_name, store
from markbook.collect.wordings import wordings_of
from markbook.errors import InputError, MarkbookError, NothingMatched, PaperError
from markbook.text.plainfiles import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from markbook.course import Course

__all__ = ["MOST_BYTES", "collect_papers", "papers_in"]

# A term's worth of prose has some 100 kB; far more is not a paper.
MOST_BYTES = 5_000_000
# A notebook holds its pictures.
MOST_NOTEBOOK = 50_000_000
_SKIPPED = ("readme", "license", "changelog")


@dataclass(frozen=True, slots=True)
class _Read:
    paper: Paper
    text: str | None  # None: a notebook


def papers_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and for each folder its papers (sorted, no deeper folders)."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        found += sorted(
            entry
            for entry in path.iterdir()
            if (is_paper(entry) or unpacker_for(entry) is not None)
            and not entry.name.startswith(".")
            and entry.stem.lower() not in _SKIPPED
            and not (entry.is_dir() and not entry.is_symlink())
        )
    return list({path.absolute(): path for path in found}.values())


def collect_papers(  # noqa: PLR0913  (a call site names each)
    course: Course,
    assignment: str,
    paths: Sequence[Path],
    *,
    student_from: StudentFrom | str = "filename",
    dry_run: bool = False,
    replace: bool = False,
    on_event: Callable[[PaperFinished], None] | None = None,
) -> CollectReport:
    """Turn papers into submissions of ``assignment``; with ``dry_run`` only tell what would be.

    ``paths`` are files and folders; ``student_from`` is ``filename``, ``front-matter`` or a CSV
    table with the columns path and student. A paper that cannot be collected is an entry of
    ``errors`` and leaves the others alone. Raises ``UnknownName`` for the assignment,
    ``NothingMatched`` when the folders hold no papers, and ``PaperError`` for a broken table.
    """
    course.require(assignment)
    book = Phrasebook(wordings_of(course, assignment))
    names = StudentNames(student_from)
    files = papers_in(paths)
    if not files:
        raise NothingMatched(
            f"There are no papers in {', '.join(str(path) for path in paths)}.",
            hint=f"Papers end in {_listed(endings())}, archives of them in"
            f" {_listed(archive_endings())}.",
        )
    done = _Pile(course, assignment, len(files), on_event)
    # Several archives, or those in a folder, are a student's each; one that is named the class's.
    one_archive = len(files) == 1 and files[0] in paths
    read = done.without_doubles(done.read(files, names, one_archive=one_archive))
    for one in read:
        done.collect(one, book, dry_run=dry_run, replace=replace)
    return CollectReport(assignment, tuple(done.papers), tuple(done.errors), dry_run)


class _Pile:
    """The papers of one call on their way."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        total: int,
        on_event: Callable[[PaperFinished], None] | None,
    ) -> None:
        self.course = course
        self.assignment = assignment
        self.total = total
        self.on_event = on_event
        self.papers: list[CollectedPaper] = []
        self.errors: list[PaperProblem] = []
        self._number = 0

    def read(self, files: Iterable[Path], names: StudentNames, *, one_archive: bool) -> list[_Read]:
        """Read every file; what cannot be read becomes an error."""
        found: list[_Read] = []
        for path in files:
            for parcel, modified in self._parcels(path, one_archive=one_archive):
                try:
                    found.append(self._read(parcel, modified, names))
                except InputError as error:
                    self._fail(parcel.path, error)
        return found

    def _parcels(self, path: Path, *, one_archive: bool) -> list[tuple[Parcel, float]]:
        """Return a file as it is, or what is in an archive."""
        try:
            data, modified = _bytes(path)
            if unpacker_for(path) is None:
                return [(Parcel(path, data), modified)]
            opened = open_archive(path, data, self._released, one_student=not one_archive)
        except InputError as error:
            self._fail(path, error)
            return []
        self.total += len(opened.parcels) + len(opened.errors) - 1
        for place, problem in opened.errors:
            self._fail(place, problem)
        return [(parcel, modified) for parcel in opened.parcels]

    def _released(self, path: Path, data: bytes) -> str:
        return released_name(self.course, self.assignment, path, data)

    def _read(self, parcel: Parcel, modified: float, names: StudentNames) -> _Read:
        path, data = parcel.path, parcel.data
        if len(data) > _most(path):
            raise _too_large(path)
        if path.suffix.lower() == ".ipynb":
            name = self._released(path, data)
            # A notebook under its released name says nothing of its student; its folder does.
            called = parcel.called
            if not called and path.name == name:
                called = path.absolute().parent.name
            student = names.of(path, "", called)
            text, notes = None, parcel.notes
        else:
            decoded = reader_for(path)(data)
            student = names.of(path, decoded.text, parcel.called)
            name, text, notes = "", decoded.text, (*decoded.notes, *parcel.notes)
        beside = dict(parcel.beside)
        paper = Paper(path, student, data, modified, notes, name=name, beside=beside)
        return _Read(paper, text)

    def without_doubles(self, read: Sequence[_Read]) -> list[_Read]:
        """Leave out the papers of a student who has two: taking one would lose the other."""
        by_student: dict[str, list[_Read]] = {}
        for one in read:
            by_student.setdefault(one.paper.student.casefold(), []).append(one)
        for several in by_student.values():
            for one in several if len(several) > 1 else ():
                others = [str(o.paper.path) for o in several if o is not one]
                self._fail(
                    one.paper.path,
                    PaperError(
                        f"{one.paper.student} has {len(several)} papers (also"
                        f" {', '.join(others)}); none of them was taken.",
                        hint="Keep one, or say whose they are with --student-from TABLE.csv.",
                    ),
                    one.paper.student,
                )
        return [several[0] for several in by_student.values() if len(several) == 1]

    def collect(self, one: _Read, book: Phrasebook, *, dry_run: bool, replace: bool) -> None:
        """Match and store one paper."""
        paper, changed, error = one.paper, False, ""
        match = None if one.text is None else match_with(book, one.text)
        try:
            if match is not None and not match.found:
                raise self._nothing_found(one)
            if not dry_run:
                changed = store(self.course, self.assignment, paper, match, replace=replace)
        except (InputError, OSError) as problem:
            error = self._fail(paper.path, problem, paper.student)
            if match is None or match.found:
                return
        self.papers.append(
            CollectedPaper(paper.path, paper.student, match, paper.notes, changed, error)
        )
        if not error:
            self._tell(paper.path, paper.student, changed=changed)

    def _nothing_found(self, one: _Read) -> PaperError:
        fits = [
            (match_with(Phrasebook(wordings_of(self.course, other)), one.text or "").found, other)
            for other in self.course.assignments()
            if other != self.assignment
        ]
        most, other = max(fits, default=(0, ""))
        hint = (
            f"It asks {most} of the questions of {other}: collect it there?"
            if most
            else "Add the wordings that it uses to asked_as in the rubric files."
        )
        return PaperError(
            f"The paper asks none of the questions of {self.assignment}.",
            path=one.paper.path,
            hint=hint,
        )

    def _fail(self, path: Path, error: InputError | OSError, student: str = "") -> str:
        what = error.what if isinstance(error, MarkbookError) else _reason(error)
        hint = error.hint if isinstance(error, MarkbookError) else ""
        self.errors.append(PaperProblem(path, what, hint, student))
        self._tell(path, student, error=what)
        return what

    def _tell(self, path: Path, student: str, *, changed: bool = False, error: str = "") -> None:
        self._number += 1
        if self.on_event is not None:
            self.on_event(PaperFinished(path, student, self._number, self.total, changed, error))


def _listed(endings: Iterable[str]) -> str:
    return ", ".join(f".{ending}" for ending in sorted(endings))


def _most(path: Path) -> int:
    if unpacker_for(path) is not None:
        return MOST_ARCHIVE
    return MOST_NOTEBOOK if path.suffix.lower() == ".ipynb" else MOST_BYTES


def _too_large(path: Path) -> PaperError:
    return PaperError(
        f"The paper is larger than {_most(path) // 1_000_000} MB.", path=path, hint="Is it a text?"
    )


def _reason(error: OSError) -> str:
    return f"{error.strerror or error}."


def _bytes(path: Path) -> tuple[bytes, float]:
    """Return a paper's bytes and time; links, pipes and giants are refused, none is opened."""
    try:
        return read_plain(path, _most(path)), path.lstat().st_mtime
    except FileNotFoundError as error:
        raise PaperError(
            f"The paper cannot be read: {_reason(error)}", path=path, hint="Check the name."
        ) from error
    except OSError as error:
        odd = error.errno == errno.EINVAL
        says = (
            f"The paper {error.strerror}." if odd else f"The paper cannot be read: {_reason(error)}"
        )
        hint = "Name a plain file." if odd else "Check who may read it."
        raise PaperError(says, path=path, hint=hint) from error
