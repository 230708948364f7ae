"""The small environments of kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.kernels.manager import grader_environment, plain_environment

if TYPE_CHECKING:
    import pytest


def test_a_grader_is_told_of_cache_and_model_and_a_submission_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = {"MARKBOOK_CACHE": "/elsewhere", "MARKBOOK_SENTENCE_MODEL": "none"}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MARKBOOK_SUGGESTER_KEY", "secret")
    assert ours.items() <= grader_environment().items()
    assert not ours.keys() & plain_environment().keys()
    assert "secret" not in {*grader_environment().values(), *plain_environment().values()}
    monkeypatch.delenv("MARKBOOK_CACHE")
    assert "MARKBOOK_CACHE" not in grader_environment()
