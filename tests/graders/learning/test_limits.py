"""Questions that are refused, and those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from markbook.graders.learning.limits import foreign, of_marks, of_texts
from markbook.graders.learning.texts import QuestionTexts

if TYPE_CHECKING:
    from collections.abc import Mapping

PROSE = tuple(
    f"A cache keeps {word} near the reader." for word in "copies pages rows files".split()
)


def question(*answers: str) -> QuestionTexts:
    return QuestionTexts("q", "What is it?", ("A cache keeps copies.",), answers)


def test_prose_is_not_refused(write_question: Any) -> None:
    texts, scores = write_question("cache")
    assert of_texts(texts) is None
    marks = {place: float(score) for place, score in enumerate(scores[:14])}
    assert of_marks(texts, marks, np.array(list(marks.values()))) is None


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (("one answer only",), "There is 1 answer only"),
        (("", " ", "?", "...", "", "a cache"), "no words"),
        (("i = 0, j = 1, x = 7",) * 6, "numbers or single letters"),
        (
            ("缓存保存网页的副本", "靠近读者", "这样更快", "不知道", "A cache keeps copies."),
            "4 of 5 answers are not in English",
        ),
        (
            (
                "Der Cache speichert eine Kopie.",
                "Damit es schneller geht",
                "Er ist in der Nähe",
                "Weil niemand wartet",
                "",
                "It keeps copies.",
            ),
            "4 of 5 answers are not in English",
        ),
        ((*(f"After the loop the sum is {n}." for n in range(8)), *PROSE), "in a number only"),
    ],
)
def test_a_question_that_meaning_is_blind_to_is_refused(
    answers: tuple[str, ...], reason: str
) -> None:
    assert reason in (of_texts(question(*answers)) or "")


@pytest.mark.parametrize(
    "reference", ["缓存保存网页的副本。", "Der Cache speichert eine Kopie, die veraltet ist."]
)
def test_a_reference_that_is_not_read_refuses_its_question(reference: str) -> None:
    texts = QuestionTexts("q", "What is it?", (reference,), PROSE * 2)
    assert "reference is not in English" in (of_texts(texts) or "")


def test_answers_that_are_not_read_are_named_and_few_of_them_refuse_nothing() -> None:
    bold = "".join(chr(0x1D41A + ord(c) - 97) if c.isalpha() else c for c in "it keeps copies")
    texts = question(*PROSE, "Das ist eine Kopie der Seite.", "页面的副本", bold)
    assert foreign(texts) == (4, 5)
    assert of_texts(texts) is None


def test_numbers_in_prose_are_no_reason() -> None:
    answers = [
        f"IPv4 has {bits} bits because {why}."
        for bits, why in [(32, "four bytes were enough"), (32, "it is old"), (128, "I guess so"),
                          (64, "words are that long"), (32, "of its header")]
    ]  # fmt: skip
    assert of_texts(question(*answers)) is None


def refusal(marks: Mapping[int, float], expected: list[float], *answers: str) -> str | None:
    return of_marks(question(*(answers or PROSE * 4)), marks, np.array(expected))


def test_the_same_text_with_different_marks_is_a_contradiction_unless_it_is_rare() -> None:
    same = ("A cache keeps copies.",) * 6
    found = refusal({0: 1.0, 1: 0.0}, [0.5, 0.5], *same) or ""
    assert "same words have different marks (1.00 and 0.00 of the maximum)" in found
    once = {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0, 5: 0.5}
    assert refusal(once, [0.9] * 6, *same) is None
    assert refusal({0: 1.0, 1: 0.8}, [0.5, 0.5], *same) is None


def test_marks_that_are_all_the_same_refuse_from_eight_on() -> None:
    marks = dict.fromkeys(range(0, 28, 4), 1.0)
    unlike = [f"{text} Number word{place}." for place, text in enumerate(PROSE * 8)]
    assert refusal(marks, [1.0] * 7, *unlike) is None
    assert "All 8 marks are the same" in (refusal({**marks, 29: 1.0}, [1.0] * 8, *unlike) or "")


def test_an_order_that_is_not_the_marks_refuses_from_twelve_on() -> None:
    unlike = [f"{text} word{place}" for place, text in enumerate(PROSE * 4)]
    marks = {place: (place % 5) / 4 for place in range(12)}
    against = [1 - mark for mark in marks.values()]
    assert "does not order them" in (refusal(marks, against, *unlike) or "")
    assert refusal(marks, list(marks.values()), *unlike) is None
    few = {place: marks[place] for place in range(11)}
    assert refusal(few, against[:11], *unlike) is None


def test_marks_that_hardly_differ_are_no_reason_for_all_that_they_are_not_ordered() -> None:
    unlike = [f"{text} word{place}" for place, text in enumerate(PROSE * 4)]
    marks = {place: 0.9 if place == 3 else 1.0 for place in range(12)}
    assert refusal(marks, [2 - mark for mark in marks.values()], *unlike) is None
