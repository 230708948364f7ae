"""Every answer at its question, in every shape, and nothing lost."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.collect import match_paper

ANSWERS = (
    "a token that the server signs",
    "First paragraph of it, with some thoughts.\n\nSecond paragraph, which goes further.",
    "- one\n- two\n\t- deeper\n- three",
    "1. write something\n2. run it\n3. see it fail",
    "```python\n# What is a mock? What are some things you would mock?\nx = 1\n\n- y\n```\nas above",
    "Somebody asked \"can the attacker see what's inside\" and the answer was yes.",
    "idk",
    "Yes! Who would not? Everybody does it.",
    "It depends.\nSometimes one line follows another.\nAnd a third one.",
    "> a famous word\n\nand what I think of it",
    "so **bold** and `code` and <b>html</b>",
)


def words(text):
    return Counter(re.findall(r"\w+", text))


def squash(text):
    return " ".join(text.split())


def clean(text):
    """The words of an answer, whatever its edges."""
    return squash(text)


def typo(word):
    return word[:2] + word[3] + word[2] + word[4:]


@st.composite
def rewordings(draw, text):
    """The same question as another student would type it."""
    change = draw(st.sampled_from(["", "", "lower", "upper", "bare", "ticks", "typo", "quotes", "bang"]))
    if change == "lower":
        return text.lower()
    if change == "upper":
        return text.upper()
    if change == "bare":
        return re.sub(r"[`,]|[.?]$", "", text)
    if change == "ticks":
        return re.sub(r"\b(SQL|HTTP|JWT|Flask|mock)\b", r"`\1`", text, count=1)
    if change == "typo":
        long = [w for w in re.findall(r"[a-z]{7,}", text)]
        word = draw(st.sampled_from(long)) if long else ""
        return text.replace(word, typo(word)) if word else text
    if change == "quotes":
        return text.replace("'", "\u2019")
    return text.replace("?", "??", 1) if change == "bang" else text


@st.composite
def papers(draw, wordings, markers, shape):
    ids = draw(st.permutations(sorted(wordings)))[: draw(st.integers(4, len(wordings)))]
    if draw(st.booleans()):
        ids = [name for name in wordings if name in ids]
    marker = draw(st.sampled_from(sorted(markers)))
    plain = marker in ("plain", "leading blank")
    # An answer marked exactly like the questions cannot be told from them by its looks.
    wrap = draw(st.sampled_from([0, 0, 60, 38])) if marker not in ("html", "underlined", "closed heading") else 0
    made = shape(
        marker=marker,
        gap=draw(st.sampled_from([0, 1])),
        between=draw(st.sampled_from([1, 2])) if not plain else draw(st.sampled_from([0, 1, 3])),
        indent=draw(st.sampled_from(["", "", "  ", "\t"])),
        wrap=wrap,
        hang=draw(st.sampled_from(["", "  "])),
        title=draw(st.sampled_from(["", "# Homework 3", "Answers by Kim"])),
    )
    asked, truth = [], {}
    for name in ids:
        question = draw(rewordings(wordings[name][0]))
        answer = draw(st.sampled_from(("", *ANSWERS)))
        asked.append((question, answer))
        truth[name] = answer
    return made, asked, truth


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_every_answer_stands_at_its_question_whatever_the_shape(
    data, wordings, markers, shape, render
):
    made, asked, truth = data.draw(papers(wordings, markers, shape))
    paper = render(made, asked)
    match = match_paper(paper, wordings)
    told = {name: clean(truth[name]) if name in truth else None for name in wordings}
    found = {
        name: None if answer.status == "not-asked" else clean(answer.text)
        for name, answer in match.answers.items()
    }
    assert found == told, paper
    assert match.unmatched == ((made.title,) if made.title else ()), paper
    assert match.preamble == match.unmatched
