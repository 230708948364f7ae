"""MB61x: graders, tried on wrong answers. Run with ``--mutate``, or when selected by code."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity
from markbook.checks.mutants import mutants
from markbook.checks.rubric_files import line_of, text_questions
from markbook.checks.rubric_tests import SURE, judge, prompt_of
from markbook.model import score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markbook.checks.mutants import Kind, Mutant
    from markbook.checks.rubric_tests import Judged
    from markbook.checks.views import AssignmentView, RubricView

__all__ = ["CHECKS"]

_SHOWN = 160  # characters of a wrong answer
_BEFORE = 60  # and so many of them before the change


@cache
def _judged(view: AssignmentView, each: RubricView) -> tuple[tuple[Mutant, ...], Judged] | None:
    """Judge all wrong answers of a question in one run; None where there are none."""
    rubric = each.rubric
    if rubric.policy == "manual":
        return None
    prompt = prompt_of(view, rubric.question) if rubric.question in text_questions(view) else ""
    made = mutants(rubric, prompt)
    if not made:
        return None
    return made, judge(Target(view, rubric=each), rubric, [m.text for m in made])


class _Mutation(Check):
    """A check of one kind of wrong answer."""

    severity = Severity.WARNING
    scope = Scope.RUBRIC
    slow = True
    optional = True
    kind: ClassVar[Kind]
    done: ClassVar[str]  # what was done to the answer
    hint: ClassVar[str]

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.rubric is not None
        view = target.assignment
        found = _judged(view, target.rubric) if view.sound else None
        if found is None or found[1].failure:
            return  # a grader that fails is said by MB601
        made, judged = found
        by_text: dict[tuple[str, int | None], list[Mutant]] = {}
        for mutant in made:
            line = judged.of(mutant.text, mutant.criterion)
            rewarded = line.awarded is True and line.confidence >= SURE
            if mutant.kind == self.kind and rewarded:
                by_text.setdefault((mutant.text, mutant.of), []).append(mutant)
        for taken in by_text.values():
            yield self._finding(target, taken, judged)

    def _finding(self, target: Target, taken: Sequence[Mutant], judged: Judged) -> Finding:
        mutant = taken[0]
        names = [each.criterion for each in taken]
        sure = min(judged.of(mutant.text, name).confidence for name in names)
        named = " and ".join(map(repr, names))
        return self.finding(
            target,
            f"{_source(mutant)}{self.done} would still get {named}"
            f" with confidence {sure:.2f}{_worth(target, mutant.text, names, judged)}.",
            hint=self.hint,
            line=_line(target, mutant, names[0]),
            excerpt=_excerpt(mutant),
        )


class NegationRewarded(_Mutation):
    """The grader is sure of a criterion in an answer that says the opposite.

    In each exemplar and the model answer, every clause that speaks of the criterion is denied:
    a negation is taken out where there is one, or put in.
    """

    code = "MB611"
    name = "negation-rewarded"
    kind = "negated"
    done = ", turned into its opposite,"
    hint = "Mind negations: affirms() instead of find(), or grader.meaning()."


class OmissionRewarded(_Mutation):
    """The grader is sure of a criterion in an answer that does not speak of it any more.

    In each exemplar and the model answer, every clause that speaks of the criterion is left out.
    """

    code = "MB612"
    name = "omission-rewarded"
    kind = "dropped"
    done = ", without what it says of this,"
    hint = "The grader takes something else for evidence: look at what it quotes."


class PromptRewarded(_Mutation):
    """The grader is sure of a criterion in an answer that only repeats the question."""

    code = "MB613"
    name = "prompt-rewarded"
    kind = "prompt"
    done = "The prompt, copied as the answer,"
    hint = "Ask for words that the question does not give away."


class KeywordsRewarded(_Mutation):
    """The grader is sure of a criterion in a mere list of the words of its evidence."""

    code = "MB614"
    name = "keywords-rewarded"
    kind = "keywords"
    done = "A list of keywords"
    hint = "Ask for a statement: words in one clause, in an order, with a verb."


def _source(mutant: Mutant) -> str:
    if mutant.of is None:
        return ""
    return f"Exemplar {mutant.of}" if mutant.of else "The model answer"


def _excerpt(mutant: Mutant) -> str:
    """Return the wrong answer from a little before the place where it was changed."""
    same = zip(mutant.text, mutant.original, strict=False)
    changed = next((n for n, (new, old) in enumerate(same) if new != old), 0)
    if mutant.of is None or changed <= _BEFORE:
        return " ".join(mutant.text.split())[:_SHOWN]
    start = mutant.text.find(" ", changed - _BEFORE) + 1
    return f"... {' '.join(mutant.text[start:].split())}"[:_SHOWN]


def _line(target: Target, mutant: Mutant, criterion: str) -> int | None:
    if mutant.of is None:
        return line_of(target, f"id: {criterion}")
    return line_of(target, mutant.original)


def _worth(target: Target, text: str, names: Sequence[str], judged: Judged) -> str:
    """Say by how many points the wrong criteria change what is suggested with confidence."""
    assert target.rubric is not None
    rubric = target.rubric.rubric
    found = text_questions(target.assignment).get(rubric.question)
    points = found[1].metadata.get("points") if found else None
    if not isinstance(points, int | float) or not math.isfinite(points):
        return ""
    lines = [judged.of(text, criterion.id) for criterion in rubric.criteria]
    sure = [line.criterion for line in lines if line.awarded is True and line.confidence >= SURE]
    rest = [name for name in sure if name not in names]
    got, due = (score(rubric, some, points=float(points)) for some in (sure, rest))
    return f": {got:g} instead of {due:g} points" if got != due else ""


CHECKS: tuple[type[Check], ...] = (
    NegationRewarded,
    OmissionRewarded,
    PromptRewarded,
    KeywordsRewarded,
)
