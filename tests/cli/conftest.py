"""The tiny course as fixtures."""

from __future__ import annotations

import pytest


@pytest.fixture
def released(tiny, tmp_path):
    return tiny.copy_of("released", tmp_path / "course")
