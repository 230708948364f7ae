"""MB30x: the release. That it is there, is what the source gives, and tells no secret."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Severity
from markbook.errors import InternalError, MarkbookError
from markbook.notebooks import Delimiters
from markbook.release import rehearse
from markbook.release.leaks import find_leaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markbook.checks.views import AssignmentView, CellView
    from markbook.release import ReleaseResult

__all__ = ["CHECKS"]

_FEW_WORDS = 4  # a phrase of so few words may stand in a prompt by chance


class NotReleased(Check):
    """An assignment that has not been released: there is nothing that students could get."""

    code = "MB301"
    name = "not-released"
    severity = Severity.WARNING
    scope = Scope.ASSIGNMENT

    def examine(self, target: Target) -> Iterator[Finding]:
        view = target.assignment
        if view.notebooks and not view.released:
            yield self.finding(
                target,
                f"{view.name!r} has no release.",
                hint=f"Run 'markbook release {view.name}' and commit what it writes.",
            )


class StaleRelease(Check):
    """The release is not what the source gives today: students would get something else.

    The release is built anew by nbgrader in a temporary folder and compared byte by byte. A
    source that nbgrader refuses is said by the checks that know why.
    """

    code = "MB302"
    name = "stale-release"
    scope = Scope.ASSIGNMENT
    patient = True

    def prepare(self, views: Sequence[AssignmentView]) -> None:
        """Let one process of nbgrader's build all of them while others are checked.

        Nothing is remembered from one run to the next: what a build gives hangs on all that
        nbgrader_config.py imports and reads, and no key could tell that it is unchanged.
        """
        wanted = [view for view in views if view.notebooks and view.released]
        if not wanted:
            return
        threads = ThreadPoolExecutor(1, "markbook-rehearsal")
        future = threads.submit(rehearse, wanted[0].course, [view.name for view in wanted])
        threads.shutdown(wait=False)
        for view in wanted:
            view.rehearsal = future

    def examine(self, target: Target) -> Iterator[Finding]:
        view = target.assignment
        if not view.sound or not view.notebooks or not view.released:
            return
        result = _rehearsed(view)
        if isinstance(result, InternalError):
            yield self.finding(
                target,
                f"There is no fresh build to compare the release with: {result.what}",
                hint=result.hint,
            )
        if isinstance(result, MarkbookError):
            return
        for name in result.changed:
            yield self.finding(
                target,
                f"{name} is not what the source gives today.",
                hint=f"Run 'markbook release {view.name}' and commit what it writes.",
                path=view.release / name,
            )


class SecretReleased(Check):
    """A released file holds what students must not see: an answer, a hidden test, an exemplar.

    Every text in every released file is searched for the lines of solutions and hidden tests,
    and for the rubrics' model answers, exemplars and evidence; criteria and feedback too, where
    the rubric is not public. What is also shown openly in the source is no secret.
    """

    code = "MB303"
    name = "secret-released"
    scope = Scope.ASSIGNMENT

    def examine(self, target: Target) -> Iterator[Finding]:
        view = target.assignment
        if any(notebook.problem is not None for notebook in view.notebooks):
            return
        delimiters = Delimiters.of(view.course.setting)
        for leak in find_leaks(view.source, view.release, _secrets(view), delimiters):
            yield self.finding(
                Target(view, view.released.get(leak.path.stem)),
                f"Students can read a hidden line ({leak.origin}).",
                hint=f"Run 'markbook release {view.name}', and look for how it came there.",
                path=leak.path,
                cell=_cell_with(view, leak.path.stem, leak.line),
                excerpt=leak.line[:80],
            )


class UnreadableRelease(Check):
    """A released notebook cannot be read."""

    code = "MB304"
    name = "unreadable-release"
    scope = Scope.ASSIGNMENT

    def examine(self, target: Target) -> Iterator[Finding]:
        view = target.assignment
        for notebook in view.released.values():
            if notebook.problem is not None:
                yield self.finding(
                    target,
                    notebook.problem.what,
                    hint=f"Run 'markbook release {view.name}'.",
                    path=notebook.path,
                    line=notebook.problem.line,
                )


def _rehearsed(view: AssignmentView) -> ReleaseResult | MarkbookError:
    try:
        if view.rehearsal is None:
            return rehearse(view.course, [view.name])[view.name]
        return view.rehearsal.result()[view.name]
    except InternalError as error:  # nbgrader's process ended
        return error


def _secrets(view: AssignmentView) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in view.rubrics.values():
        if each.problem is not None:
            continue
        rubric, name = each.rubric, each.path.name
        found[rubric.model_answer] = f"the model answer in {name}"
        found |= {exemplar.text: f"an exemplar in {name}" for exemplar in rubric.exemplars}
        for criterion in rubric.criteria:
            texts = list(criterion.evidence)
            if not rubric.public:
                texts += [criterion.says, criterion.feedback]
            found |= {t: f"the criterion {criterion.id!r} in {name}" for t in texts}
    return {text: origin for text, origin in found.items() if len(text.split()) > _FEW_WORDS}


def _cell_with(view: AssignmentView, notebook: str, line: str) -> CellView | None:
    released = view.released.get(notebook)
    cells = released.cells if released is not None else ()
    return next((cell for cell in cells if line in cell.source), None)


CHECKS: tuple[type[Check], ...] = (NotReleased, StaleRelease, SecretReleased, UnreadableRelease)
