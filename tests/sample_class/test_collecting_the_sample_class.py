"""The collector against papers whose author wrote down what stands where.

The truth files are never bent to the program. Everything is compared word by word, so that it does
not matter whether list markers, fences or blank lines at an answer's edges are kept.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from markbook.collect import match_paper, wordings_of
from markbook.course import Course
from markbook.text.decode import decode

if TYPE_CHECKING:
    from markbook.collect import PaperMatch

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ASSIGNMENTS = ("web-apis-and-testing", "django-auth-and-servers")

# What frames a line and is neither question nor answer: markers, numbers, "Q:" and "A:".
FRAME = re.compile(
    r"^\s*(?:(?:[-*+>]|\#{1,6}|(?:\*\*)?\d+\\?[.)])\s+)+ | ^\s*[-*+>]\s*$ | ^\s*[-=]{3,}\s*$"
    r" | ^\s*(?:Q|A|question\s+\d+):\s*",
    re.MULTILINE | re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Paper:
    assignment: str
    path: Path
    truth: Path

    def read(self) -> str:
        return decode(self.path.read_bytes()).text

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.truth.read_text(encoding="utf-8"))
        return told


def papers() -> list[Any]:
    found = []
    for assignment in ASSIGNMENTS:
        for path in sorted((ROOT / "sample-class" / assignment).iterdir()):
            truth = HERE / "truth" / assignment / f"{path.stem}.json"
            found.append(
                pytest.param(Paper(assignment, path, truth), id=f"{assignment}:{path.stem}")
            )
    for truth in sorted((HERE / "tricky").glob("*.json")):
        (path,) = (p for p in truth.parent.glob(f"{truth.stem}.*") if p != truth)
        assignment = json.loads(truth.read_text(encoding="utf-8"))["assignment"]
        found.append(pytest.param(Paper(assignment, path, truth), id=f"tricky:{path.stem}"))
    return found


every_paper = pytest.mark.parametrize("paper", papers())


@cache
def wordings(assignment: str) -> dict[str, tuple[str, ...]]:
    return wordings_of(Course.open(ROOT), assignment)


@cache
def matched(paper: Paper) -> PaperMatch:
    return match_paper(paper.read(), wordings(paper.assignment))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def words_within(text: str) -> list[str]:
    return words(FRAME.sub("", text))


def has(run: list[str], among: list[str]) -> bool:
    return any(among[i : i + len(run)] == run for i in range(len(among) - len(run) + 1))


def in_answers_or_unmatched(match: PaperMatch) -> Counter[str]:
    kept = Counter(word for found in match.answers.values() for word in words_within(found.text))
    kept.update(word for text in match.unmatched for word in words_within(text))
    return kept


@every_paper
def test_each_question_is_found_blank_or_not_asked_as_its_author_says(paper: Paper) -> None:
    told = {question: answer["status"] for question, answer in paper.told()["answers"].items()}
    found = {question: str(answer.status) for question, answer in matched(paper).answers.items()}
    assert found == told


@every_paper
def test_each_answer_begins_and_ends_where_its_author_says(paper: Paper) -> None:
    match = matched(paper)
    wrong: list[tuple[object, ...]] = []
    for question, told in paper.told()["answers"].items():
        found = words_within(match.answers[question].text)
        if told["status"] != "answered":
            if found:
                wrong.append((question, "is not empty", match.answers[question].text))
            continue
        starts, ends = words(told["starts"]), words(told["ends"])
        if found[: len(starts)] != starts:
            wrong.append((question, "does not start with", told["starts"], found[:8]))
        if found[-len(ends) :] != ends:
            wrong.append((question, "does not end with", told["ends"], found[-8:]))
        wrong += [
            (question, "does not contain", part)
            for part in told["contains"]
            if not has(words(part), found)
        ]
    assert not wrong


@every_paper
def test_text_that_belongs_to_no_question_is_reported_and_nothing_else_is(paper: Paper) -> None:
    told = paper.told()["unmatched"]
    found = words_within("\n".join(matched(paper).unmatched))
    assert [text for text in told if not has(words(text), found)] == []
    assert sorted(found) == sorted(word for text in told for word in words(text))


@every_paper
def test_no_word_of_a_paper_is_lost(paper: Paper) -> None:
    asked = Counter(
        word for told in paper.told()["answers"].values() for word in words(told.get("asked", ""))
    )
    kept = in_answers_or_unmatched(matched(paper))
    assert Counter(words_within(paper.read())) - kept - asked == Counter()


@every_paper
def test_no_word_is_kept_twice_or_made_up(paper: Paper) -> None:
    extra = in_answers_or_unmatched(matched(paper)) - Counter(words_within(paper.read()))
    assert extra == Counter()
