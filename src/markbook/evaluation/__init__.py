"""How well suggested scores would have done: on marks that people gave, whole questions held out.

:func:`evaluate` tries the learned score on a CSV file of marked answers and returns an
:class:`EvaluationReport`. No mark is read before it is asked for as a mark: see
``markbook.evaluation.oracle``.
"""

from markbook.evaluation.engine import Engine, LearnedScores
from markbook.evaluation.evaluate import evaluate
from markbook.evaluation.plans import Protocol, Settings
from markbook.evaluation.report import EvaluationReport
from markbook.evaluation.tables import as_text

__all__ = [
    "Engine",
    "EvaluationReport",
    "LearnedScores",
    "Protocol",
    "Settings",
    "as_text",
    "evaluate",
]
