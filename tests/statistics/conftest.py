"""The tiny course as fixtures."""

from __future__ import annotations

import pytest


@pytest.fixture
def course(tiny, tmp_path):
    """A course of three students, autograded."""
    return tiny.copy_of("autograded", tmp_path / "course")
