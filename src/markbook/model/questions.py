"""What is asked, and what was answered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Answer", "AnswerStatus", "Question", "QuestionKind", "answer_hash"]


class QuestionKind(StrEnum):
    """How a question is scored: ``text`` by a person on a rubric, ``code`` by its tests."""

    TEXT = "text"
    CODE = "code"


class AnswerStatus(StrEnum):
    """What became of a question in one submission."""

    ANSWERED = "answered"
    BLANK = "blank"  # asked, and left empty or as released
    NOT_ASKED = "not-asked"  # the student's paper does not contain the question
    MISSING = "missing"  # the submission's notebook has no such cell


@dataclass(frozen=True, slots=True)
class Question:
    """One graded cell of an assignment's notebook, as authored.

    ``prompt`` and ``model_answer`` are Markdown; ``points`` is nbgrader's maximum and 0 for a
    bonus question; ``position`` is the index of the cell in its notebook; ``stub`` is the text a
    student finds in the answer cell (known when read from the release, empty from the source).
    """

    assignment: str
    notebook: str
    id: str
    kind: QuestionKind
    points: float
    prompt: str
    position: int
    model_answer: str = ""
    stub: str = ""


def answer_hash(text: str) -> str:
    """Return the SHA-256 (hex) of an answer's text; identical texts share suggestions."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """One student's text for one question. ``text`` is as the student wrote it."""

    assignment: str
    notebook: str
    question: str
    student: str
    text: str
    status: AnswerStatus

    @property
    def hash(self) -> str:
        return answer_hash(self.text)
