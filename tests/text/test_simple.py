"""What is read without the parser looks as the parser would have it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markbook.text import render
from markbook.text.render import highlight
from markbook.text.simple import simple_blocks

USUAL = (
    "a|b |foo |é|→ |🚗|1|- |\n- |\n|\n\n|\n1. |\n2. |**x**|*y z*|`c d`|. |_|bar|*|`|**|(|)|'"
    "|user_id"
).split("|")
RARE = (
    "1) ¦* ¦+ ¦-¦``¦\n* ¦  ¦, ¦#¦# ¦> ¦=¦==¦$¦~~¦|¦[¦](¦<¦&amp;¦!¦\\¦\t¦\u00a0¦\u200b¦\u2028¦:¦---¦"
    '\n    ¦\n  - ¦***¦<http://a.b>¦"¦\r\n¦\x00'
).split("¦")
TEXTS = st.lists(st.sampled_from(USUAL) | st.sampled_from(RARE), max_size=14).map("".join)
USUAL_TEXTS = st.lists(st.sampled_from(USUAL), max_size=14).map("".join)
SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from("xy")), max_size=3
)


@settings(max_examples=1500)
@given(USUAL_TEXTS | TEXTS, SPANS)
def test_a_simple_text_is_shown_as_the_parser_would_show_it(text, spans):
    quick = highlight(text, spans, labels={"x": "1"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "simple_blocks", lambda *_args, **_options: None)
        assert quick == highlight(text, spans, labels={"x": "1"})


@pytest.mark.parametrize(
    "text",
    [
        "Two paragraphs.\n\nOf plain words → with a sign.",
        "Read once more what **jwt-definition** asks, student-00005.",
        "It does *not* hide `user_id`, nor user_id.",
        "First:\n- one\n- two\n\nand so on",
        "1. log in\n2. get a token",
    ],
)
def test_what_most_answers_and_comments_are_made_of_needs_no_parser(text):
    assert simple_blocks(text, str, "\n") is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# heading",
        "- one\n\n- two",
        "- one\nlazily going on",
        "- one\n  - below",
        "7. seventh",
        "``two`` back-ticks",
        "***three*** stars",
        "a [link](https://example.org)",
        "a \\* b",
        "&amp;",
        "hard  \nbreak",
        "_emphasis_",
    ],
)
def test_of_what_only_the_parser_knows_nothing_is_said(text):
    assert simple_blocks(text, str, "\n") is None
