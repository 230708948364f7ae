"""Grading one submission: a function from values to values, apart from the kernel it may need."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from markbook.autograde import honest
from markbook.autograde.alignment import CannotAlign, align, align_files
from markbook.autograde.answers import SIDECAR, answer_texts, find_answers, read_sidecar
from markbook.autograde.model_answers import beyond_examination, known_to_differ
from markbook.autograde.prepared import prepare
from markbook.autograde.restore import restore
from markbook.autograde.running import NeverStarted, run_notebook
from markbook.autograde.scoring import Score, comment, limit_outputs, score
from markbook.autograde.timestamps import NAME as TIMESTAMP
from markbook.autograde.timestamps import read_timestamp
from markbook.autograde.values import Result
from markbook.autograde.workplace import place_for
from markbook.errors import IsolationError, NotebookError
from markbook.kernels.examiner.owner import Examining
from markbook.model import AnswerStatus, CellComment, CellGrade, Outcome
from markbook.notebooks import nbgrader_metadata, notebook_bytes, parse_notebook
from markbook.text.plainfiles import shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from markbook.autograde.prepared import Prepared, PreparedNotebook
    from markbook.autograde.values import Master, Submission
    from markbook.kernels.examiner.owner import TestCell, Verdict
    from markbook.kernels.sandbox.room import Room
    from markbook.model import Answer, MasterCell

__all__ = ["grade"]

_SUFFIX = ".ipynb"
_node: Callable[..., NotebookNode] = NotebookNode  # nbformat has no types


def grade(master: Master, submission: Submission) -> Result:
    """Grade one submission as nbgrader does, and read its answers.

    A submission that cannot be graded is a FAILED result with its reason, no exception; those
    that are raised are faults of the program or the machine. Raises ``NotebookError`` for a
    release that does not fit the gradebook.
    """
    work = _Work(prepare(master), submission)
    try:
        work.run()
    except _Failure as failure:
        return work.failed(str(failure))
    except IsolationError as error:  # this worker's machine, which may be of a cluster
        return work.failed(str(error))
    except RecursionError:  # a notebook's JSON, or what its code displayed as JSON
        return work.failed("its notebooks hold something that is nested too deeply")
    return work.result()


class _Failure(Exception):  # noqa: N818  (caught here, and its message is what counts)
    """The submission cannot be graded; the message is the sentence that says why."""


@dataclass(slots=True)
class _Part:
    """One notebook of the submission on its way; ``data`` is the file's.

    ``missing`` are answer cells that are nowhere and were put back as released, ``beside`` code
    that belongs to the answer of that id but stands in cells of the student's own.
    """

    prepared: PreparedNotebook
    notebook: NotebookNode
    data: bytes
    missing: frozenset[str] = frozenset()
    beside: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[int, TestCell] = field(default_factory=dict)
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)


@dataclass(slots=True)
class _Work:
    """The grading of one submission."""

    prepared: Prepared
    submission: Submission
    timestamp: str | None = None
    parts: dict[str, _Part] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    grades: list[CellGrade] = field(default_factory=list)
    comments: list[CellComment] = field(default_factory=list)
    answers: tuple[Answer, ...] = ()
    notebooks: dict[str, bytes] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        with self.timed("parse"):
            self.timestamp = self.read_timestamp()
            self.parse()
        with self.timed("restore"):
            self.restore()
        with self.timed("run"):
            self.execute()
        with self.timed("score"):
            for name, prepared in self.prepared.notebooks.items():
                if name in self.parts:
                    self.score(self.parts[name])
                else:
                    self.score_missing(prepared)
            self.answers = self.read_answers()
        with self.timed("write"):
            self.notebooks = {
                name: notebook_bytes(part.notebook) for name, part in self.parts.items()
            }

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = time.perf_counter() - start

    def read_timestamp(self) -> str | None:
        try:
            return read_timestamp(self.submission.files.get(TIMESTAMP))
        except ValueError as error:
            raise _Failure(str(error)) from error

    def parse(self) -> None:
        files = {
            name.removesuffix(_SUFFIX): data
            for name, data in sorted(self.submission.files.items())
            if name.endswith(_SUFFIX) and "/" not in name
        }
        read, unreadable = _parse(files)
        wanted = self.prepared.notebooks
        filing = align_files(
            read,
            self.prepared.master.notebooks,
            {name: prepared.released for name, prepared in wanted.items()},
        )
        for name in wanted:
            if name not in filing.files and name in unreadable:
                raise _Failure(f"{name}{_SUFFIX} cannot be read: {unreadable[name]}")
        if not filing.files:
            raise _Failure(
                f"it has none of the assignment's notebooks ({', '.join(sorted(wanted))});"
                f" handed in: {', '.join(_shown(name) for name in files) or 'none'}"
            )
        for name, prepared in wanted.items():
            if name in filing.files:
                file = filing.files[name]
                self.parts[name] = _Part(prepared, read[file], files[file])
            else:
                self.findings.append(f"{name}{_SUFFIX} was not handed in")
        self.repairs += filing.repairs
        self.findings += filing.doubts
        self.findings += [
            f"{name}{_SUFFIX} cannot be read: {unreadable[name]}"
            for name in unreadable
            if name in wanted
        ]
        others = [*filing.others, *(name for name in unreadable if name not in wanted)]
        self.findings += [f"{_shown(name)} is not of this assignment" for name in others]

    def restore(self) -> None:
        doubts: list[str] = []
        for part in self.parts.values():
            prepared = part.prepared
            try:
                found = align(part.notebook, prepared.master, prepared.released)
            except CannotAlign as error:
                raise _Failure(str(error)) from error
            part.notebook, part.missing, part.beside = found.notebook, found.missing, found.beside
            self.repairs += found.repairs
            self.repairs += restore(part.notebook, prepared)
            doubts += found.doubts
        self.findings = [*self.repairs, *doubts, *self.findings]

    def execute(self) -> None:
        # in nbgrader's order, which is that of the files: what one writes the next may read
        names = sorted(self.parts, key=lambda name: f"{name}{_SUFFIX}")
        parts = [self.parts[name] for name in names if self.parts[name].prepared.runs]
        if not parts:
            return
        settings = self.prepared.master.settings
        if settings.examines:
            for part in parts:
                part.tests = honest.plan(part.notebook, part.prepared)
        copies = any(known_to_differ(part.prepared) for part in parts)
        told = self.execute_all(parts, copies=copies)
        if not copies and not all(self.is_settled(part) for part in parts):
            for part in parts:
                _clear(part.notebook)
            told = self.execute_all(parts, copies=True)
        self.findings += told

    def execute_all(self, parts: list[_Part], *, copies: bool) -> list[str]:
        """Run the notebooks, one after the other in one place; returns findings.

        Without ``copies`` the kernels answer what a clean process asks, and tests run a second
        time in them: as good where both come to the same, and quicker.
        """
        # tests may look into the notebook: it is there as handed in, without the hidden tests
        own = {f"{name}{_SUFFIX}": part.data for name, part in self.parts.items()}
        settings, helpers = self.prepared.master.settings, self.prepared.master.helpers
        told: list[str] = []
        with place_for(settings, helpers, own, self.submission.files) as place:
            for part in parts:
                with place_for(settings, helpers) if part.tests else nullcontext() as clean:
                    examining = Examining(part.tests, clean, copies) if clean else None
                    told += self.execute_one(part, place, examining)
        return told

    def execute_one(
        self, part: _Part, place: Path | Room, examining: Examining | None
    ) -> list[str]:
        settings = self.prepared.master.settings
        try:
            ran = run_notebook(part.notebook, part.prepared, settings, place, examining)
        except NeverStarted as error:
            raise _Failure(f"the kernel did not start: {error}".rstrip(": ")) from error
        part.verdicts = ran.verdicts
        for cell in part.notebook.cells:
            limit_outputs(cell, settings)
        return ran.findings

    def is_settled(self, part: _Part) -> bool:
        """Tell whether the kernel and the clean process agree on every test."""
        for index, verdict in part.verdicts.items():
            known = part.prepared.find(part.notebook.cells[index])
            if known is not None:
                found = score(known.master, part.notebook.cells[index])
                ended = verdict.late and found.value == 0
                settings = self.prepared.master.settings
                if not ended and honest.differs(known.master, found, verdict, settings):
                    return False
        return True

    def score(self, part: _Part) -> None:
        name = part.prepared.master.name
        for index, cell in enumerate(part.notebook.cells):
            known = part.prepared.find(cell)
            if known is None:
                continue
            master = known.master
            gone = master.id in part.missing
            if master.grade:
                found = None if gone else score(master, cell)
                if found is not None and found.value and index in part.verdicts:
                    found = self.examined(master, found, part, part.verdicts[index])
                value = None if found is None else found.value
                if found is not None and found.why:
                    self.findings.append(
                        f"a person has to score {master.id!r} of {name}.ipynb: {found.why}"
                    )
                self.grades.append(CellGrade(name, master.id, value, needs_marking=value is None))
            if master.solution or master.task:
                remark = None if gone else comment(master, cell)
                self.comments.append(CellComment(name, master.id, remark))

    def examined(self, master: MasterCell, found: Score, part: _Part, verdict: Verdict) -> Score:
        """Return a test's score if a clean process bears it out; else a person decides."""
        name, settings = part.prepared.master.name, self.prepared.master.settings
        why = honest.differs(master, found, verdict, settings)
        if not why:
            return found
        if master.id in beyond_examination(self.prepared, name):
            self.unverified.append(f"{name}:{master.id}")
            return found
        if settings.tests == "verify":
            return Score(None, f"the student's kernel gives it {found.value:g}, but {why}")
        self.findings.append(
            f"{master.id!r} of {name}.ipynb keeps the {found.value:g} of the student's kernel,"
            f" but {why}"
        )
        return found

    def score_missing(self, prepared: PreparedNotebook) -> None:
        """Give a notebook that was not handed in 0 throughout, tasks too, as nbgrader does."""
        name = prepared.master.name
        for cell in prepared.master.cells:
            if cell.grade or cell.task:
                self.grades.append(CellGrade(name, cell.id, 0.0, needs_marking=False))

    def read_answers(self) -> tuple[Answer, ...]:
        master = self.prepared.master
        answers = find_answers(
            master.questions,
            {name: prepared.texts for name, prepared in self.prepared.notebooks.items()},
            {name: _texts(part) for name, part in self.parts.items()},
            read_sidecar(self.submission.files.get(SIDECAR)),
            self.submission.student,
        )
        told = {name for part in self.parts.values() for name in part.missing}
        self.findings += [
            f"the cell of question {answer.question!r} is missing from {answer.notebook}.ipynb"
            for answer in answers
            if answer.status is AnswerStatus.MISSING
            and answer.notebook in self.parts
            and answer.question not in told
        ]
        return answers

    def failed(self, reason: str) -> Result:
        return Result(
            student=self.submission.student,
            outcome=Outcome.FAILED,
            findings=(reason,),
            seconds=self.seconds,
        )

    def result(self) -> Result:
        findings = _sentences(self.findings)
        return Result(
            student=self.submission.student,
            outcome=Outcome.NEEDS_ATTENTION if findings else Outcome.GRADED,
            findings=findings,
            repairs=_sentences(self.repairs),
            unverified=tuple(self.unverified),
            answers=self.answers,
            grades=tuple(self.grades),
            comments=tuple(self.comments),
            notebooks=self.notebooks,
            timestamp=self.timestamp,
            seconds=self.seconds,
        )


def _parse(files: Mapping[str, bytes]) -> tuple[dict[str, NotebookNode], dict[str, str]]:
    """Return the notebooks that can be read, and of the others what is wrong with them."""
    read: dict[str, NotebookNode] = {}
    unreadable: dict[str, str] = {}
    for name, data in files.items():
        try:
            read[name] = parse_notebook(data, clear_outputs=True)
        except NotebookError as error:
            unreadable[name] = error.placed
    return read, unreadable


def _clear(notebook: NotebookNode) -> None:
    """Take out what a run has put in."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("execution", None)


def _texts(part: _Part) -> Mapping[str, str]:
    """Return the answers of a notebook: without cells put back empty, with code found beside."""
    if not part.missing and not part.beside:
        return answer_texts(part.notebook)
    cells = []
    for cell in part.notebook.cells:
        name = nbgrader_metadata(cell).get("grade_id")
        if name in part.missing:
            continue
        if isinstance(name, str) and name in part.beside:
            cells.append(_node({**cell, "source": part.beside[name]}))
        else:
            cells.append(cell)
    return answer_texts(_node(cells=cells))


def _sentences(told: list[str]) -> tuple[str, ...]:
    """Return each sentence once; what it quotes of a student may hold what is no text."""
    plain = (sentence.encode("utf-8", "replace").decode() for sentence in told)
    return tuple(dict.fromkeys(plain))


def _shown(name: str) -> str:
    """Return a notebook file's name for people."""
    return f"{shown_name(name)}{_SUFFIX}"
