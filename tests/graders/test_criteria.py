"""Each criterion's probability from all clues."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from markbook.graders.criteria import MEANING, WORDS, bounds, decide, head, to_json
from markbook.graders.meaning import Meaning
from markbook.graders.sense import Sense

if TYPE_CHECKING:
    from markbook.graders.meaning import Judgement
    from markbook.model import Rubric

GOOD = "It proves nobody tampered with the token."
VAGUE = "It is something at the end that the server has to look at, as far as I remember."


def judge(rubric: Rubric, *texts: str, name: str = "detects-changes") -> list[Judgement]:
    meaning = Meaning.of(rubric, texts)
    return [meaning.judge(text, [name])[name] for text in texts]


def felt(best: float, *, turned: bool = False) -> Sense:
    one = np.array([best])
    zero = np.zeros(1, dtype=np.int64)
    return Sense(one, one - 0.1, one, one * 0, zero, zero + 11, np.array([turned]))


@pytest.mark.parametrize("meaning", [False, True])
def test_weights_ship_for_every_clue_and_point_the_way_they_should(meaning: bool) -> None:
    shipped = head(meaning=meaning)
    assert shipped.names == (MEANING if meaning else WORDS)
    assert shipped.weights[shipped.names.index("score")] > 0
    assert shipped.weights[shipped.names.index("misconception")] < 0
    assert '"score"' in to_json({"words": shipped})


def test_a_match_is_likelier_than_none(rubric: Rubric) -> None:
    criterion = rubric.criteria[0]
    good, vague = decide(criterion, judge(rubric, GOOD, VAGUE), None)
    assert good.probability is not None
    assert vague.probability is not None
    assert good.probability > 0.7 > vague.probability


def test_what_a_sentence_model_finds_counts_and_is_quoted(rubric: Rubric) -> None:
    criterion = rubric.criteria[0]
    near, far = (
        decide(criterion, judge(rubric, VAGUE), felt(likeness))[0] for likeness in (0.9, 0.1)
    )
    assert near.probability is not None
    assert far.probability is not None
    assert near.probability > far.probability + 0.2
    assert (near.start, near.end) == (0, 11)
    assert far.start is None


@pytest.mark.parametrize(
    "text",
    [
        "It does not prove that nobody tampered with the token, and it is at the end.",
        "It guarantees the integrity of the data. It does not guarantee the integrity of the data.",
    ],
)
def test_what_is_denied_is_never_awarded_with_confidence(rubric: Rubric, text: str) -> None:
    (found,) = decide(rubric.criteria[0], judge(rubric, text), felt(0.95))
    assert found.probability is not None
    assert found.probability <= 0.6


def test_a_rival_or_a_list_bounds_what_other_clues_say(rubric: Rubric) -> None:
    words = "integrity, payload, tampered, token, verifies, modified, guarantees, rejects"
    (judgement,) = judge(rubric, words)
    assert judgement.clues is not None
    assert bounds(judgement.clues, 1.0)[1] <= 0.6


def test_what_cannot_be_read_stays_undecided(rubric: Rubric) -> None:
    (found,) = decide(rubric.criteria[0], judge(rubric, ""), felt(0.9))
    assert found.probability is None


def test_a_rubric_without_evidence_is_decided_by_its_own_wording_without_confidence(
    rubric: Rubric,
) -> None:
    bare = dataclasses.replace(rubric.criteria[0], evidence=())
    made = dataclasses.replace(rubric, criteria=(bare,), exemplars=())
    for text in ("A receiver can tell that header or payload were changed.", "bananas"):
        (found,) = decide(bare, judge(made, text), None)
        assert found.probability is not None
        assert 0.1 < found.probability < 0.9
