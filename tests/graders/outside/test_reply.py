"""Whatever comes back: it is taken whole and verbatim, or not at all, and nothing is raised."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from markbook.graders.outside import Problem
from markbook.graders.outside.reply import read_reply

TEXT = "It is \u00e4lter than me\u0301, and nobody can change it. Nobody."
CRITERIA = ("one", "two")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["criteria", "one", "two", "quote", "awarded", "confidence", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
QUOTES = st.one_of(
    st.none(),
    st.text(max_size=4),
    st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12)).map(lambda p: TEXT[p[0] : sum(p)]),
)
VERDICTS = st.fixed_dictionaries(
    {
        "quote": QUOTES,
        "awarded": st.sampled_from([True, False, None]),
        "confidence": st.floats(-0.1, 1.1),
    }
)


@given(JSON | st.text(max_size=30))
def test_no_reply_is_too_odd_to_be_refused(reply: Any) -> None:
    found = read_reply(reply if isinstance(reply, str) else json.dumps(reply), TEXT, CRITERIA)

    assert isinstance(found, Problem)
    assert found.detail


@given(st.fixed_dictionaries(dict.fromkeys(CRITERIA, VERDICTS)))
def test_what_is_taken_is_bounded_quoted_and_as_it_was_said(said: dict[str, Any]) -> None:
    found = read_reply(json.dumps({"criteria": said}), TEXT, CRITERIA)

    if isinstance(found, Problem):
        return
    assert list(found) == list(CRITERIA)
    for name, verdict in found.items():
        assert verdict.awarded is said[name]["awarded"]
        assert 0 <= verdict.confidence <= 1
        quote = said[name]["quote"]
        assert quote is None or TEXT[verdict.start : verdict.end] == quote
        assert quote is not None or not verdict.awarded


def test_a_quotation_in_another_normal_form_is_not_verbatim() -> None:
    verdict = {"quote": "m\u00e9", "awarded": True, "confidence": 0.9}

    found = read_reply(json.dumps({"criteria": {"one": verdict}}), TEXT, ("one",))

    assert isinstance(found, Problem)


def test_of_several_places_the_first_is_the_evidence() -> None:
    verdict = {"quote": "obody", "awarded": True, "confidence": 0.9}

    found = read_reply(json.dumps({"criteria": {"one": verdict}}), TEXT, ("one",))

    assert isinstance(found, dict)
    assert found["one"].start == TEXT.index("obody")
