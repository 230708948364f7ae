"""Marked answers from a CSV file: texts on one side, their marks behind an oracle on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from markbook.errors import InputError
from markbook.evaluation.oracle import Oracle
from markbook.evaluation.rows import FEWEST, read_rows
from markbook.graders.learning.limits import foreign
from markbook.graders.learning.texts import QuestionTexts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from markbook.evaluation.rows import Row
    from markbook.model import Rubric

__all__ = ["Asked", "Sheet", "read_sheet"]

# Characters of one answer that are read: six pages. A longer one is no short answer.
_LONGEST = 20_000
_NAMED = 8  # lines that a note names


@dataclass(frozen=True)
class Asked:
    """One question: its texts, and the sheet's rows of its answers, in the texts' order (n,).

    ``kin`` are rows' groups (n,): numbers that are equal for rows that no fold may part.
    ``split`` is the file's word for each row, "" where it says none.
    """

    texts: QuestionTexts
    rows: NDArray[np.int64]
    kin: NDArray[np.int64]
    split: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """All that may be known before anything is marked, and the oracle that knows the marks.

    ``grouped`` tells that a column says which rows no fold may part. ``points`` (rows,) is each
    answer's maximum; ``humans`` (m, 2) two markers' shares and ``humans_of`` (m,) the questions
    they are of. ``notes`` are sentences on what was found odd, ``lines`` (rows,) where each row
    stands in the file.
    """

    questions: tuple[Asked, ...]
    grouped: bool
    points: NDArray[np.float64]
    oracle: Oracle
    humans: NDArray[np.float64]
    humans_of: NDArray[np.int64]
    notes: tuple[str, ...]
    lines: tuple[int, ...] = ()

    @property
    def answers(self) -> int:
        return len(self.points)

    @property
    def question_of(self) -> NDArray[np.int64]:
        """The question's number of each row (rows,)."""
        found = np.zeros(self.answers, dtype=np.int64)
        for number, asked in enumerate(self.questions):
            found[asked.rows] = number
        return found


def read_sheet(
    path: Path,
    *,
    group: str = "question_id",
    rubrics: Mapping[str, Rubric] | None = None,
    seed: int = 0,
) -> Sheet:
    """Read a CSV file of marked answers.

    ``group`` names the column whose values no fold parts; ``rubrics`` (by question id) add their
    model answers and exemplars to the references. Answers of a question are put into an order
    drawn with ``seed``, so that the order of the file, perhaps by mark, says nothing.

    Raises:
        InputError: the file is no such table; the message names line and column.
        UsageError: there is no column ``group``.
    """
    rows, notes = read_rows(path, group=group)
    by_id: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        by_id.setdefault(row.question_id, []).append(number)
    if max(map(len, by_id.values())) < FEWEST:
        raise InputError(
            f"No question has {FEWEST} answers: there are {len(rows)} of {len(by_id)} questions.",
            path=path,
            hint="Put all answers of a question under the same question_id.",
        )
    rng = np.random.default_rng(seed)
    kin = _numbers([row.group for row in rows])
    questions = []
    for name, mine in by_id.items():
        order = np.array(mine, dtype=np.int64)[rng.permutation(len(mine))]
        texts = _texts(name, [rows[place] for place in mine], [rows[p] for p in order], rubrics)
        split = tuple(rows[place].split for place in order)
        questions.append(Asked(texts, order, kin[order], split))
    both = [(n, row) for n, row in enumerate(rows) if row.two is not None]
    home = {row: number for number, asked in enumerate(questions) for row in asked.rows}
    return Sheet(
        tuple(questions),
        group.strip().lower() != "question_id",
        np.array([row.max_score for row in rows]),
        Oracle([row.share for row in rows]),
        np.array([row.two for _, row in both], dtype=float).reshape(len(both), 2),
        np.array([home[n] for n, _ in both], dtype=np.int64),
        (*notes, *_odd(questions, rubrics), *_foreign(rows, questions), *_long(rows)),
        tuple(row.line for row in rows),
    )


def _texts(
    name: str, rows: Sequence[Row], mixed: Sequence[Row], rubrics: Mapping[str, Rubric] | None
) -> QuestionTexts:
    rubric = (rubrics or {}).get(name)
    references = [row.reference for row in rows if row.reference.strip()]
    if rubric is not None:
        references += [rubric.model_answer, *_full_marks(rubric)]
    return QuestionTexts(
        name,
        next((row.question for row in rows if row.question.strip()), ""),
        tuple(dict.fromkeys(text for text in references if text.strip())),
        tuple(row.answer[:_LONGEST] for row in mixed),
    )


def _full_marks(rubric: Rubric) -> list[str]:
    """Return the exemplars that earn every criterion with points and none that takes them."""
    good = {criterion.id for criterion in rubric.criteria if criterion.points > 0}
    return [each.text for each in rubric.exemplars if good and set(each.earns) == good]


def _numbers(names: Sequence[str]) -> NDArray[np.int64]:
    found = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([found[name] for name in names], dtype=np.int64)


def _odd(questions: Sequence[Asked], rubrics: Mapping[str, Rubric] | None) -> list[str]:
    found = []
    none = [asked.texts.id for asked in questions if not asked.texts.references]
    if none:
        found.append(f"No reference: {_some(none)}.")
    blank = sum(not answer.strip() for asked in questions for answer in asked.texts.answers)
    if blank:
        found.append(f"Empty answers: {blank}.")
    twice = sum(len(asked.rows) - len(set(asked.texts.answers)) for asked in questions)
    if twice:
        found.append(f"Answers that are, word for word, another one of their question: {twice}.")
    if rubrics is not None:
        missing = [asked.texts.id for asked in questions if asked.texts.id not in rubrics]
        if missing:
            found.append(f"No rubric: {_some(missing)}.")
    return found


def _foreign(rows: Sequence[Row], questions: Sequence[Asked]) -> list[str]:
    """Name the answers that are not read, by their lines."""
    places = [asked.rows[place] for asked in questions for place in foreign(asked.texts)]
    if not places:
        return []
    lines = sorted(rows[place].line for place in places)
    shown = ", ".join(map(str, lines[:_NAMED]))
    more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    what = "Answers that are not in English or not in Latin letters, of which no score is sure"
    return [f"{what}: {len(lines)} (lines {shown}{more})."]


def _long(rows: Sequence[Row]) -> list[str]:
    return [
        f"Line {row.line}: the answer has {len(row.answer):,} characters; the first"
        f" {_LONGEST:,} are read."
        for row in rows
        if len(row.answer) > _LONGEST
    ]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{'question' if len(names) == 1 else 'questions'} {shown}{more}"
