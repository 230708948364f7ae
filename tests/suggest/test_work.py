"""How a grader's judgement of exemplars is compared with what they earn."""

from __future__ import annotations

from markbook.graders import SuggestionLine
from markbook.model import Exemplar, answer_hash
from markbook.suggest.work import Misjudged, misjudged


def test_an_exemplar_is_right_only_if_it_is_awarded_just_what_it_earns():
    exemplars = [
        Exemplar("right", ("a",)),
        Exemplar("missed", ("a", "b")),
        Exemplar("extra", ()),
        Exemplar("both", ("a",)),
    ]
    awards = {("right", "a"), ("missed", "a"), ("extra", "b"), ("both", "b")}
    lines = [
        SuggestionLine(answer_hash(text), name, (text, name) in awards or None, 0.9)
        for text in ("right", "missed", "extra", "both")
        for name in ("a", "b")
    ]
    assert misjudged(exemplars, ("a", "b"), lines) == (
        Misjudged(2, ("b",), ()),
        Misjudged(3, (), ("b",)),
        Misjudged(4, ("a",), ("b",)),
    )
