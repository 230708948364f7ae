"""Which answers say the same: joined where nothing speaks against it, apart where anything does."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.text.groups import find_clusters
from markbook.text.words import normalise


def joined(*texts):
    """Whether all texts are in one cluster."""
    found = find_clusters({str(n): text for n, text in enumerate(texts)})
    return len(found) == 1 and len(found[0].members) == len(texts)


def apart(*texts):
    """Whether no two texts are in one cluster."""
    return find_clusters({str(n): text for n, text in enumerate(texts)}) == ()


LONG = (
    "A token is signed with a secret key so that whoever receives it can check that the header and"
    " the payload were written by somebody who knows the key and stayed as they were"
)

JOINED = [
    ("It is signed.", "it is  SIGNED"),
    ("It's signed", "It is **signed**!"),
    ("The token is signed", "A token is signed"),
    ("- Tokens are signed", "token is signed".replace("token is", "Tokens are")),
    (LONG, LONG.replace("written by", "really written by").replace("stayed", "they stayed")),
    (LONG, LONG.upper()),
    ("It ends.Next it starts", "It ends. Next it starts"),
]

APART = [
    ("It is signed", "It is not signed"),
    ("It isn't signed", "It is signed"),
    ("signed, not encrypted", "encrypted, not signed"),
    ("It returns 200", "It returns 201"),
    ("It is -1", "It is 1"),
    ("about 3.5 seconds", "about 35 seconds"),
    ("about 3.5 seconds", "about 3 5 seconds"),
    ("two parts", "three parts"),
    ("x == 5", "x = 5"),
    ("a < b", "a > b"),
    ("use `foo_bar`", "use `foo_baz`"),
    ("use foo.bar here", "use foo bar here"),
    ("a symmetric key", "an asymmetric key"),
    ("servers are stateless", "servers are stateful"),
    ("It tests before writing code", "It tests after writing code"),
    ("the server calls the client", "the client calls the server"),
    ("encode it", "decode it"),
    ("one short answer here", "one short wrong answer here"),
    (LONG, LONG.replace("can check", "cannot check")),
    (LONG, LONG.replace("a secret", "2 secret")),
    (LONG, LONG.replace("so that", "without that")),
    (LONG, LONG.replace("payload", "`payload.exp`")),
    ("...", "\N{SLIGHTLY SMILING FACE}"),
]


@pytest.mark.parametrize("texts", JOINED)
def test_what_says_the_same_is_joined(texts):
    assert joined(*texts)


@pytest.mark.parametrize("texts", APART)
def test_what_differs_in_what_matters_stays_apart(texts):
    assert apart(*texts)


def test_a_slip_of_the_key_is_seen_through_where_the_class_leaves_no_doubt():
    right = ["It proves integrity", "the integrity of it", "integrity is kept"]
    texts = dict(enumerate([*right, "It proves intergity"]))
    assert [sorted(c.members) for c in find_clusters({str(k): v for k, v in texts.items()})] == [
        ["0", "3"]
    ]
    assert apart("It proves integrity", "It proves intergity")


def test_the_leader_is_the_most_frequent_wording_and_outliers_are_the_least_alike():
    texts = {"a": LONG, "b": LONG, "c": LONG.replace("header", "heading"), "d": f"{LONG} too"}
    (cluster,) = find_clusters(texts)
    assert cluster.leader == "a"
    assert cluster.members[:2] == ("a", "b")
    assert set(cluster.outliers) == {"c", "d"}
    assert cluster.likeness["b"] == 1
    assert all(0.9 < cluster.likeness[name] < 1 for name in "cd")
    assert cluster.likeness[cluster.outliers[0]] <= cluster.likeness[cluster.outliers[1]]


# Written independently of the guards: what a careful reader would call a number, a negation, code.
NOT = re.compile(r"\b(?:not|no|never|without|cannot)\b|n't\b", re.IGNORECASE)
DIGITS = re.compile(r"\d+")
TOKENS = ["foo_bar", "x==5", "a.b()", "==", "!=", "f(x)", "<div>", "$HOME"]

WORDS = st.sampled_from("the token server is signed checked by a secret key and read often".split())
PIECES = st.one_of(
    WORDS,
    st.sampled_from(["not", "no", "never", "isn't", "1", "2", "200", "3.5", *TOKENS]),
)
TEXTS = st.lists(PIECES, min_size=1, max_size=30).map(" ".join)


@st.composite
def near(draw):
    """A text and some that differ from it by a few words."""
    base = draw(st.lists(PIECES, min_size=1, max_size=30))
    found = [" ".join(base)]
    for _ in range(draw(st.integers(1, 5))):
        other = list(base)
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.integers(0, len(other)))
            if draw(st.booleans()):
                other.insert(place, draw(PIECES))
            elif other:
                other.pop(place % len(other))
        found.append(" ".join(other))
    return found


def code(text):
    return [piece for piece in text.split() if piece in TOKENS]


@given(near())
def test_no_two_answers_that_differ_in_a_number_a_negation_or_code_are_ever_joined(texts):
    named = {str(n): text for n, text in enumerate(texts)}
    for cluster in find_clusters(named):
        members = [named[name] for name in cluster.members]
        for sign in (DIGITS.findall, NOT.findall, code):
            assert len({tuple(sign(member)) for member in members}) == 1, members


@given(
    st.lists(st.text(alphabet="abc XYZé'\n", max_size=30), max_size=8),
    st.randoms(use_true_random=False),
)
def test_what_is_the_same_after_normalising_is_always_joined(texts, shuffle):
    def worn(text):
        changed = "".join(shuffle.choice((c.upper(), c.lower())) for c in text)
        return (
            shuffle.choice(("", " ", "**", "- ")) + changed + shuffle.choice(("", ".", "!", "\n"))
        )

    named = {
        f"{n}{side}": t
        for n, text in enumerate(texts)
        for side, t in (("a", text), ("b", worn(text)))
    }
    home = {name: c.id for c in find_clusters(named) for name in c.members}
    for one in named:
        for other in named:
            same = normalise(named[one]) == normalise(named[other]) != ""
            if same and one != other:
                assert home[one] == home[other]


@given(st.lists(TEXTS, max_size=10), st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order_and_share_no_member(texts, shuffle):
    named = {str(n): text for n, text in enumerate(texts)}
    mixed = list(named.items())
    shuffle.shuffle(mixed)
    found = find_clusters(named)
    assert find_clusters(dict(mixed)) == found
    members = [name for cluster in found for name in cluster.members]
    assert len(members) == len(set(members))
    assert all(len(cluster.members) > 1 for cluster in found)
    sizes = [len(cluster.members) for cluster in found]
    assert sizes == sorted(sizes, reverse=True)
    assert len({cluster.id for cluster in found}) == len(found)


def test_nearly_the_same_is_found_among_many_others():
    words = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(300)]
    rng = random.Random(4)
    texts = {f"t{n:03}": " ".join(rng.sample(words, 40)) for n in range(400)}
    for n in range(0, 400, 2):
        changed = texts[f"t{n:03}"].split()
        changed[rng.randrange(40)] = rng.choice(words)
        texts[f"u{n:03}"] = " ".join(changed)
    found = {frozenset(cluster.members) for cluster in find_clusters(texts)}
    assert found == {frozenset((f"t{n:03}", f"u{n:03}")) for n in range(0, 400, 2)}
