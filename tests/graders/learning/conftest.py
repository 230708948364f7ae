"""The sentence model, where it is installed; in CI it has to be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from markbook.graders.learning.semantic import SentenceModel, open_token_model, semantic_hint
from markbook.graders.learning.vector_cache import VectorCache

if TYPE_CHECKING:
    from pathlib import Path


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
