"""The ways of asking each question: its prompt, its sentences, and its rubric's ``asked_as``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markbook.collect.similarity import imperative
from markbook.model import QuestionKind
from markbook.notebooks import read_questions
from markbook.rubrics import load_rubric

if TYPE_CHECKING:
    from markbook.course import Course

__all__ = ["prompt_wordings", "wordings_of"]

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_SENTENCE = re.compile(r"(?<=[?!.:])\s+")
# A longer paragraph is an explanation, and nobody copies it as the question.
_MOST_CHARACTERS = 400


def wordings_of(course: Course, assignment: str) -> dict[str, tuple[str, ...]]:
    """Return the wordings of each text question of an assignment, in the assignment's order.

    They come from the release (or, before there is one, the source) and from the rubrics' own
    ``asked_as``. Raises ``UnknownName`` for an unknown assignment, ``NotebookError`` and
    ``RubricError`` for files that cannot be read.
    """
    course.require(assignment)
    release = course.release(assignment)
    folder = release if any(release.glob("*.ipynb")) else course.source(assignment)
    found: dict[str, tuple[str, ...]] = {}
    for question in read_questions(folder, assignment):
        if question.kind is not QuestionKind.TEXT:
            continue
        path = course.rubric(assignment, question.id)
        asked_as = load_rubric(path).asked_as if path.is_file() else ()
        texts = (*asked_as, *prompt_wordings(question.prompt), question.id.replace("-", " "))
        found[question.id] = tuple(dict.fromkeys(text for text in texts if text.strip()))
    return found


def prompt_wordings(prompt: str) -> tuple[str, ...]:
    """Return how a prompt may be quoted: its heading, its paragraphs, its questions."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", prompt):
        heading = _HEADING.match(paragraph.strip().split("\n")[0])
        if heading:
            found.append(heading.group(1))
            paragraph = "\n".join(paragraph.strip().split("\n")[1:])
        text = " ".join(paragraph.split())
        sentences = [part for part in _SENTENCE.split(text) if part]
        asking = [part for part in sentences if _asks(part)]
        if len(text) <= _MOST_CHARACTERS:
            found.append(text)
        if asking and len(asking) < len(sentences):
            found.append(" ".join(asking))
            found.extend(part for part in asking if len(part.split()) >= 5)
    return tuple(found)


def _asks(sentence: str) -> bool:
    return sentence.rstrip("*_`\"')").endswith("?") or imperative(sentence)
