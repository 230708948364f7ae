"""A paper and the wordings of an assignment's questions: which answer belongs to which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.collect.blocks import read_lines
from markbook.collect.candidates import find_candidates
from markbook.collect.choosing import choose, learn
from markbook.collect.framing import Block
from markbook.collect.numbered import numbered_answers
from markbook.collect.segments import cut
from markbook.collect.similarity import Phrasebook
from markbook.model import AnswerStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.collect.choosing import Chosen

__all__ = ["DOUBTFUL_BELOW", "Doubt", "MatchedAnswer", "PaperMatch", "match_paper"]

# A match below this confidence is listed for a person to confirm.
DOUBTFUL_BELOW = 0.6


@dataclass(frozen=True, slots=True)
class MatchedAnswer:
    """What one paper says to one question.

    ``text`` is the student's own, ``matched_as`` the paper's own wording of the question (empty
    when it was not asked), ``confidence`` in [0, 1] the trust that the two belong together.
    """

    status: AnswerStatus
    text: str = ""
    matched_as: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something for a person to look at; ``question`` is empty where none is near."""

    question: str
    matched_as: str
    confidence: float
    runner_up: str
    why: str


@dataclass(frozen=True, slots=True)
class PaperMatch:
    """All of a paper: every line stands in an answer, in its question, or in ``unmatched``.

    ``preamble`` lists those of ``unmatched`` that only frame a paper (title, name, date, standard
    instruction, section heading) and need nobody's attention.
    """

    answers: dict[str, MatchedAnswer]
    unmatched: tuple[str, ...] = ()
    preamble: tuple[str, ...] = ()
    doubtful: tuple[Doubt, ...] = ()

    @property
    def found(self) -> int:
        """How many of the questions the paper asks."""
        return sum(a.status is not AnswerStatus.NOT_ASKED for a in self.answers.values())

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: text of no question, doubtful matches, or no match."""
        return len(self.unmatched) > len(self.preamble) or bool(self.doubtful) or not self.found


def match_paper(text: str, wordings: Mapping[str, Sequence[str]]) -> PaperMatch:
    """Find the known questions in a paper and cut it into their answers.

    ``text`` is decoded, with line feeds only; ``wordings`` maps each question to the ways of
    asking it, in the order of the assignment. A pure function: it reads and writes nothing.
    """
    return match_with(Phrasebook(wordings), text)


def match_with(book: Phrasebook, text: str) -> PaperMatch:
    """Do as ``match_paper`` with a phrasebook made before, for many papers of an assignment."""
    lines = read_lines(text)
    candidates = find_candidates(lines, book)
    habits = learn(candidates)
    chosen = choose(lines, candidates, habits, book.questions)
    asking = [found.candidate for found in chosen]
    apart = numbered_answers(lines, asking)
    segments = cut(lines[: apart.start] if apart else lines, asking, book, habits)
    if apart:
        segments.answers.update(apart.answers)
        segments.blocks += [Block(apart.heading, framing=True)] if apart.heading else []
    by_question = {found.candidate.question: found for found in chosen}
    answers = {
        question: _answer(by_question[question], segments.asked, segments.answers)
        if question in by_question
        else MatchedAnswer(AnswerStatus.NOT_ASKED)
        for question in book.questions
    }
    doubts = [_doubt(found) for found in chosen if found.confidence < DOUBTFUL_BELOW]
    for block in segments.blocks:
        if block.like_a_question:
            doubts.append(_foreign(book, block.like_a_question))
    return PaperMatch(
        answers,
        tuple(block.text for block in segments.blocks),
        tuple(block.text for block in segments.blocks if block.framing),
        tuple(doubts),
    )


def _answer(found: Chosen, asked: Mapping[str, str], answers: Mapping[str, str]) -> MatchedAnswer:
    question = found.candidate.question
    text = answers[question]
    status = AnswerStatus.ANSWERED if text else AnswerStatus.BLANK
    return MatchedAnswer(status, text, asked[question], found.confidence)


def _doubt(found: Chosen) -> Doubt:
    c = found.candidate
    why = "The wording is not close to a known one."
    if c.rival and c.rival_likeness > c.likeness - 0.1:
        why = "Another question is worded nearly as closely."
    return Doubt(c.question, c.text, found.confidence, c.rival, why)


def _foreign(book: Phrasebook, asked: str) -> Doubt:
    near = book.likeness(asked[:700])
    best, second = (near[0] if near else None), (near[1] if len(near) > 1 else None)
    known = best is not None and best[0] >= 0.75
    return Doubt(
        question="",
        matched_as=asked,
        confidence=round(best[0], 3) if best is not None else 0.0,
        runner_up=best[1].question if best is not None else second[1].question if second else "",
        why="This question is asked a second time." if known else "No question is worded so.",
    )
