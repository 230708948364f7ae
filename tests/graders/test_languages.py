"""Another language is told by a few words, and English with odd words in it is English."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from markbook.graders.languages import Known, language, other_letters
from markbook.graders.tokens import stems

TEXTS: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("languages.yaml"))
ASKED = (
    "What is the signature portion of the JWT, and what does it do for the server?",
    "It proves to the server that nobody changed the token. A secret key signs header and payload.",
    "Write a test before the code.",
)
KNOWN = Known.of(ASKED)
LETTERS = frozenset(stem for text in ASKED for stem in stems(text))


def pairs(*names: str) -> list[tuple[str, str]]:
    return [(tongue, text) for name in names for tongue, own in TEXTS[name].items() for text in own]


@pytest.mark.parametrize(("tongue", "text"), pairs("latin", "english_letters"))
def test_a_few_words_of_another_language_are_not_taken_for_english(tongue: str, text: str) -> None:
    assert language(text, KNOWN) in {"other", "unknown"}, tongue


@pytest.mark.parametrize(("tongue", "text"), pairs("other_scripts"))
def test_other_letters_are_told_though_english_terms_stand_among_them(
    tongue: str, text: str
) -> None:
    assert other_letters(text, LETTERS), tongue


@pytest.mark.parametrize("text", TEXTS["english"])
def test_terms_names_code_and_typing_errors_make_no_other_language(text: str) -> None:
    assert language(text, KNOWN) == ""
    assert not other_letters(text, LETTERS)


def test_of_texts_written_later_nine_in_ten_are_told_and_hardly_any_english_one_is() -> None:
    asked = (
        "What is a mock, and why would you use one in a unit test? It replaces a real dependency"
        " such as a database, so that the test is fast and fails only when the code is wrong."
    )
    known, letters = Known.of([asked]), frozenset(stems(asked))
    told, wrong = (
        [text for text in TEXTS[name] if language(text, known) or other_letters(text, letters)]
        for name in ("later", "later_english")
    )
    assert len(told) >= 0.9 * len(TEXTS["later"])
    assert len(wrong) <= 1, wrong


def test_a_sentence_in_another_language_among_english_ones_is_a_part() -> None:
    text = "The server checks it with its key. Niemand kann es unterwegs verändern, das ist gut."
    assert language(text, KNOWN) == "part"


def test_a_class_that_answers_in_another_language_teaches_no_word_of_it() -> None:
    answers = ("Podpis dowodzi integralnosci", "Podpis chroni integralnosci") * 3
    assert language(answers[0], Known.of(ASKED, answers)) == "unknown"


def test_words_that_english_answers_share_are_known() -> None:
    answers = [f"They use {name} with the pydantic and the marshmallow." for name in "abcd"]
    assert language("pydantic marshmallow", KNOWN) == "unknown"
    assert language("pydantic marshmallow", Known.of(ASKED, answers)) == ""


@given(text=st.text(max_size=300))
def test_any_text_is_looked_at(text: str) -> None:
    assert language(text, KNOWN) in {"", "part", "unknown", "other"}
    assert other_letters(text, LETTERS) in {True, False}
