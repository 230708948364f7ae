"""Wordings of ten questions, and papers rendered from them in the shapes students use."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

WORDINGS = {
    "cookie": ("What is a cookie?", "What is an HTTP cookie?"),
    "session": ("What is the session part of a login?  What does it hold?",),
    "stolen": (
        "If a cookie is stolen, can the thief see what's inside the session?",
        "When somebody else has the cookie",
    ),
    "caches": ("Compare and contrast browser, proxy and database caches.",),
    "fixtures": ("What is a fixture? What are some things you would put into one?",),
    "branches": ("What is a feature branch and what are they good for?",),
    "orm": ("What is an ORM? What are some advantages and disadvantages?",),
    "grouping": ("What does `GROUP BY` do in a query? When would you need it?",),
    "rest": ("What are some differences between GraphQL and REST?",),
    "editor": (
        "Did you enjoy Vim more than Emacs? Why or why not (nobody is wrong --- tell us how)?",
    ),
}

MARKERS = {
    "dash": "- {}",
    "star": "* {}",
    "plus": "+ {}",
    "heading": "## {}",
    "deep heading": "#### {}",
    "closed heading": "## {} ##",
    "tight heading": "##{}",
    "numbered": "{n}. {}",
    "bracketed": "{n}) {}",
    "numbered heading": "### {n}. {}",
    "bold": "**{}**",
    "bold number": "**{n}. {}**",
    "bold bullet": "- **{}**",
    "italic": "_{}_",
    "quoted": "> {}",
    "label": "Q: {}",
    "numbered label": "Question {n}: {}",
    "html": "<h3>{}</h3>",
    "plain": "{}",
    "leading blank": " {}",
    "underlined": "{}\n---------",
}


@dataclass(frozen=True)
class Shape:
    """How a paper is laid out."""

    marker: str = "plain"
    gap: int = 1  # blank lines between a question and its answer
    between: int = 1  # blank lines between an answer and the next question
    indent: str = ""
    wrap: int = 0  # the column at which questions wrap; 0: they do not
    hang: str = ""  # what a wrapped line begins with
    title: str = ""


def question_lines(shape, question, number):
    text = MARKERS[shape.marker].replace("{n}", str(number)).replace("{}", question)
    if not shape.wrap or "\n" in text:
        return text.split("\n")
    lines, line = [], ""
    for word in re.findall(r"\S+\s*", text):
        if line and len(line) + len(word.rstrip()) > shape.wrap:
            lines.append(line.rstrip())
            line = shape.hang
        line += word
    return [*lines, line.rstrip()]


def render_paper(shape, asked):
    """Render [(question text, answer text)]; an empty answer leaves the question blank."""
    lines = [shape.title, ""] if shape.title else []
    for number, (question, answer) in enumerate(asked, start=1):
        lines += question_lines(shape, question, number)
        if answer:
            lines += [""] * shape.gap
            lines += [shape.indent + line if line else line for line in answer.split("\n")]
        lines += [""] * shape.between
    return "\n".join(lines)


@pytest.fixture(scope="session")
def wordings():
    return WORDINGS


@pytest.fixture(scope="session")
def markers():
    return MARKERS


@pytest.fixture(scope="session")
def shape():
    return Shape


@pytest.fixture(scope="session")
def render():
    return render_paper
