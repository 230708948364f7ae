"""What a grader notebook uses: a grader, the answers it looks at, the evidence it returns.

::

    from markbook.graders import Evidence, Grader

    grader = Grader.open(answers, rubric, suggestions)

    @grader.criterion("detects-changes")
    def detects_changes(answer):          # -> Evidence | bool | None (None: abstain)
        return answer.find(r"tamper|modif|integrit")

    grader.meaning()                      # every other criterion, by its evidence phrases
    grader.finish()                       # writes, and draws what it found
"""

from markbook.graders.answers import AnswerText, Evidence
from markbook.graders.grader import Grader
from markbook.graders.lines import (
    AnswerLine,
    MarkLine,
    ScoreLine,
    Scores,
    SuggestionLine,
    read_answers,
    read_marks,
    read_scores,
    read_suggestions,
    write_answers,
    write_marks,
    write_scores,
)

__all__ = [
    "AnswerLine",
    "AnswerText",
    "Evidence",
    "Grader",
    "MarkLine",
    "ScoreLine",
    "Scores",
    "SuggestionLine",
    "read_answers",
    "read_marks",
    "read_scores",
    "read_suggestions",
    "write_answers",
    "write_marks",
    "write_scores",
]
