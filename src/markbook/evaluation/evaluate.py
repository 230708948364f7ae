"""A CSV file of marked answers in, the report out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.evaluation.engine import LearnedScores
from markbook.evaluation.plans import Settings, plan
from markbook.evaluation.report import EvaluationReport
from markbook.evaluation.sheet import read_sheet
from markbook.evaluation.summary import Summary
from markbook.evaluation.trials import try_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from markbook.evaluation.engine import Engine
    from markbook.evaluation.trials import Tried
    from markbook.model import Rubric

__all__ = ["evaluate"]


def evaluate(
    path: Path,
    settings: Settings,
    *,
    group: str = "question_id",
    rubrics: Mapping[str, Rubric] | None = None,
    engine: Engine | None = None,
    on_event: Callable[[Tried], None] = lambda _event: None,
) -> EvaluationReport:
    """Try the learned score on the marked answers in a CSV file.

    ``group`` names the column whose values folds keep together, ``rubrics`` are by question id,
    ``engine`` is what is tried (default: the learned score without a sentence model).

    Raises:
        InputError: the file is no table of marked answers.
        UsageError: there is no such column, or too few questions for the protocol.
    """
    sheet = read_sheet(path, group=group, rubrics=rubrics, seed=settings.seed)
    folds, notes = plan(sheet, settings)
    engine = LearnedScores() if engine is None else engine
    begun = engine.prepare([asked.texts for asked in sheet.questions])
    try_out(sheet, folds, settings, engine, on_event)
    summary = Summary(sheet, settings)
    return EvaluationReport(
        path.name,
        sheet.answers,
        len(sheet.questions),
        str(settings.protocol),
        len(folds),
        group,
        settings.seed,
        engine.name,
        summary.agreements(),
        summary.calibrations(),
        summary.curve(),
        summary.savings(),
        summary.refused,
        (*sheet.notes, *notes, *begun),
    )
