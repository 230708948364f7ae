"""What an evaluation found, as values and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from markbook.evaluation.agreement import SCALE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.evaluation.agreement import Figure
    from markbook.graders.reliability import Reliability

__all__ = ["Agreement", "Calibration", "CurvePoint", "EvaluationReport", "Saving"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Scores of one kind beside the marks.

    ``part`` says whose scores: ``suggested`` after ``k`` marks of the question, ``told`` after
    those of its training rows, ``constant`` (the mean of the training marks; ``constant told``
    for the answers of ``told``) or ``people`` (one
    marker's beside another's). ``over`` is ``unmarked`` (answers that the model had no mark of),
    ``all`` (with those that it had, which are right) or ``not refused``: unmarked ones of
    questions that the model did not refuse. ``points_rmse`` is in points of the file.
    """

    part: str
    k: int
    over: str
    answers: int
    questions: int
    figures: Mapping[str, Figure]
    points_rmse: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        head = {name: getattr(self, name) for name in ("part", "k", "over", "answers", "questions")}
        figures = {name: figure.as_dict() for name, figure in self.figures.items()}
        return {**head, **figures, "points_rmse": self.points_rmse}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Confidence beside what was right (within half a point), over unmarked answers."""

    part: str
    k: int
    reliability: Reliability


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """All answers within half a point when a person reads a ``share`` of them.

    First ``k`` of each question by design, then the least certain ones: as they were certain
    after k (``frozen``), or with the model learning on from the new marks (``learning``).
    """

    k: int
    share: float
    frozen: float | None
    learning: float | None = None


@dataclass(frozen=True, slots=True)
class Saving:
    """What marking one answer of a group for all saves; errors on 0 to 5.

    ``answers`` get a copied mark, a ``share`` of all. ``rmse`` and ``within_half`` are of those;
    over all answers the error is ``rmse_of_all``. ``filled_rmse`` is theirs when the model
    suggests their scores instead, knowing all other marks.
    """

    grouping: str
    answers: int
    share: float
    rmse: float | None
    within_half: float | None
    rmse_of_all: float
    filled_rmse: float | None


@dataclass(frozen=True)
class EvaluationReport:
    """All figures, on a scale of 0 to 5, with how they were got. See docs/reference/command.md."""

    file: str
    answers: int
    questions: int
    protocol: str
    folds: int
    group: str
    seed: int
    model: str
    agreements: tuple[Agreement, ...]
    calibrations: tuple[Calibration, ...]
    curve: tuple[CurvePoint, ...]
    savings: tuple[Saving, ...]
    refused: Mapping[str, str]
    notes: tuple[str, ...]

    def find(self, part: str, k: int = 0, over: str = "unmarked") -> Agreement | None:
        """Return the agreement of that part, or None."""
        for each in self.agreements:
            if (each.part, each.k, each.over) == (part, k, over):
                return each
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        head = ("file", "answers", "questions", "protocol", "folds", "group", "seed", "model")
        return {
            **{name: getattr(self, name) for name in head},
            "scale": SCALE,
            "agreement": [each.as_dict() for each in self.agreements],
            "calibration": [
                {"part": each.part, "k": each.k, **asdict(each.reliability)}
                for each in self.calibrations
            ],
            "curve": [asdict(each) for each in self.curve],
            "groups": [asdict(each) for each in self.savings],
            "refused": dict(self.refused),
            "notes": list(self.notes),
        }
