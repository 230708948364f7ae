"""Wrong answers: they differ from the right ones exactly where they should."""

from __future__ import annotations

import dataclasses
import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.checks.mutants import denied, mutants
from markbook.graders.tokens import clauses, tokens
from markbook.model import Criterion, Exemplar, Rubric

SENTENCES = (
    "It proves that nobody tampered with the token.",
    "The server checks it with a secret key, so it can trust you.",
    "You do not notice that it was copied.",
    "Whoever has the key can sign in as you; the owner never sees it.",
    "Bananas are yellow, and they taste of summer.",
    "keys: everybody reads them",
    "Nothing is hidden!",
)
EVIDENCE = (
    "proves nobody tampered with the token",
    "the server checks it with its secret key",
    "you do not notice that it was copied",
    "whoever has the key can sign in as you",
    "nothing is hidden",
)


@st.composite
def rubrics(draw):
    names = ("a", "b")
    criteria = tuple(
        Criterion(name, points, f"It says {name} in words.", tuple(draw(_some(EVIDENCE))))
        for name, points in zip(names, (1, -1), strict=True)
    )
    exemplars = tuple(
        Exemplar(" ".join(draw(_some(SENTENCES))), tuple(draw(_some(names, least=0))))
        for _ in range(draw(st.integers(0, 3)))
    )
    return Rubric("q", criteria, "v", model_answer="\n".join(draw(_some(SENTENCES))),
                  exemplars=exemplars)  # fmt: skip


def _some(things, least=1):
    return st.lists(st.sampled_from(things), min_size=least, max_size=3, unique=True)


@given(rubrics(), st.integers(0, 5))
def test_a_wrong_answer_is_never_a_right_one_and_keeps_what_it_does_not_change(rubric, seed):
    made = mutants(rubric, "What is a key?", seed=seed)
    assert made == mutants(rubric, "What is a key?", seed=seed)
    assert len({(m.text, m.criterion) for m in made}) == len(made)
    right = {exemplar.text for exemplar in rubric.exemplars}
    for mutant in made:
        assert mutant.text.strip()
        assert mutant.text not in right
        if mutant.of is not None:
            assert mutant.text != mutant.original
            earns = rubric.exemplars[mutant.of - 1].earns if mutant.of else ("a",)
            assert mutant.criterion in earns
        else:
            assert rubric.criterion(mutant.criterion).points > 0
        if mutant.kind == "dropped":
            whole = [mutant.original[c.start : c.end] for c in clauses(mutant.original)]
            rest = [mutant.text[c.start : c.end] for c in clauses(mutant.text)]
            assert len(rest) < len(whole)
            assert all(any(part in clause for clause in whole) for part in rest)
        elif mutant.kind == "negated":
            old = [t.word for t in tokens(mutant.original)]
            new = [t.word for t in tokens(mutant.text)]
            same = difflib.SequenceMatcher(None, old, new, autojunk=False)
            kept = sum(block.size for block in same.get_matching_blocks())
            assert kept >= len(old) - 2 * len(clauses(mutant.original))
        elif mutant.kind == "keywords":
            criterion = rubric.criterion(mutant.criterion)
            said = {t.word for text in (*criterion.evidence, criterion.says) for t in tokens(text)}
            assert {t.word for t in tokens(mutant.text)} <= said
            assert all(t.content for t in tokens(mutant.text))


@given(st.sampled_from(SENTENCES).flatmap(lambda s: st.sampled_from(clauses(s)).map(
    lambda c: s[c.start : c.end])), st.integers(0, 40))  # fmt: skip
def test_a_denied_clause_has_one_negation_more_or_less(clause, said):
    negators = [sum(t.negates for t in tokens(text)) for text in (clause, denied(clause, said))]
    assert abs(negators[0] - negators[1]) == 1


@pytest.mark.parametrize(
    ("clause", "opposite"),
    [
        ("it is encrypted", "it is not encrypted"),
        ("it isn't encrypted", "it is encrypted"),
        ("It doesn't hide a thing", "It does hide a thing"),
        ("you can't read it", "you can read it"),
        ("it no longer matches", "it still matches"),
        ("nobody changed it", "somebody changed it"),
        ("it carries claims", "it does not carry claims"),
        ("it has three parts", "it does not have three parts"),
        ("You write the test first", "You do not write the test first"),
        ("it should not just test", "it is not true that it should not just test"),
        ("and header.payload.signature", "and it is not true that header.payload.signature"),
        ("works without a key", "works with a key"),
    ],
)
def test_statements_are_denied_as_people_do(clause, opposite):
    assert denied(clause) == opposite


def test_a_term_is_not_denied_and_a_few_words_are_no_list_of_keywords():
    criterion = Criterion("name", 1, "Names it.", ("JSON Web Token",))
    rubric = Rubric("q", (criterion,), "v", exemplars=(Exemplar("A JSON Web Token.", ("name",)),))
    assert mutants(rubric) == ()
    spoken = dataclasses.replace(criterion, evidence=("it is a JSON Web Token",))
    assert [m.text for m in mutants(dataclasses.replace(rubric, criteria=(spoken,)))] == [
        "it is not true that A JSON Web Token."
    ]
