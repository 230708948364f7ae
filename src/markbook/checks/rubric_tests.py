"""MB60x: rubrics, tested. Each question's grader judges the rubric's own exemplars."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity
from markbook.checks.rubric_files import line_of, text_questions
from markbook.model import answer_hash, score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markbook.checks.views import AssignmentView, RubricView
    from markbook.graders import SuggestionLine
    from markbook.model import Rubric
    from markbook.suggest.work import Job, JobResult, Misjudged

__all__ = ["CHECKS", "SURE", "Judged", "judge", "prompt_of"]

SURE = 0.9  # the confidence at which suggestions are documented to be accepted
_TIMEOUT = 120.0  # seconds for each cell of a grader: a handful of exemplars takes a few
_SEED = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What a grader says of some texts, by the text's hash and the criterion; or why it failed.

    ``by_meaning`` are the criteria that no function of the grader decides.
    """

    lines: Mapping[tuple[str, str], SuggestionLine]
    failure: str = ""
    by_meaning: frozenset[str] = frozenset()

    def of(self, text: str, criterion: str) -> SuggestionLine:
        return self.lines[answer_hash(text), criterion]

    def wrong(self, rubric: Rubric) -> tuple[Misjudged, ...]:
        """Return the exemplars of ``rubric`` that came out wrong, none of a grader that failed."""
        from markbook.suggest.work import misjudged

        if self.failure:
            return ()
        names = [criterion.id for criterion in rubric.criteria]
        return misjudged(rubric.exemplars, names, self.lines.values())


def judge(target: Target, rubric: Rubric, texts: Sequence[str]) -> Judged:
    """Run the question's grader notebook on ``texts``, with ``rubric`` as its rubric file."""
    from markbook.suggest.work import run_job

    return _judged(run_job(_job(target, rubric, texts)))


def judge_unseen(target: Target, rubric: Rubric, judged: Judged) -> Iterator[Judged]:
    """Judge each exemplar by a rubric that lacks it, as a student's answer would be.

    What is decided by meaning is judged here, exemplar by exemplar: a kernel for each would cost
    minutes. The functions of a grader, which have no use for exemplars, get a rubric with none.
    """
    from markbook.graders import AnswerText, Grader

    texts = [exemplar.text for exemplar in rubric.exemplars]
    prompt = prompt_of(target.assignment, rubric.question)
    names = {criterion.id for criterion in rubric.criteria}
    ruled = Judged({})
    if names - judged.by_meaning:
        ruled = judge(target, dataclasses.replace(rubric, exemplars=()), texts)
    for number, text in enumerate(texts):
        others = (*rubric.exemplars[:number], *rubric.exemplars[number + 1 :])
        less = dataclasses.replace(rubric, exemplars=others)
        grader = Grader([AnswerText(answer_hash(text), text)], less, prompt=prompt, rehearsal=True)
        grader.meaning()
        lines = {(line.key, line.criterion): line for line in grader.suggestions}
        for pair in lines.keys() & ruled.lines.keys():
            if pair[1] not in judged.by_meaning:
                lines[pair] = ruled.lines[pair]
        yield Judged(lines, ruled.failure)


def _job(target: Target, rubric: Rubric, texts: Sequence[str]) -> Job:
    from markbook.graders import AnswerLine
    from markbook.rubrics import dump_rubric
    from markbook.suggest.work import Job

    view = target.assignment
    found = text_questions(view).get(rubric.question)
    different = {answer_hash(text): text for text in texts}
    return Job(
        question=rubric.question,
        grader=view.course.grader(view.name, rubric.question),
        rubric=dump_rubric(rubric).encode(),
        prompt=prompt_of(view, rubric.question) if found else "",
        answers=tuple(AnswerLine(key, different[key]) for key in sorted(different)),
        criteria=tuple(criterion.id for criterion in rubric.criteria),
        seed=_SEED,
        timeout=_TIMEOUT,
        rehearsal=True,
    )


def _judged(done: JobResult) -> Judged:
    lines = {(line.key, line.criterion): line for line in done.lines}
    return Judged(lines, done.reason, done.by_meaning)


@cache
def _exemplars_judged(view: AssignmentView, each: RubricView) -> Judged | None:
    """Judge a rubric's exemplars with all of it known; None where there is nothing to judge."""
    rubric = each.rubric
    if rubric.policy == "manual" or not rubric.exemplars:
        return None
    return judge(Target(view, rubric=each), rubric, [e.text for e in rubric.exemplars])


@cache
def prompt_of(view: AssignmentView, question: str) -> str:
    """Return the text that asks the question, empty where no notebook asks it."""
    from markbook.notebooks import read_questions

    questions = read_questions(view.source, view.name)
    return next((q.prompt for q in questions if q.id == question), "")


class _Tested(Check):
    """A check of what a question's grader says of the rubric's exemplars."""

    scope = Scope.RUBRIC
    slow = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.rubric is not None
        if not target.assignment.sound:
            return  # said by the checks of files; a grader would only fail on it
        judged = _exemplars_judged(target.assignment, target.rubric)
        if judged is not None:
            yield from self.look(target, target.rubric.rubric, judged)

    def look(self, target: Target, rubric: Rubric, judged: Judged) -> Iterator[Finding]:
        raise NotImplementedError

    def at(self, target: Target, rubric: Rubric, number: int, message: str, hint: str) -> Finding:
        exemplar = rubric.exemplars[number - 1]
        return self.finding(
            target,
            f"Exemplar {number}: {message}",
            hint=hint,
            line=line_of(target, exemplar.text),
            excerpt=" ".join(exemplar.text.split())[:80],
        )


class GraderFails(_Tested):
    """The question's grader notebook fails on its rubric's own exemplars."""

    code = "MB601"
    name = "grader-fails"

    def look(self, target: Target, rubric: Rubric, judged: Judged) -> Iterator[Finding]:
        if judged.failure:
            view = target.assignment
            yield self.finding(
                target,
                judged.failure.rstrip(".") + ".",
                hint="Run it in JupyterLab on a few answers, and mend it.",
                path=view.course.grader(view.name, rubric.question),
            )


class ExemplarMissed(_Tested):
    """The grader does not suggest a criterion that an exemplar earns."""

    code = "MB602"
    name = "exemplar-missed"

    def look(self, target: Target, rubric: Rubric, judged: Judged) -> Iterator[Finding]:
        for each in judged.wrong(rubric):
            if each.missed:
                yield self.at(
                    target,
                    rubric,
                    each.number,
                    f"the grader does not see {_named(each.missed)}; it would earn"
                    f" {_worth(target, rubric, judged, each.number)}.",
                    "Add evidence that says it in these words, or mend the question's grader.",
                )


class ExemplarOverrated(_Tested):
    """The grader suggests a criterion that an exemplar does not earn."""

    code = "MB603"
    name = "exemplar-overrated"

    def look(self, target: Target, rubric: Rubric, judged: Judged) -> Iterator[Finding]:
        for each in judged.wrong(rubric):
            if each.extra:
                yield self.at(
                    target,
                    rubric,
                    each.number,
                    f"the grader sees {_named(each.extra)}, which it does not earn; it would earn"
                    f" {_worth(target, rubric, judged, each.number)}.",
                    "Make the evidence tell the two apart, or mend the question's grader.",
                )


class UnseenExemplarMisjudged(_Tested):
    """Without an exemplar before it, the grader is sure of the opposite of what it earns.

    Each exemplar is judged by a rubric that lacks it, as a student's answer would be.
    """

    code = "MB604"
    name = "unseen-exemplar-misjudged"
    severity = Severity.WARNING

    def look(self, target: Target, rubric: Rubric, judged: Judged) -> Iterator[Finding]:
        if judged.failure:
            return
        found = zip(rubric.exemplars, judge_unseen(target, rubric, judged), strict=True)
        for number, (exemplar, unseen) in enumerate(found, start=1):
            if unseen.failure:
                continue
            for criterion in rubric.criteria:
                line = unseen.of(exemplar.text, criterion.id)
                earns = criterion.id in exemplar.earns
                if judged.of(exemplar.text, criterion.id).awarded is (not earns):
                    continue  # wrong with all of it known as well: that is said already
                if line.awarded is (not earns) and line.confidence >= SURE:
                    said = "awards" if line.awarded else "refuses"
                    yield self.at(
                        target,
                        rubric,
                        number,
                        f"had the grader not known it, it {said} {criterion.id!r}"
                        f" with confidence {line.confidence:.2f}.",
                        "Add evidence, or another exemplar like it.",
                    )


def _named(names: Sequence[str]) -> str:
    return " and ".join(map(repr, names))


def _worth(target: Target, rubric: Rubric, judged: Judged, number: int) -> str:
    """Say what the suggested criteria are worth, and what the exemplar's are."""
    exemplar = rubric.exemplars[number - 1]
    found = text_questions(target.assignment).get(rubric.question)
    points = found[1].points if found else None
    if points is None or not math.isfinite(points):
        return "another score"
    names = [criterion.id for criterion in rubric.criteria]
    seen = [name for name in names if judged.of(exemplar.text, name).awarded is True]
    got = score(rubric, seen, points=points)
    due = score(rubric, exemplar.earns, points=points)
    return f"{got:g} instead of {due:g} points" if got != due else f"{due:g} points all the same"


CHECKS: tuple[type[Check], ...] = (
    GraderFails,
    ExemplarMissed,
    ExemplarOverrated,
    UnseenExemplarMisjudged,
)
