"""The sentence model, where it is installed (in CI it has to be); questions written for tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from markbook.graders.learning.features import read
from markbook.graders.learning.prior import Marked, Prior
from markbook.graders.learning.semantic import SentenceModel, open_token_model, semantic_hint
from markbook.graders.learning.texts import QuestionTexts
from markbook.graders.learning.vector_cache import VectorCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SUBJECTS = {
    "cache": ("keeps copies", "answers faster", "may be stale", "needs memory"),
    "index": ("finds rows quickly", "slows inserts", "takes disk space", "is a sorted tree"),
    "router": ("forwards packets", "reads addresses", "joins networks", "keeps a table"),
    "compiler": ("translates source", "reports errors", "unrolls loops", "emits machine code"),
    "stack": ("pushes items", "pops the last", "holds return addresses", "can overflow"),
    "mutex": ("locks a section", "blocks other threads", "prevents races", "may deadlock"),
}
FILLERS = ("I think so.", "As we saw in the lecture.", "", "It is important.", "That is all.")


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors") / "session.sqlite"


@pytest.fixture
def token_model(session_cache: Path) -> SentenceModel:
    """The model that is installed, with a cache of the test run's own."""
    model = open_token_model(cache=VectorCache(session_cache))
    if model is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI has to test the sentence model. {semantic_hint()}")
        pytest.skip(semantic_hint())
    return model


def _write(subject: str, count: int = 24) -> tuple[QuestionTexts, NDArray[np.float64]]:
    drawn = np.random.default_rng(list(subject.encode()))
    facts = SUBJECTS[subject]
    answers, scores = [], []
    for _ in range(count):
        said = [fact for fact in facts if drawn.random() < 0.55]
        body = " ".join(f"A {subject} {fact}." for fact in said)
        answers.append(f"{body} {FILLERS[drawn.integers(len(FILLERS))]}".strip())
        scores.append(len(said) / len(facts))
    reference = f"A {subject} {', '.join(facts[:-1])} and {facts[-1]}."
    texts = QuestionTexts(subject, f"What does a {subject} do?", (reference,), tuple(answers))
    return texts, np.array(scores)


@pytest.fixture(scope="session")
def write_question() -> Callable[..., tuple[QuestionTexts, NDArray[np.float64]]]:
    """Write ``count`` answers on a subject; the mark is the share of its facts that is said."""
    return _write


@pytest.fixture(scope="session")
def marked_questions() -> list[Marked]:
    """All six subjects, read and marked."""
    written = [_write(subject) for subject in SUBJECTS]
    return [Marked(read(texts), scores) for texts, scores in written]


@pytest.fixture(scope="session")
def fitted(marked_questions: list[Marked]) -> Prior:
    """A prior fitted on all subjects but the first."""
    return Prior.fit(marked_questions[1:])
