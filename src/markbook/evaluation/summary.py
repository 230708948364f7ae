"""From what was sealed, and the marks that are known only now, to the figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from markbook.evaluation.agreement import SCALE, agreement, near
from markbook.evaluation.oracle import Stage
from markbook.evaluation.report import Agreement, Calibration, CurvePoint, Saving
from markbook.evaluation.trials import GROUPINGS, SHARES, Names
from markbook.graders.reliability import reliability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.evaluation.oracle import Sealed
    from markbook.evaluation.plans import Settings
    from markbook.evaluation.sheet import Sheet

__all__ = ["Summary"]


@dataclass(frozen=True)
class _Scored:
    """One stage with its marks: shares of the maximum, by answer (n,)."""

    truth: NDArray[np.float64]
    mean: NDArray[np.float64]
    shown: NDArray[np.float64]
    confidence: NDArray[np.float64]
    marked: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    question: NDArray[np.int64]
    points: NDArray[np.float64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """A person's mark is right; what is suggested if it is within half of five points (n,)."""
        return self.marked | near(self.truth, self.shown)

    @property
    def final(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The person's mark where there is one, else the expected and the suggested score (n,)."""
        mean, shown = (np.where(self.marked, self.truth, each) for each in (self.mean, self.shown))
        return mean, shown


class Summary:
    """Everything the report shows. Making one closes the sheet's oracle."""

    def __init__(self, sheet: Sheet, settings: Settings) -> None:
        self._sheet = sheet
        self._settings = settings
        truth, sealed = sheet.oracle.close()
        of = sheet.question_of
        self._stages = {stage: _scored(s, truth, of, sheet.points) for stage, s in sealed.items()}
        self.refused = _refused(sealed, sheet, of)

    def agreements(self) -> tuple[Agreement, ...]:
        """Return the agreement of every part with the marks."""
        found = []
        for stage, scored in self._looked_at():
            found.append(self._agreement(stage, scored, "unmarked", ~scored.marked))
            if scored.marked.any():
                everyone = np.ones(len(scored.truth), dtype=bool)
                found.append(self._agreement(stage, scored, "all", everyone))
            if scored.refused.any():
                mine = ~scored.marked & ~scored.refused
                found.append(self._agreement(stage, scored, "not refused", mine))
        for name in (Names.TOLD_CONSTANT, Names.CONSTANT):
            constant = self._stages.get(Stage(name))
            if constant is not None:
                everyone = np.ones(len(constant.truth), dtype=bool)
                points = self._stages[Stage(name + Names.POINTS)]
                found.append(self._agreement(Stage(name), constant, "all", everyone, points))
        if len(self._sheet.humans):
            found.append(self._people())
        return tuple(found)

    def calibrations(self) -> tuple[Calibration, ...]:
        """Return how confidence did, over answers not marked of questions not refused."""
        found = []
        for stage, scored in self._looked_at():
            mine = ~scored.marked & ~scored.refused
            table = reliability(scored.confidence[mine], scored.right[mine])
            found.append(Calibration(stage.name, stage.k, table))
        return tuple(found)

    def curve(self) -> tuple[CurvePoint, ...]:
        """Return the share within half a point by the share that a person reads."""
        found: list[CurvePoint] = []
        if not self._settings.stops:
            return ()
        for stage, scored in self._looked_at(curve=True):
            for share in SHARES:
                learning = self._stages.get(Stage(Names.LEARNING, stage.k, share))
                right = None if learning is None else _round(learning.right.mean())
                found.append(CurvePoint(stage.k, share, _frozen(scored, share), right))
        return tuple(found)

    def savings(self) -> tuple[Saving, ...]:
        """Return what groups of equal answers save."""
        found = []
        for name in GROUPINGS:
            copied = self._stages.get(Stage(Names.COPIED + name))
            if copied is None:
                continue
            filled = self._stages[Stage(Names.FILLED + name)]
            size = len(copied.truth)
            error = _rmse(copied)
            saving = Saving(
                name,
                size,
                _round(size / self._sheet.answers),
                _round(error),
                _round(near(copied.mean, copied.truth).mean()),
                _round(error * np.sqrt(size / self._sheet.answers)),
                _round(_rmse(filled)),
            )
            found.append(saving)
        return tuple(found)

    def _looked_at(self, *, curve: bool = False) -> list[tuple[Stage, _Scored]]:
        stages = [Stage(Names.TOLD), Stage(Names.SUGGESTED)]
        ks = {*self._settings.stops, *([self._settings.curve_k] if curve else [])}
        stages += [Stage(Names.SUGGESTED, k) for k in sorted(ks) if k]
        if not curve and 0 not in ks and self._settings.stops:
            stages.remove(Stage(Names.SUGGESTED))
        return [(stage, self._stages[stage]) for stage in stages if stage in self._stages]

    def _agreement(
        self,
        stage: Stage,
        scored: _Scored,
        over: str,
        mine: NDArray[np.bool_],
        in_points: _Scored | None = None,
    ) -> Agreement:
        truth, questions = scored.truth[mine], scored.question[mine]
        guess, shown = (each[mine] for each in scored.final)
        figures = agreement(truth, guess, questions, shown=shown, seed=self._settings.seed)
        own = scored if in_points is None else in_points
        errors = ((own.final[0] - own.truth) * own.points)[mine]
        points = _round(np.sqrt((errors**2).mean())) if mine.any() else None
        count = len(np.unique(questions))
        return Agreement(stage.name, stage.k, over, int(mine.sum()), count, figures, points)

    def _people(self) -> Agreement:
        one, other = self._sheet.humans.T
        questions = self._sheet.humans_of
        figures = agreement(one, other, questions, seed=self._settings.seed)
        return Agreement("people", 0, "all", len(one), len(np.unique(questions)), figures)


def _scored(
    sealed: Sequence[Sealed],
    truth: NDArray[np.float64],
    question_of: NDArray[np.int64],
    points: NDArray[np.float64],
) -> _Scored:
    rows = np.concatenate([each.rows for each in sealed])
    refused = np.concatenate(
        [np.full(len(each.rows), each.guess.refused is not None) for each in sealed]
    ).astype(bool)
    confidence = np.concatenate([each.guess.confidence for each in sealed])
    return _Scored(
        truth[rows],
        np.concatenate([each.guess.mean for each in sealed]),
        np.concatenate([each.guess.shown for each in sealed]),
        confidence,
        np.concatenate([each.marked for each in sealed]).astype(bool),
        refused,
        question_of[rows],
        points[rows],
    )


def _refused(
    sealed: Mapping[Stage, Sequence[Sealed]], sheet: Sheet, question_of: NDArray[np.int64]
) -> dict[str, str]:
    """Return why a question was refused at the last, by its id, in the order of the file."""
    found: dict[str, str] = {}
    for stage, each in sorted(sealed.items(), key=lambda item: item[0].k):
        if stage.name not in (Names.SUGGESTED, Names.TOLD):
            continue
        for one in each:
            if len(one.rows):
                name = sheet.questions[question_of[one.rows[0]]].texts.id
                found.pop(name, None)
                if one.guess.refused is not None:
                    found[name] = one.guess.refused
    ids = [asked.texts.id for asked in sheet.questions]
    return {name: found[name] for name in ids if name in found}


def _frozen(scored: _Scored, share: float) -> float | None:
    """Return the share right when the least certain are marked too, up to ``share`` of all."""
    wanted = round(share * len(scored.truth)) - int(scored.marked.sum())
    if wanted < 0:
        return None
    right = scored.right.copy()
    sure = np.where(scored.marked, np.inf, scored.confidence)
    right[np.argsort(sure, kind="stable")[:wanted]] = True
    return _round(right.mean())


def _rmse(scored: _Scored) -> float:
    return float(np.sqrt((((scored.mean - scored.truth) * SCALE) ** 2).mean()))


def _round(value: float) -> float:
    return round(float(value), 4)
