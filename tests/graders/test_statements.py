"""Lists of words are told from statements in few words."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from markbook.graders.statements import strung

TEXTS: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("lists.yaml"))
# Two statements and six words: a person decides whether that is a list.
MISSED = {"not tampered, not modified, integrity, payload, token, key, edited, secret, verifies"}
EVIDENCE = (
    "proves nobody tampered with the token makes sure the data was not modified on the way"
    " guarantees the integrity of the token the server rejects a token that was edited"
)


@pytest.mark.parametrize("text", [t for t in TEXTS["lists"] if t not in MISSED])
def test_words_strung_together_are_a_list(text: str) -> None:
    assert strung(text) == "list"


@pytest.mark.parametrize("text", TEXTS["honest"])
def test_statements_in_few_words_bullets_and_tables_are_no_list(text: str) -> None:
    assert strung(text) != "list"


def test_most_statements_in_few_words_are_not_held_back_either() -> None:
    assert sum(strung(text) == "" for text in TEXTS["honest"]) >= 30


def test_of_texts_written_later_four_lists_in_five_are_told_and_no_statement_is_one() -> None:
    told = [strung(text) == "list" for text in TEXTS["later_lists"]]
    assert sum(told) >= 0.8 * len(told)
    assert [text for text in TEXTS["later_honest"] if strung(text) == "list"] == []


@pytest.mark.parametrize("between", [", ", " ", "; ", " and ", "\n- ", " / ", ". ", ",nobody,"])
def test_no_way_of_parting_words_makes_statements_of_them(between: str) -> None:
    words = "token payload integrity nobody tampered verifies secret key header issuer".split()
    assert strung(between.join(words)) == "list"


def test_half_of_the_shuffles_of_evidence_phrases_are_told_by_what_cannot_follow_what() -> None:
    words = EVIDENCE.split()
    told = 0
    for seed in range(40):
        random.Random(seed).shuffle(mixed := list(words))
        told += strung(" ".join(mixed)) == "list"
    assert told >= 20
    assert strung(EVIDENCE) == ""


def test_things_named_in_several_words_are_between_a_list_and_a_statement() -> None:
    text = "single layer network\nlayered feedforward network\nrecurrent neural network"
    assert strung(text) == "loose"


def test_words_that_are_fewer_than_six_are_no_list_but_four_alone_are_not_sure() -> None:
    assert strung("token, payload, integrity, key, secret") == "loose"
    assert strung("JSON Web Token") == strung("header, payload, signature") == ""


@pytest.mark.parametrize("size", [2, 3])
def test_words_cut_in_twos_and_threes_are_no_statements_to_be_sure_of(size: int) -> None:
    words = "altered changed becomes invalid somebody token data way longer signature".split()
    pieces = (" ".join(words[n : n + size]) for n in range(0, len(words), size))
    assert strung(", ".join(pieces)) in {"loose", "list"}


@given(text=st.text(max_size=400))
def test_any_text_is_looked_at(text: str) -> None:
    assert strung(text) in {"", "loose", "list"}


@pytest.mark.parametrize("text", ["| ", "- ", "a, ", "(", ": ", "-> ", "the of "])
def test_signs_made_to_be_slow_are_looked_at_once(text: str) -> None:
    assert strung(text * 20_000) in {"", "loose", "list"}
