"""The words of Markbook as frozen values. Standard library only; imports nothing of ours."""

from markbook.model.grading import (
    CellComment,
    CellGrade,
    GradedSubmission,
    MasterCell,
    MasterNotebook,
)
from markbook.model.marks import (
    Event,
    Expectation,
    Grade,
    Mark,
    Outcome,
    SubmissionRecord,
    Suggestion,
    decided_by_rule,
)
from markbook.model.questions import (
    Answer,
    AnswerStatus,
    Question,
    QuestionKind,
    answer_hash,
)
from markbook.model.rubrics import Criterion, Exemplar, Rubric, counted, score

__all__ = [
    "Answer",
    "AnswerStatus",
    "CellComment",
    "CellGrade",
    "Criterion",
    "Event",
    "Exemplar",
    "Expectation",
    "Grade",
    "GradedSubmission",
    "Mark",
    "MasterCell",
    "MasterNotebook",
    "Outcome",
    "Question",
    "QuestionKind",
    "Rubric",
    "SubmissionRecord",
    "Suggestion",
    "answer_hash",
    "counted",
    "decided_by_rule",
    "score",
]
