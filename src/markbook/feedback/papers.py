"""What the gradebook holds of some students at a time, so that a big class fits into memory."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field, fields
from typing import IO, TYPE_CHECKING, Any

from markbook.model import Answer, AnswerStatus, Grade, Mark, Suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from markbook.feedback.plan import Item, Notebook
    from markbook.feedback.source import FeedbackSource

__all__ = ["Papers", "read_papers"]

# Students whose answers, marks and suggestions are held at once: about 10 MB.
_AT_ONCE = 250


@dataclass(slots=True)
class Papers:
    """Answers, marks and grades by (student, question), suggestions by (question, answer hash).

    Of suggestions only those that found their criterion: others have no evidence to show.
    """

    students: Sequence[str]
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    marks: dict[tuple[str, str], Mark] = field(default_factory=dict)
    grades: dict[tuple[str, str], Grade] = field(default_factory=dict)
    suggestions: dict[tuple[str, str], list[Suggestion]] = field(default_factory=dict)

    def add(self, rows: _Rows) -> None:
        self.answers |= {(row.student, row.question): row for row in rows.answers}
        self.marks |= {(row.student, row.question): row for row in rows.marks}
        self.grades |= {(row.student, row.question): row for row in rows.grades}
        for found in rows.suggestions:
            self.suggestions.setdefault((found.question, found.answer_hash), []).append(found)


@dataclass(slots=True)
class _Rows:
    answers: list[Answer] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    grades: list[Grade] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)


def read_papers(
    gb: FeedbackSource,
    assignment: str,
    plan: Iterable[Notebook],
    students: Sequence[str],
    *,
    at_once: int = _AT_ONCE,
) -> Iterator[Papers]:
    """Yield the papers of ``students`` in their order, of ``at_once`` students each time.

    A gradebook tells of one question or of all, so a bigger class is read question by question,
    which keeps one question of all students in memory, and laid down in an unnamed temporary
    file, sorted by students.
    """
    if len(students) <= at_once:
        papers = Papers(students)
        papers.add(
            _Rows(
                list(gb.answers(assignment)),
                list(gb.marks(assignment)),
                list(gb.grades(assignment)),
                list(gb.suggestions(assignment, awarded=True)),
            )
        )
        yield papers
        return
    chunks = [students[start : start + at_once] for start in range(0, len(students), at_once)]
    place = {student: number for number, some in enumerate(chunks) for student in some}
    with tempfile.TemporaryFile(prefix="markbook-") as file:
        parts: list[list[int]] = [[] for _ in chunks]
        for notebook in plan:
            for item in notebook.items:
                for question in item.questions:
                    rows = _question(gb, assignment, item, question.id)
                    _lay_down(rows, place, file, parts)
        for some, offsets in zip(chunks, parts, strict=True):
            papers = Papers(some)
            for offset in offsets:
                file.seek(offset)
                papers.add(_unpacked(file.readline()))
            yield papers


def _question(gb: FeedbackSource, assignment: str, item: Item, question: str) -> _Rows:
    """Read what a page shows of one question."""
    if item.is_code:
        first = question == item.questions[0].id
        answers = gb.answers(assignment, question) if first else ()
        return _Rows(answers=list(answers), grades=list(gb.grades(assignment, question)))
    return _Rows(
        answers=list(gb.answers(assignment, question)),
        marks=list(gb.marks(assignment, question)),
        suggestions=list(gb.suggestions(assignment, question, awarded=True)),
    )


def _lay_down(
    rows: _Rows, place: Mapping[str, int], file: IO[bytes], parts: Sequence[list[int]]
) -> None:
    """Write a question's rows to the end of ``file``, a piece for each chunk of students."""
    sorted_: dict[int, _Rows] = {}
    texts: dict[str, set[int]] = {}
    for answer in rows.answers:
        if answer.student in place:
            number = place[answer.student]
            sorted_.setdefault(number, _Rows()).answers.append(answer)
            texts.setdefault(answer.hash, set()).add(number)
    some: Any
    for name in ("marks", "grades"):
        for some in getattr(rows, name):
            if some.student in place:
                getattr(sorted_.setdefault(place[some.student], _Rows()), name).append(some)
    for suggestion in rows.suggestions:
        for number in texts.get(suggestion.answer_hash, ()):
            sorted_[number].suggestions.append(suggestion)
    for number, piece in sorted_.items():
        parts[number].append(file.seek(0, 2))
        file.write(_packed(piece))


_KINDS = {"answers": Answer, "marks": Mark, "grades": Grade, "suggestions": Suggestion}
_NAMES = {kind: [one.name for one in fields(made)] for kind, made in _KINDS.items()}


def _packed(rows: _Rows) -> bytes:
    """Return the rows as one line of JSON, each a list of its fields."""
    values = {
        kind: [[getattr(row, name) for name in names] for row in getattr(rows, kind)]
        for kind, names in _NAMES.items()
    }
    return json.dumps(values).encode() + b"\n"


def _unpacked(line: bytes) -> _Rows:
    values = json.loads(line)
    for answer in values["answers"]:
        at = _NAMES["answers"].index("status")
        answer[at] = AnswerStatus(answer[at])
    for mark in values["marks"]:
        at = _NAMES["marks"].index("earned")
        mark[at] = tuple(mark[at])
    return _Rows(**{kind: [made(*row) for row in values[kind]] for kind, made in _KINDS.items()})
