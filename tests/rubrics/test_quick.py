"""The quick parser may only ever say what the thorough one says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.rubrics import source
from markbook.rubrics.quick import quick_compose

COURSE = Path(__file__).parents[2] / "graders"

PIECES = (
    *("a", "b: ", "- ", "\n", "\n  ", "\n    ", ": ", "?", " #c", "#", "'", '"', "|", "|-", "|+"),
    *("|2", ">", ">-", "[", "]", "{", "}", ", ", ",", "&x ", "*x", "!!str ", "!t ", "1", "0x1F"),
    *("0o17", "017", "1_000", "1.5", "1e3", ".inf", "yes", "on", "true", "null", "~", "12:30"),
    *(
        "2020-01-01",
        "<<",
        "\u00e9",
        "\U0001f600",
        "\\n",
        "\\/",
        "\\x41",
        "%",
        "---",
        "...",
        "@",
        "`",
    ),
    *(
        "\ufeff",
        "\u2028",
        "\x85",
        "=",
        "a:b",
        ":b",
        "a:",
        "''",
        "\r\n",
        "\r",
        "\t",
        "  ",
        "+1",
        "1.",
    ),
)
pieces = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
mappings = st.lists(pieces, min_size=1, max_size=4).map(
    lambda values: "".join(f"k{number}: {value}\n" for number, value in enumerate(values))
)


def read_thoroughly(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "quick_compose", lambda _text: None)
        return source.read_source(text.encode())


@given(pieces | mappings)
def test_a_file_reads_the_same_by_either_parser(text):
    assert repr(source.read_source(text.encode())) == repr(read_thoroughly(text))


@pytest.mark.parametrize("path", sorted(COURSE.glob("*/*.yaml")), ids=lambda path: path.stem)
def test_every_rubric_of_this_course_is_read_the_quick_way_and_the_same(path):
    text = path.read_text(encoding="utf-8")
    assert quick_compose(text) is not None
    assert repr(source.read_source(text.encode())) == repr(read_thoroughly(text))


@pytest.mark.parametrize(
    "text",
    ["a: 1\x85b: 2", "a:\t1", "a: |#x\n b", "%YAML 1.1\n---\na: yes", "a: 1\rb: 2", "a: \ufeff"],
)
def test_text_that_the_parsers_read_differently_is_left_to_the_thorough_one(text):
    assert quick_compose(text) is None


@pytest.mark.parametrize("text", ["", "- a", "a", "a: [", "a: 1\n---\nb: 2"])
def test_what_is_no_mapping_is_left_to_the_thorough_parser(text):
    assert quick_compose(text) is None
