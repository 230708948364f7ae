"""Turning marked answers into exemplars, so that a rubric is tested by what students write."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rapidfuzz import fuzz

from markbook.checks.anonymous import Names
from markbook.graders.tokens import tokens
from markbook.model import AnswerStatus, Exemplar, counted, decided_by_rule
from markbook.rubrics import InvalidRubric, dump_rubric, load_rubric, parse_rubric, save_rubric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.model import Answer, Mark, Question, Rubric

__all__ = ["RecordReport", "Recorded", "record"]

_ALIKE = 90.0  # per cent of the words' similarity from which two answers show the same
_NOT_SHOWN = ("Cc", "Cs")  # control characters and halves of characters
_WORDS = 3  # words that an exemplar has to have
_LONG = 2_000  # characters: longer answers teach a grader everything and nothing
_USUAL = 150  # characters: of answers that show the same, one about so long is read most easily


@dataclass(frozen=True, slots=True)
class Recorded:
    """One question: the exemplars that were added, and how many answers were left out and why."""

    assignment: str
    question: str
    path: str
    added: tuple[Exemplar, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RecordReport:
    """All questions that have marks."""

    questions: tuple[Recorded, ...]
    dry_run: bool = False

    @property
    def added(self) -> int:
        return sum(len(question.added) for question in self.questions)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return {"dry_run": self.dry_run, "questions": [asdict(q) for q in self.questions]}

    def as_text(self) -> str:
        lines: list[str] = []
        for question in self.questions:
            count = len(question.added)
            lines.append(f"{question.path}: {count} {'exemplar' if count == 1 else 'exemplars'}")
            for exemplar in question.added:
                earns = ", ".join(exemplar.earns) or "nothing"
                lines += [f"  earns {earns}:", *(f"    {x}" for x in exemplar.text.splitlines())]
            lines += [f"  left out: {number} {why}" for why, number in question.skipped]
            lines += [f"  {question.problem}"] if question.problem else []
        verb = "would be added" if self.dry_run else "added"
        lines.append(f"recorded  {self.added} {verb}. Read them for what still tells who wrote it.")
        return "\n".join(lines)


def record(
    course: Course,
    gb: Gradebook,
    wanted: Mapping[str, Sequence[Path]],
    *,
    most: int,
    dry_run: bool = False,
) -> RecordReport:
    """Add at most ``most`` marked answers of each question to its rubric file's exemplars.

    Only what a person marked, and under criteria and a text that are still the same. Answers whose
    criteria have few exemplars come first; those like an exemplar, or marked in two ways, are left
    out. Everything else in the file stays as it was written. The paths of an assignment that lie
    in its graders' folder leave out all other questions.
    """
    from markbook.marking.cases import text_questions

    found: list[Recorded] = []
    for name, paths in wanted.items():
        home = course.rubrics(name)
        named = [path for path in paths if path.is_relative_to(home)]
        rules = decided_by_rule(gb.events(name))
        for question in text_questions(course, name):
            path = course.rubric(name, question.id)
            if not path.is_file() or (named and not any(path.is_relative_to(p) for p in named)):
                continue
            marks = gb.marks(name, question.id)
            if marks:
                one = _Question(course, gb, question, marks, rules)
                found.append(one.record(most, dry_run=dry_run))
    return RecordReport(tuple(found), dry_run)


class _Question:
    """One question with marks."""

    def __init__(
        self,
        course: Course,
        gb: Gradebook,
        question: Question,
        marks: Sequence[Mark],
        rules: frozenset[tuple[str, str]],
    ) -> None:
        self.course, self.gb, self.question = course, gb, question
        self.marks, self.rules = marks, rules
        self.path = course.rubric(question.assignment, question.id)
        self.skipped: Counter[str] = Counter()

    def record(self, most: int, *, dry_run: bool) -> Recorded:
        """Choose and, without ``dry_run``, write; one process at a time edits the rubrics."""
        from markbook.marking.edit_files import finish, taking_turns

        assignment = self.question.assignment
        try:
            if dry_run:
                added = self._choose(load_rubric(self.path), most)
            else:
                with taking_turns(self.course, assignment):
                    rubric = finish(self.course, self.gb, assignment, self.question.id).rubric
                    added = self._choose(rubric, most)
                    if added:
                        exemplars = (*rubric.exemplars, *added)
                        save_rubric(self.path, dataclasses.replace(rubric, exemplars=exemplars))
        except InvalidRubric as error:
            return self._result((), f"Its rubric is broken: {error.what}")
        return self._result(added)

    def _result(self, added: Iterable[Exemplar], problem: str = "") -> Recorded:
        return Recorded(
            self.question.assignment,
            self.question.id,
            self.course.relative(self.path),
            tuple(added),
            tuple(sorted(self.skipped.items())),
            problem,
        )

    def _choose(self, rubric: Rubric, most: int) -> tuple[Exemplar, ...]:
        if rubric.policy == "manual":
            self.skipped["of a question that is left to people (policy: manual)"] = len(self.marks)
            return ()
        candidates = self._candidates(rubric)
        classes = Counter(name for exemplar in rubric.exemplars for name in _classes(exemplar))
        known = [_Reading.of(exemplar.text) for exemplar in rubric.exemplars]
        chosen: list[Exemplar] = []
        while candidates and len(chosen) < most:
            best = min(candidates, key=lambda each: _order(each, classes))
            candidates.remove(best)
            reading = _Reading.of(best.text)
            if any(reading.like(other) for other in known):
                self.skipped["like an exemplar"] += 1
                continue
            chosen.append(best)
            known.append(reading)
            classes.update(_classes(best))
        return tuple(chosen)

    def _candidates(self, rubric: Rubric) -> list[Exemplar]:
        """Return what may be recorded: each different text once, without names."""
        assignment, name = self.question.assignment, self.question.id
        answers = {a.student: a for a in self.gb.answers(assignment, name)}
        ordinary = (dump_rubric(rubric), self.question.prompt, self.question.model_answer)
        names = Names(self._people(), ordinary)
        earned: dict[str, set[tuple[str, ...]]] = {}
        for mark in self.marks:
            answer = answers.get(mark.student)
            why = self._obstacle(mark, answer, rubric)
            if why or answer is None:
                self.skipped[why] += 1
                continue
            text = names.without(answer.text, mark.student)
            if len(tokens(text)) < _WORDS or len(text) > _LONG or not _can_be_kept(rubric, text):
                self.skipped["too short, too long, or of no text"] += 1
                continue
            counts = tuple(criterion.id for criterion in counted(rubric, mark.earned))
            earned.setdefault(text, set()).add(counts)
        different = [text for text, ways in earned.items() if len(ways) > 1]
        if different:
            self.skipped["marked in two ways"] = len(different)
        return [Exemplar(text, *ways) for text, ways in earned.items() if len(ways) == 1]

    def _people(self) -> dict[str, tuple[str, ...]]:
        known = self.gb.people()
        return known | {mark.student: known.get(mark.student, ()) for mark in self.marks}

    def _obstacle(self, mark: Mark, answer: Answer | None, rubric: Rubric) -> str:
        """Say why a mark is no example, nothing when it is one."""
        if (mark.student, mark.question) in self.rules:
            return "marked by a rule"
        if answer is None or answer.status is not AnswerStatus.ANSWERED:
            return "of no answer"
        if answer.hash != mark.answer_hash:
            return "changed since it was marked"
        if mark.rubric_version != rubric.version:
            used = self.gb.rubric(mark.rubric_version)
            if used is None or _criteria(used) != _criteria(rubric):
                return "marked under other criteria"
        return ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text as it is compared: its words, its numbers and how often it denies."""

    line: str
    numbers: frozenset[str]
    negators: int

    @classmethod
    def of(cls, text: str) -> _Reading:
        words = tokens(text)
        return cls(
            " ".join(word.stem for word in words),
            frozenset(word.stem for word in words if any(map(str.isdigit, word.stem))),
            sum(word.negates for word in words),
        )

    def like(self, other: _Reading) -> bool:
        """Tell whether two texts show the same; a number or a "not" makes all the difference."""
        same = (self.numbers, self.negators) == (other.numbers, other.negators)
        return same and fuzz.ratio(self.line, other.line) >= _ALIKE


def _classes(exemplar: Exemplar) -> tuple[str, ...]:
    """Return what an exemplar is an example of; empty stands for earning nothing."""
    return exemplar.earns or ("",)


def _order(exemplar: Exemplar, classes: Counter[str]) -> tuple[int, int, int, str]:
    counts = [classes[name] for name in _classes(exemplar)]
    return min(counts), max(counts), abs(len(exemplar.text) - _USUAL), exemplar.text


def _criteria(rubric: Rubric) -> object:
    """Return what a mark's criteria depend on; more exemplars make no other criteria."""
    lines = [(c.id, c.points, " ".join(c.says.split())) for c in rubric.criteria]
    return lines, rubric.start, rubric.pick_one


def _can_be_kept(rubric: Rubric, text: str) -> bool:
    """Tell whether a rubric file can hold and show the text just as it is."""
    if any(unicodedata.category(letter) in _NOT_SHOWN and letter not in "\n\t" for letter in text):
        return False
    with_it = dataclasses.replace(rubric, exemplars=(Exemplar(text),))
    try:
        return parse_rubric(dump_rubric(with_it)).exemplars == with_it.exemplars
    except (InvalidRubric, ValueError):
        return False
