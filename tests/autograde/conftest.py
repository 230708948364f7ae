"""The tiny course as fixtures."""

from __future__ import annotations

import pytest


@pytest.fixture
def authored(tiny, tmp_path):
    return tiny.copy_of("authored", tmp_path / "course")


@pytest.fixture
def released(tiny, tmp_path):
    return tiny.copy_of("released", tmp_path / "course")


@pytest.fixture
def course(tiny, tmp_path):
    """A course of three students, autograded."""
    return tiny.copy_of("autograded", tmp_path / "course")
