"""Word pieces against the published tokenizer, and their places."""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.graders.learning.wordpiece import cut, vocabulary

ALL = 1_000_000
tokenizers = pytest.importorskip("tokenizers", reason="pip install 'markbook[dev]' brings it")


@pytest.fixture(scope="module")
def published() -> tokenizers.Tokenizer:
    """The published tokenizer on the same vocabulary: the oracle."""
    file = resources.files("markbook.graders.learning").joinpath("data/wordpieces.txt")
    with resources.as_file(file) as path:
        return tokenizers.BertWordPieceTokenizer(str(path), lowercase=True)


def names(text: str) -> list[str]:
    return [vocabulary()[number] for number in cut(text, ALL).ids]


# Characters that were assigned long ago: the oracle's tables of Unicode are older than Python's.
old = st.characters(codec="utf-8", exclude_categories=("Cs", "Co", "Cn")).filter(
    lambda c: unicodedata.ucd_3_2_0.category(c) != "Cn"
)
words = st.sampled_from(
    [
        "Don't",
        "tampered",
        "C++",
        "naïve",
        "e=mc²",
        "https://a.b/c?d",
        "x_1",
        "``code``",
        "ÅNGSTRÖM",
        "漢字かな",
        "ﬁne",
        "İstanbul",
        "Straße",
        "👩‍💻",
        "1,024.5",
        "\u00ad",
        "a" * 101,
        "[SEP]x",
        "…",
    ]
)


@given(st.lists(st.one_of(words, st.text(old, max_size=12)), max_size=8), st.sampled_from(" \n\t"))
def test_pieces_and_places_are_those_of_the_published_tokenizer(
    published: tokenizers.Tokenizer, parts: list[str], between: str
) -> None:
    text = between.join(parts)
    for mark in ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"):
        text = text.replace(mark, "mark")  # ours never reads a mark out of a student's text
    theirs = published.encode(text, add_special_tokens=False)
    ours = cut(text, ALL)
    assert ours.ids.tolist() == theirs.ids
    assert ours.spans.tolist() == [list(span) for span in theirs.offsets]


@given(st.text())
def test_any_string_is_cut_into_spans_that_lie_in_it_and_in_order(text: str) -> None:
    pieces = cut(text, ALL)
    flat = [(int(a), int(b)) for a, b in pieces.spans]
    assert all(0 <= a < b <= len(text) for a, b in flat)
    assert all(first[0] <= second[0] for first, second in itertools.pairwise(flat))


def test_a_mark_of_the_model_in_a_text_is_read_as_a_word() -> None:
    assert names("[SEP] x") == ["[", "sep", "]", "x"]


def test_no_more_pieces_are_given_than_asked_for() -> None:
    assert len(cut("word " * 100, 7).ids) == 7


def test_lone_surrogates_and_control_characters_count_as_nothing() -> None:
    assert names("to\ud800k\x00en\x0b") == ["token"]


def test_thirty_million_characters_are_not_all_read() -> None:
    assert len(cut("word " * 6_000_000, ALL).ids) == 10_000


def test_the_vocabulary_is_the_published_one() -> None:
    data = ("\n".join(vocabulary()) + "\n").encode()
    assert hashlib.sha256(data).hexdigest() == (
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
    )
