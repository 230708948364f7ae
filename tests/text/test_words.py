"""Texts that ask the same are the same words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.text.words import normalise, stems, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What's a `mock`?", "what is a mock"),
        ("**Django\u2019s** runserver", "Django runserver"),
        ("don't", "do not"),
        ("whats the difference", "What is the difference?"),
        ("end-to-end", "end to end"),
        ("[a link](https://example.org/x_y)", "a link"),
        ("<b>bold</b> text", "bold text"),
        ("\uff34\uff25\uff33\uff34", "test"),
        ("snake_case", "snake case"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_marks_case_and_contractions_do_not_make_another_text(one, other):
    assert normalise(one) == normalise(other)


def test_c_plus_plus_is_not_c():
    assert words("C, C++ and C#") == ["c", "c++", "and", "c#"]


def test_stems_join_the_forms_of_a_word():
    assert stems("validating validates validation") == ["valid"] * 3


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text)
    assert normalise(once) == once
    assert words(text) == once.split()
