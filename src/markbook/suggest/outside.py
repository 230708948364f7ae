"""An outside model in the step: asked about what the graders left open, after they ran.

It is asked here and not in the grader notebooks: their kernels have no network settings and no
keys (docs/decisions/0025-outside-models.md).
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from markbook.course import CONFIG_NAME
from markbook.errors import CourseError
from markbook.graders import SuggestionLine
from markbook.graders.outside import (
    LOG_NAME,
    Calibration,
    Inquiry,
    Outside,
    Problem,
    Reason,
    Verdict,
    covered,
    open_suggester,
)
from markbook.suggest.events import OutsideOpened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markbook.course import Course
    from markbook.gradebook import Gradebook
    from markbook.graders.outside import Suggester
    from markbook.model import Rubric
    from markbook.suggest.work import Job, JobResult

__all__ = ["OFF", "Filled", "OutsideReport", "OutsideRun", "open_outside"]

OFF = "none"
_LEAST = 0.5  # a verdict less likely right than wrong is no suggestion
_NOTE = 500  # characters, as in grader notebooks


@dataclass(frozen=True, slots=True)
class OutsideReport:
    """What a run asked of an outside model.

    ``answers`` counts different texts with something left open, ``requests`` what was sent (new
    tries count), ``cached`` texts that were asked about before, ``filled`` pairs of a text and a
    criterion that got a suggestion; ``without`` counts texts without verdicts by their reason.
    ``stopped`` says why asking ended early, or is empty. ``log`` is relative to the course.
    """

    suggester: str
    model: str
    place: str
    local: bool
    answers: int
    requests: int
    tokens: int
    cached: int
    filled: int
    without: Mapping[str, int]
    stopped: str
    log: str

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return {**asdict(self), "without": dict(self.without)}

    def as_text(self) -> str:
        """Return the report as one line, and one more when asking was stopped."""
        why = ", ".join(f"{count} {reason}" for reason, count in self.without.items())
        line = (
            f"{self.suggester} ({self.model}): {self.answers} answers left open,"
            f" {self.requests} requests, {self.cached} known, {self.filled} criteria suggested"
            f"{f'; without a verdict: {why}' if why else ''}. Log: {self.log}"
        )
        return f"{line}\n{self.suggester} stopped: {self.stopped}" if self.stopped else line


@dataclass(frozen=True, slots=True)
class Filled:
    """A run's lines after the outside model was asked.

    ``pairs`` (key, criterion) are those that it decided. ``complete`` is False where answers may
    be asked about again at the next run. ``notebook`` is the run with a cell about it.
    """

    lines: tuple[SuggestionLine, ...]
    notebook: bytes
    pairs: frozenset[tuple[str, str]] = frozenset()
    complete: bool = True


@contextmanager
def open_outside(
    course: Course, gb: Gradebook, assignment: str, name: str | None
) -> Iterator[OutsideRun | None]:
    """Give the outside model that the course, or ``name``, asks for; None when it is none.

    ``"none"`` switches it off. Raises ``UsageError`` for a name that nobody has installed and
    ``CourseError`` for options that make no sense; nothing is sent.
    """
    chosen = course.setting("suggester", "Markbook", default=None) if name is None else name
    if chosen is None or chosen == OFF:
        yield None
        return
    options = course.setting("suggester_options", "Markbook", default={})
    if not isinstance(chosen, str) or not isinstance(options, dict):
        kind = "suggester" if not isinstance(chosen, str) else "suggester_options"
        wanted = "the name of a suggester" if kind == "suggester" else "a dict"
        raise CourseError(
            f"{course.root / CONFIG_NAME}: c.Markbook.{kind} is not {wanted}.",
            hint="docs/how-to/use-an-outside-model.md tells what may stand there.",
        )
    suggester, limits = open_suggester(chosen, options, os.environ)
    outside = Outside(suggester, course.reports(assignment), limits)
    try:
        yield OutsideRun(course, gb, assignment, outside)
    finally:
        outside.close()


class OutsideRun:
    """Asks about one question after the other and counts what came of it."""

    def __init__(self, course: Course, gb: Gradebook, assignment: str, outside: Outside) -> None:
        self._outside = outside
        self._gb = gb
        self._assignment = assignment
        self._log = course.relative(course.reports(assignment) / LOG_NAME)
        self._answers = 0
        self._filled = 0
        self._skipped: Counter[Reason] = Counter()

    @property
    def identity(self) -> dict[str, Any]:
        """What suggestions depend on beside the graders, as JSON values."""
        return self._outside.identity

    @property
    def label(self) -> str:
        """Who suggests, as stored beside a suggestion."""
        return f"{self._outside.suggester.name}:{self._outside.suggester.model}"

    def opened(self) -> OutsideOpened:
        """Return what a person is to know before anything is sent."""
        suggester = self._outside.suggester
        return OutsideOpened(_notice(suggester, self._log), suggester.local)

    def fill(self, rubric: Rubric, job: Job, done: JobResult) -> Filled:
        """Ask about the texts of which a grader left a criterion open that no function decides.

        A text that the grader flagged is not sent, nor is one that instructs its reader.
        """
        criteria = tuple(name for name in job.criteria if name in done.by_meaning)
        left = {ln.key for ln in done.lines if ln.awarded is None and ln.criterion in criteria}
        if not left:
            return Filled(done.lines, done.notebook)
        inquiry = Inquiry(rubric, job.prompt, criteria)
        texts = self._texts(job)
        flagged = _flagged(done) & left
        said = self._outside.ask(
            inquiry, {a.key: texts[a.key] for a in job.answers if a.key in left - flagged}
        )
        trust = self._calibration(inquiry, job, texts)
        problem = Problem(Reason.FLAGGED, "The grader flagged it.")
        found: dict[str, dict[str, Verdict] | Problem] = {**said, **dict.fromkeys(flagged, problem)}
        originals = {answer.key: answer.text for answer in job.answers}
        lines = tuple(
            self._line(line, found[line.key], trust, originals[line.key])
            if line.awarded is None and line.criterion in criteria
            else line
            for line in done.lines
        )
        pairs = frozenset(
            (new.key, new.criterion)
            for new, old in zip(lines, done.lines, strict=True)
            if new.awarded is not None and old.awarded is None
        )
        self._answers += len(left)
        self._filled += len(pairs)
        self._skipped[Reason.FLAGGED] += len(flagged)
        again = any(isinstance(s, Problem) and (s.stops or s.transient) for s in said.values())
        notebook = _with_cell(done.notebook, self._about(found, pairs, trust))
        return Filled(lines, notebook, pairs, complete=not again)

    def report(self) -> OutsideReport:
        """Return what was asked so far."""
        outside = self._outside
        without = outside.tally.problems + self._skipped
        return OutsideReport(
            suggester=outside.suggester.name,
            model=outside.suggester.model,
            place=outside.suggester.place,
            local=outside.suggester.local,
            answers=self._answers,
            requests=outside.budget.requests,
            tokens=outside.budget.tokens,
            cached=outside.tally.cached,
            filled=self._filled,
            without={reason.value: without[reason] for reason in sorted(without)},
            stopped=outside.stopped.detail if outside.stopped else "",
            log=self._log,
        )

    # -- inside --------------------------------------------------------------------------------

    def _texts(self, job: Job) -> dict[str, str]:
        """Return the texts by key as they may be sent: their writers' names covered."""
        people = self._gb.people()
        names: dict[str, set[str]] = defaultdict(set)
        for answer in self._gb.answers(self._assignment, job.question):
            known = (answer.student, *people.get(answer.student, ()))
            names[answer.hash] |= {*known, *(w for k in known for w in re.split(r"[\W_\d]+", k))}
        return {a.key: covered(a.text, names[a.key]) for a in job.answers}

    def _calibration(self, inquiry: Inquiry, job: Job, texts: Mapping[str, str]) -> Calibration:
        """Compare what was said about marked texts, now or in earlier runs, with their marks."""
        pairs: list[tuple[float, bool]] = []
        for mark in job.marks:
            said = self._outside.known(inquiry, texts[mark.key]) if mark.key in texts else None
            for name, verdict in (said or {}).items():
                if verdict.awarded is not None:
                    pairs.append((verdict.confidence, verdict.awarded is (name in mark.earned)))
        return Calibration.fit(pairs)

    def _line(
        self,
        line: SuggestionLine,
        said: dict[str, Verdict] | Problem,
        trust: Calibration,
        text: str,
    ) -> SuggestionLine:
        if isinstance(said, Problem):
            return _noted(line, f"{self.label}: no verdict ({said.reason.value}).")
        verdict = said[line.criterion]
        sure = trust.confidence(verdict.confidence)
        if verdict.awarded is None or min(verdict.confidence, sure) < _LEAST:
            return _noted(line, f"{self.label} cannot tell either.")
        note = f"{self.label}, {trust.says}."
        if not verdict.awarded or verdict.start is None or verdict.end is None:
            return SuggestionLine(line.key, line.criterion, verdict.awarded, sure, note=note)
        span = text[verdict.start : verdict.end]
        return SuggestionLine(
            line.key, line.criterion, True, sure, span, verdict.start, verdict.end, note
        )

    def _about(
        self,
        found: Mapping[str, dict[str, Verdict] | Problem],
        pairs: frozenset[tuple[str, str]],
        trust: Calibration,
    ) -> str:
        reasons = Counter(said.reason.value for said in found.values() if isinstance(said, Problem))
        rows = [f"| {reason} | {count} |" for reason, count in sorted(reasons.items())]
        table = ["", "| texts without a verdict | |", "|---|---|", *rows] if rows else []
        said_so = (
            f"`{self.label}` was asked about {len(found)} texts with a criterion left open and"
            f" suggests {len(pairs)} criteria; its confidence is {trust.says}. What was sent"
            f" and what came back: `{self._log}`."
        )
        return "\n".join(
            [
                "## Asked outside, after this notebook ran",
                "",
                said_so,
                *table,
            ]
        )


def _notice(suggester: Suggester, log: str) -> str:
    where = "this machine" if suggester.local else "NOT this machine"
    plain = suggester.place.startswith("http://") and not suggester.local
    return (
        f"{suggester.name}: texts of students go to {suggester.place} ({where}; model"
        f" {suggester.model}), with their writers' names covered; each request is in {log}."
        + (" The connection is not encrypted." if plain else "")
    )


def _flagged(done: JobResult) -> set[str]:
    lines: Sequence[Any] = done.scores.lines if done.scores is not None else ()
    return {line.key for line in lines if line.flags}


def _noted(line: SuggestionLine, note: str) -> SuggestionLine:
    room = _NOTE - len(note) - 1
    return replace(line, note=f"{line.note[:room]} {note}".strip())


def _with_cell(notebook: bytes, text: str) -> bytes:
    """Put a cell at the end of a kept run."""
    if not notebook:
        return notebook
    document = json.loads(notebook)
    cell = {
        "cell_type": "markdown",
        "id": "markbook-outside",
        "metadata": {"tags": ["markbook-outside"]},
        "source": text,
    }
    document["cells"] = [c for c in document["cells"] if c.get("id") != cell["id"]] + [cell]
    return json.dumps(document).encode("utf-8", "surrogatepass")
