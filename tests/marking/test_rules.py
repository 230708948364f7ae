"""The language of rules: what it covers, and that it is nothing more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import UsageError
from markbook.marking import Facts, parse_rule

FACTS = Facts(confidence=0.9, score=2.0, points=3.0, awarded=2, question="keys")


@pytest.mark.parametrize(
    ("rule", "covers"),
    [
        ("confidence >= 0.9", True),
        ("confidence > .9", False),
        ("confidence >= 0.9 and score == points", False),
        ("confidence >= 0.9 and score < points", True),
        ("question != 'keys' and confidence > 0.1", False),
        ("question in ('keys', 'doors')", True),
        ('question not in ["keys"]', False),
        ("0.5 < confidence <= 0.9", True),
        ("not (awarded == 0 or score <= 0)", True),
        ("awarded in (1, 2)", True),
        ("score > -1", True),
        ("  confidence\n >= 0.9 ", True),
    ],
)
def test_a_rule_covers_what_it_says(rule, covers) -> None:
    assert parse_rule(rule).matches(FACTS) is covers


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("confidence = 0.9", "is not a condition"),
        ("confidence >= 90", "write 0.9 for 90 percent"),
        ("90 <= confidence", "write 0.9 for 90 percent"),
        ("confidence", "without a comparison"),
        ("1", "where a comparison belongs"),
        ("confidense > 0.9", "confidence, score, points, awarded, question"),
        ("question > 'a'", "orders texts"),
        ("question == keys", "question ids go in quotes"),
        ("confidence > '0.9'", "compares a number (confidence) with a text"),
        ("question in 'keys'", "needs a list"),
        ("question in ('keys', 1)", "cannot look for"),
        ("score is 1", "compare with == or !="),
        ("score > True", "not part of the language"),
        ("score > 1e999", "not part of the language"),
        ("score + 1 > 2", "not part of the language"),
        ("len(question) > 2", "not part of the language"),
        ("question.upper() == 'A'", "not part of the language"),
        ("__import__('os').system('x')", "not part of the language"),
        ("[c for c in (1,)] == 1", "not part of the language"),
        ("(lambda: 1)() == 1", "not part of the language"),
        ("(score := 3) == 3", "not part of the language"),
        ("f'{score}' == 'a'", "not part of the language"),
        ("score > 1 if points else 2", "not part of the language"),
        ("(" * 300 + "score", "is not a condition"),
        ("score > 1 " + "or score > 1 " * 100, "longer than 500"),
        ("score > 1\0", "is not a condition"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_is_legal(rule, said) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rule(rule)
    assert said in str(caught.value)


def test_a_rule_names_its_questions() -> None:
    assert parse_rule("question in ('a', 'b') or question == 'a'").questions == ("a", "b")
    assert parse_rule("confidence > 0.5").questions == ()


@given(st.text(max_size=80))
def test_any_text_is_a_rule_or_a_usage_error(text) -> None:
    try:
        rule = parse_rule(text)
    except UsageError:
        return
    assert rule.matches(FACTS) in (True, False)


@given(
    st.recursive(
        st.sampled_from(
            ["confidence >= 0.5", "score < points", "question == 'keys'", "awarded != 2"]
        ),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
                lambda parts: "(" + " ".join(parts) + ")"
            ),
            inner.map("(not {})".format),
        ),
        max_leaves=8,
    )
)
def test_a_rule_means_what_it_means_in_python(text) -> None:
    if len(text) > 500:
        return
    names = {name: getattr(FACTS, name) for name in Facts.__slots__}
    assert parse_rule(text).matches(FACTS) is eval(text, {"__builtins__": {}}, names)
