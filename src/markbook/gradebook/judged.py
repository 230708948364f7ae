"""The part of the gradebook that holds rubrics, and what graders made of answers by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.gradebook.database import reading, writing
from markbook.gradebook.expectations import read_expectations, store_expectations
from markbook.gradebook.rubrics import find_rubric, store_rubric
from markbook.gradebook.suggestions import read_suggestions, store_suggestions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from markbook.model import Expectation, Rubric, Suggestion

__all__ = ["Judged"]


class Judged:
    """Rubrics, suggestions and expected scores of a gradebook."""

    _engine: Engine

    def save_rubric(self, assignment: str, rubric: Rubric) -> None:
        """Keep a version of a rubric, which marks and suggestions then can name."""
        with writing(self._engine) as connection:
            store_rubric(connection, assignment, rubric)

    def rubric(self, version: str) -> Rubric | None:
        with reading(self._engine) as connection:
            return find_rubric(connection, version)

    def replace_suggestions(
        self,
        assignment: str,
        question: str,
        suggestions: Sequence[Suggestion],
        expectations: Sequence[Expectation] = (),
    ) -> int:
        """Make these the question's suggestions and expected scores, both or neither.

        Returns how many suggestions came, changed or went. Without ``expectations`` those from
        before go: they were made with other suggestions.
        """
        with writing(self._engine) as connection:
            changed = store_suggestions(connection, assignment, question, suggestions)
            store_expectations(connection, assignment, question, expectations)
        return changed

    def suggestions(
        self, assignment: str, question: str | None = None, *, awarded: bool = False
    ) -> tuple[Suggestion, ...]:
        """Return the suggestions by question, answer hash and criterion.

        With ``awarded`` only those that found their criterion in the answer.
        """
        with reading(self._engine) as connection:
            return read_suggestions(connection, assignment, question, awarded=awarded)

    def expectations(self, assignment: str, question: str | None = None) -> tuple[Expectation, ...]:
        """Return the expected scores by question, the texts to mark first in front."""
        with reading(self._engine) as connection:
            return read_expectations(connection, assignment, question)
