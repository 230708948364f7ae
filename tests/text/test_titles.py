"""Titles are plain, short, and taken from what people wrote."""

from __future__ import annotations

import pytest

from markbook.text.titles import humanise, split_title


@pytest.mark.parametrize(
    ("markdown", "title", "rest"),
    [
        ("## What is a *JWT*?\n\nExplain.", "What is a JWT?", "Explain."),
        ("Beyond `runserver`\n---\n\nWhy?", "Beyond runserver", "Why?"),
        ("What is TDD? What are its benefits?", "What is TDD?", None),
        ("- What is a mock", "What is a mock", None),
        ("", "", None),
        ("***", "", None),
    ],
)
def test_the_title_is_the_heading_or_else_the_first_sentence(markdown, title, rest):
    assert split_title(markdown) == (title, markdown if rest is None else rest)


def test_a_long_sentence_is_cut_between_words():
    title, _ = split_title("word " * 100, width=30)
    assert len(title) <= 30
    assert title.endswith("word…")


def test_a_name_becomes_words():
    assert humanise("sql-returning") == "Sql returning"
    assert humanise("") == ""
