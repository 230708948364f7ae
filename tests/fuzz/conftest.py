"""The tiny course's words, without its code: what a fuzzer grades needs no kernel."""

from __future__ import annotations

import pytest

from markbook.autograde.master import read_master
from markbook.gradebook import Gradebook


@pytest.fixture(scope="session")
def words(tiny, tmp_path_factory):
    """The master of the tiny course's questions in words."""
    course = tiny.copy_of("released", tmp_path_factory.mktemp("fuzz") / "course")
    with Gradebook.open(course) as gb:
        return tiny.in_words(read_master(course, gb, "hw"))
