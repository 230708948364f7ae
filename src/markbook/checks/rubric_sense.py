"""MB51x: whether a rubric makes sense, judged by its own criteria, evidence and exemplars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity
from markbook.checks.rubric_files import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.model import Rubric

__all__ = ["CHECKS"]

_FEW = 2  # exemplars: one alone proves nothing of a criterion that it always earns


class _RubricCheck(Check):
    """A check of one rubric that could be read."""

    scope = Scope.RUBRIC

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.rubric is not None
        yield from self.look(target, target.rubric.rubric)

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        raise NotImplementedError


class UnreachedCriterion(_RubricCheck):
    """A criterion that no exemplar earns: nothing shows that a grader can find it."""

    code = "MB511"
    name = "unreached-criterion"

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        if not rubric.exemplars or rubric.policy == "manual":
            return
        earned = {name for exemplar in rubric.exemplars for name in exemplar.earns}
        for criterion in rubric.criteria:
            if criterion.id not in earned:
                yield self.finding(
                    target,
                    f"No exemplar earns the criterion {criterion.id!r}.",
                    hint="Add an exemplar that does, in a student's words.",
                    line=line_of(target, f"id: {criterion.id}"),
                )


class NoExemplars(_RubricCheck):
    """A rubric without exemplars: its grader cannot be tested."""

    code = "MB512"
    name = "no-exemplars"

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        if not rubric.exemplars and rubric.policy != "manual":
            yield self.finding(
                target,
                "The rubric has no exemplars.",
                hint="Add a few answers with the criteria they earn, good and bad ones,"
                " or set policy: manual.",
            )


class AlwaysEarned(_RubricCheck):
    """A criterion that every exemplar earns: it tells no answer from another."""

    code = "MB513"
    name = "always-earned"

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        if len(rubric.exemplars) < _FEW or len(rubric.criteria) == 1:
            return
        for criterion in rubric.criteria:
            if all(criterion.id in exemplar.earns for exemplar in rubric.exemplars):
                yield self.finding(
                    target,
                    f"Every exemplar earns the criterion {criterion.id!r}.",
                    hint="Add an exemplar that does not earn it, or drop the criterion.",
                    line=line_of(target, f"id: {criterion.id}"),
                )


class SharedEvidence(_RubricCheck):
    """Two criteria name the same evidence: whoever writes it earns both."""

    code = "MB514"
    name = "shared-evidence"

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        owner: dict[str, str] = {}
        for criterion in rubric.criteria:
            for phrase in dict.fromkeys(map(_plain, criterion.evidence)):
                first = owner.setdefault(phrase, criterion.id)
                if first != criterion.id:
                    yield self.finding(
                        target,
                        f"{first!r} and {criterion.id!r} share the evidence {phrase!r}.",
                        hint="Keep it with the criterion that it proves.",
                        line=line_of(target, f"id: {criterion.id}"),
                    )


class MisconceptionWithPoints(_RubricCheck):
    """A criterion that describes a mistake and earns points."""

    code = "MB515"
    name = "misconception-earns"
    _signs = ("thinks-", "confuses-", "mixes-up", "misconception", "mistakes-", "wrong-")

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        for criterion in rubric.criteria:
            if criterion.points > 0 and criterion.id.startswith(self._signs):
                yield self.finding(
                    target,
                    f"The criterion {criterion.id!r} is called after a mistake and earns"
                    f" {criterion.points:g} points.",
                    hint="Give a misconception negative points, or the criterion another id.",
                    line=line_of(target, f"id: {criterion.id}"),
                )


class WorthlessCriterion(_RubricCheck):
    """A criterion worth 0 points: markers decide it, and it changes nothing."""

    code = "MB516"
    name = "worthless-criterion"
    severity = Severity.WARNING

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        for criterion in rubric.criteria:
            if criterion.points == 0:
                yield self.finding(
                    target,
                    f"The criterion {criterion.id!r} is worth 0 points.",
                    hint="Give it points, or drop it.",
                    line=line_of(target, f"id: {criterion.id}"),
                )


class OddPickOne(_RubricCheck):
    """A pick_one list that mixes misconceptions in, or has two degrees of equal points."""

    code = "MB517"
    name = "odd-pick-one"

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        for group in rubric.pick_one:
            named = ", ".join(group)
            points = [rubric.criterion(name).points for name in group]
            if min(points) < 0 < max(points):
                message = f"The pick_one list [{named}] mixes misconceptions with what earns."
            elif len(set(points)) == 1 and points[0] < 0:
                continue  # of two names for one mistake only one counts: that is a use
            elif len(set(points)) < len(points):
                message = f"The pick_one list [{named}] has two degrees with the same points."
            else:
                continue
            hint = "A list holds the degrees of one thing, the best with the most points."
            line = line_of(target, "pick_one:")
            yield self.finding(target, message, hint=hint, line=line)


class ExemplarEarnsTwoDegrees(_RubricCheck):
    """An exemplar earns two criteria of one pick_one list, of which only one can count."""

    code = "MB518"
    name = "exemplar-earns-two-degrees"
    severity = Severity.WARNING

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        for number, exemplar in enumerate(rubric.exemplars, start=1):
            for group in rubric.pick_one:
                both = [name for name in group if name in exemplar.earns]
                if len(both) > 1:
                    yield self.finding(
                        target,
                        f"Exemplar {number} earns {' and '.join(both)}, of which one can count.",
                        hint="Keep the one that counts.",
                        line=line_of(target, exemplar.text),
                    )


class NoEvidence(_RubricCheck):
    """A criterion without evidence phrases: the default grader has nothing to look for."""

    code = "MB519"
    name = "no-evidence"

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        view = target.assignment
        own = view.course.grader(view.name, rubric.question)
        if rubric.policy == "manual" or own.parent == view.course.rubrics(view.name):
            return  # a question's own grader may find it in another way
        for criterion in rubric.criteria:
            if not any(phrase.strip() for phrase in criterion.evidence):
                yield self.finding(
                    target,
                    f"The criterion {criterion.id!r} has no evidence.",
                    hint="Add a few ways of saying it, as students say it.",
                    line=line_of(target, f"id: {criterion.id}"),
                )


class RepeatedExemplar(_RubricCheck):
    """Two exemplars with the same text; if they earn different criteria, one of them is wrong."""

    code = "MB520"
    name = "repeated-exemplar"

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        seen: dict[str, int] = {}
        for number, exemplar in enumerate(rubric.exemplars, start=1):
            first = seen.setdefault(_plain(exemplar.text), number)
            if first != number:
                same = set(exemplar.earns) == set(rubric.exemplars[first - 1].earns)
                what = "says" if same else "says with other criteria"
                yield self.finding(
                    target,
                    f"Exemplar {number} {what} what exemplar {first} says.",
                    hint="Keep one of them.",
                    line=line_of(target, exemplar.text),
                )


class ExemplarIsEvidence(_RubricCheck):
    """An exemplar that is an evidence phrase word for word: it tests nothing but copying."""

    code = "MB521"
    name = "exemplar-is-evidence"
    severity = Severity.WARNING

    def look(self, target: Target, rubric: Rubric) -> Iterator[Finding]:
        phrases = {_plain(p): c.id for c in rubric.criteria for p in c.evidence}
        for number, exemplar in enumerate(rubric.exemplars, start=1):
            owner = phrases.get(_plain(exemplar.text))
            if owner:
                yield self.finding(
                    target,
                    f"Exemplar {number} is the evidence of {owner!r}, word for word.",
                    hint="Write it as another student would.",
                    line=line_of(target, exemplar.text),
                )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!")


CHECKS: tuple[type[Check], ...] = (
    UnreachedCriterion,
    NoExemplars,
    AlwaysEarned,
    SharedEvidence,
    MisconceptionWithPoints,
    WorthlessCriterion,
    OddPickOne,
    ExemplarEarnsTwoDegrees,
    NoEvidence,
    RepeatedExemplar,
    ExemplarIsEvidence,
)
