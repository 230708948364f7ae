"""What a rubric is after an edit; nothing is read or written here."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from markbook.errors import UsageError
from markbook.model import Criterion, Rubric
from markbook.rubrics import InvalidRubric, dump_rubric, parse_rubric, with_version
from markbook.rubrics.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markbook.model import Exemplar

__all__ = ["Edit", "EditedRubric", "edit_rubric"]

Kind = Literal["add", "reword", "repoint", "remove"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a rubric's criterion.

    ``add`` needs ``says`` and ``points``; ``reword`` changes those of ``says``, ``evidence`` and
    ``feedback`` that are not empty; ``repoint`` needs ``points``; ``remove`` needs nothing else.
    """

    kind: Kind
    criterion: str
    says: str = ""
    points: float | None = None
    evidence: tuple[str, ...] = ()
    feedback: str = ""

    def __post_init__(self) -> None:
        evidence: object = self.evidence
        if isinstance(evidence, list):  # as it comes from JSON
            object.__setattr__(self, "evidence", tuple(evidence))

    @property
    def step(self) -> dict[str, Any]:
        """The edit for the audit: JSON-able, without what it leaves alone."""
        values = dataclasses.asdict(self) | {"evidence": list(self.evidence)}
        return {key: value for key, value in values.items() if value not in ("", None, [])}


@dataclass(frozen=True, slots=True)
class EditedRubric:
    """A rubric after its edits: valid, with its version. ``notes`` are sentences.

    A criterion that was removed and added anew is in ``added`` and in ``removed``.
    """

    rubric: Rubric
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def edit_rubric(rubric: Rubric, edits: Sequence[Edit]) -> EditedRubric:
    """Return ``rubric`` with the edits made one after the other.

    Raises ``UsageError`` for an edit that cannot be made, or that would leave an invalid rubric.
    """
    if not edits:
        raise UsageError("There is no edit to make.", hint="Add, reword, repoint or remove one.")
    editor = _Editor(rubric)
    for edit in edits:
        editor.make(edit)
    made = _valid(editor.rubric)
    present = {criterion.id for criterion in made.criteria}
    return EditedRubric(
        rubric=made,
        added=tuple(name for name in dict.fromkeys(editor.added) if name in present),
        removed=tuple(dict.fromkeys(editor.removed)),
        notes=tuple(editor.notes),
    )


def _valid(rubric: Rubric) -> Rubric:
    """Return the rubric as a file would hold it; ``UsageError`` if no file may."""
    try:
        return parse_rubric(dump_rubric(with_version(rubric)))
    except InvalidRubric as error:
        raise UsageError(
            f"After this edit the rubric of {rubric.question!r} would be wrong: {error.what}",
            hint=error.hint or "Change the edit; nothing was stored.",
        ) from error


class _Editor:
    """A rubric in the middle of its edits."""

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self.added: list[str] = []
        self.removed: list[str] = []
        self.notes: list[str] = []
        self._make: dict[str, Callable[[Edit], None]] = {
            "add": self._add,
            "reword": self._reword,
            "repoint": self._repoint,
            "remove": self._remove,
        }

    def make(self, edit: Edit) -> None:
        _check_types(edit)
        if edit.kind not in self._make:
            hint = did_you_mean(str(edit.kind), self._make)
            raise UsageError(f"There is no edit {edit.kind!r} of a rubric.", hint=hint)
        self._make[edit.kind](edit)

    def _add(self, edit: Edit) -> None:
        if edit.criterion in self._ids():
            raise UsageError(
                f"The rubric of {self.rubric.question!r} already has a criterion"
                f" {edit.criterion!r}.",
                hint="Give the new one another id.",
            )
        if edit.points is None or not edit.says.strip():
            raise UsageError(
                f"The new criterion {edit.criterion!r} needs a sentence and points.",
                hint="Say what an answer shows that earns it, and what it is worth.",
            )
        new = Criterion(edit.criterion, edit.points, edit.says, edit.evidence, edit.feedback)
        self._set((*self.rubric.criteria, new))
        self.added.append(edit.criterion)

    def _reword(self, edit: Edit) -> None:
        old = self._criterion(edit)
        if edit.points is not None and edit.points != old.points:
            raise UsageError(
                f"Rewording {old.id!r} does not change its points.", hint="Repoint it as well."
            )
        if not (edit.says.strip() or edit.evidence or edit.feedback.strip()):
            raise UsageError(
                f"Rewording {old.id!r} needs new words.", hint="Give says, evidence or feedback."
            )
        self._replace(
            dataclasses.replace(
                old,
                says=edit.says if edit.says.strip() else old.says,
                evidence=edit.evidence or old.evidence,
                feedback=edit.feedback if edit.feedback.strip() else old.feedback,
            )
        )

    def _repoint(self, edit: Edit) -> None:
        old = self._criterion(edit)
        if edit.points is None:
            raise UsageError(f"Repointing {old.id!r} needs points.", hint="Give a number.")
        if _other_words(edit, old):
            raise UsageError(
                f"Repointing {old.id!r} does not change its words.", hint="Reword it as well."
            )
        self._replace(dataclasses.replace(old, points=float(edit.points)))

    def _remove(self, edit: Edit) -> None:
        name = self._criterion(edit).id
        self._set(tuple(c for c in self.rubric.criteria if c.id != name))
        self._leave_pick_one(name)
        exemplars = tuple(_without(name, exemplar) for exemplar in self.rubric.exemplars)
        count = sum(old != new for old, new in zip(self.rubric.exemplars, exemplars, strict=True))
        if count:
            these = (
                "1 exemplar no longer earns" if count == 1 else f"{count} exemplars no longer earn"
            )
            self.notes.append(f"{these} {name!r}.")
        self.rubric = dataclasses.replace(self.rubric, exemplars=exemplars)
        self.removed.append(name)

    def _leave_pick_one(self, name: str) -> None:
        groups = []
        for group in self.rubric.pick_one:
            rest = tuple(other for other in group if other != name)
            if len(rest) > 1:
                groups.append(rest)
            if rest != group:
                listed = f"[{', '.join(group)}]"
                left = f"{name!r} left the pick_one list {listed}."
                gone = f"The pick_one list {listed} is gone: {', '.join(rest)} was left alone."
                self.notes.append(left if len(rest) > 1 else gone)
        self.rubric = dataclasses.replace(self.rubric, pick_one=tuple(groups))

    def _ids(self) -> list[str]:
        return [criterion.id for criterion in self.rubric.criteria]

    def _criterion(self, edit: Edit) -> Criterion:
        try:
            return self.rubric.criterion(edit.criterion)
        except KeyError:
            raise UsageError(
                f"The rubric of {self.rubric.question!r} has no criterion {edit.criterion!r}.",
                hint=did_you_mean(edit.criterion, self._ids()),
            ) from None

    def _replace(self, new: Criterion) -> None:
        self._set(tuple(new if old.id == new.id else old for old in self.rubric.criteria))

    def _set(self, criteria: tuple[Criterion, ...]) -> None:
        self.rubric = dataclasses.replace(self.rubric, criteria=criteria)


def _without(name: str, exemplar: Exemplar) -> Exemplar:
    return dataclasses.replace(exemplar, earns=tuple(n for n in exemplar.earns if n != name))


def _other_words(edit: Edit, old: Criterion) -> bool:
    """Tell whether an edit gives words, and others than the criterion has."""
    return (
        edit.says.strip() not in ("", old.says)
        or edit.feedback.strip() not in ("", old.feedback)
        or edit.evidence not in ((), old.evidence)
    )


def _check_types(edit: Edit) -> None:
    """Refuse what a page or a script may send by mistake, before it is taken for a rubric."""
    for key in ("criterion", "says", "feedback"):
        if not isinstance(getattr(edit, key), str):
            raise UsageError(f"An edit's {key!r} must be text.", hint="Nothing was stored.")
    evidence: object = edit.evidence
    if not isinstance(evidence, tuple) or not all(isinstance(phrase, str) for phrase in evidence):
        raise UsageError("An edit's 'evidence' must be a list of texts.", hint="One a phrase.")
    points: object = edit.points
    if points is None:
        return
    number = isinstance(points, int | float) and not isinstance(points, bool)
    if not number or not math.isfinite(points):  # type: ignore[arg-type]
        raise UsageError(
            f"The points of {edit.criterion!r} must be a number, and are {points!r}.",
            hint="Nothing was stored.",
        )
