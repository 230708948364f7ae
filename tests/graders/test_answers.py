"""What a grader's function can look for in an answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from markbook.graders import AnswerText

TEXT = "It's signed by the server.\nSo it doesn't encrypt anything, but it shows tampering! 👍"


def answer(text: str = TEXT) -> AnswerText:
    return AnswerText("key", text)


def test_found_evidence_is_the_clause_around_the_match_verbatim() -> None:
    found = answer().find(r"TAMPER\w+")
    assert found is not None
    assert found.span == "but it shows tampering"
    assert TEXT[found.start : found.end] == found.span


def test_what_is_not_there_is_not_found() -> None:
    assert answer().find("banana") is None
    assert answer().find_all("banana") == []


def test_find_all_finds_every_place_and_skips_empty_matches() -> None:
    assert len(answer("a cat. a dog. a cow.").find_all(r"\ba\b|x*")) == 3


def test_denied_words_are_not_affirmed() -> None:
    assert answer().affirms("encrypt") is None
    assert answer().denies("encrypt") is not None
    assert answer().affirms("signed") is not None


def test_mentions_minds_neither_form_nor_order_of_words() -> None:
    assert answer("The token is signed with a key.").mentions("signs tokens") is not None
    assert answer("The token is here.").mentions("signs tokens") is None


def test_says_minds_negation_and_mentions_does_not() -> None:
    denied = answer("It does not encrypt the payload.")
    assert denied.says("encrypts the payload") is None
    assert denied.mentions("encrypts the payload") is not None


def test_a_quotation_is_widened_to_its_statement_but_not_without_end() -> None:
    assert answer().quote(5, 11).span == "It's signed by the server"
    long = "word " * 200
    assert answer(long).quote(0, 4).span == "word"


@given(st.text(max_size=200), st.sampled_from([r"\w+", r".", r"[aeiou]", r"\s"]))
def test_evidence_is_verbatim_in_any_text(text: str, pattern: str) -> None:
    for found in answer(text).find_all(pattern):
        assert text[found.start : found.end] == found.span
