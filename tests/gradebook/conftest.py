"""The tiny course as fixtures."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest


def _load(file="tiny_course.py"):
    # One module for all folders, so that nbgrader makes the course once a session.
    name = f"markbook_{file.removesuffix('.py')}"
    if name not in sys.modules:
        path = Path(__file__).parent.parent / file
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def tiny():
    """The module tests/tiny_course.py."""
    return _load()


@pytest.fixture(scope="session")
def load():
    """Load a module of tests/ by its file name."""
    return _load


@pytest.fixture
def authored(tiny, tmp_path):
    return tiny.copy_of("authored", tmp_path / "course")


@pytest.fixture
def released(tiny, tmp_path):
    return tiny.copy_of("released", tmp_path / "course")


@pytest.fixture(params=["sqlite", "postgresql"])
def course(request, tiny, tmp_path):
    """A course of three students, autograded; its gradebook on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return tiny.copy_of("autograded", tmp_path / "course")
    postgres = _load("postgres.py")
    if postgres.programs() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(postgres.HOW)
        pytest.skip(postgres.HOW)
    return tiny.copy_on_postgresql(tmp_path / "course")
