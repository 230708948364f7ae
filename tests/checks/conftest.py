"""A clean little assignment that tests may break, one thing at a time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from markbook.course import Course

CLEAN = Path(__file__).resolve().parent.parent / "broken_courses" / "_clean"


@pytest.fixture
def clean(tmp_path):
    """A copy of the clean course, released."""
    shutil.copytree(CLEAN, tmp_path / "course")
    return Course.open(tmp_path / "course")


@pytest.fixture
def edit():
    """A function that changes a notebook's JSON in place."""

    def change(path, changing):
        document = json.loads(path.read_text())
        changing(document)
        path.write_text(json.dumps(document, indent=1) + "\n")

    return change
