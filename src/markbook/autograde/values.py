"""What goes into grading one submission and what comes out: values that cross processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.model import (
        Answer,
        CellComment,
        CellGrade,
        MasterNotebook,
        Outcome,
        Question,
    )

__all__ = ["Isolation", "Master", "Result", "Settings", "Submission", "Tests"]

Isolation = Literal["auto", "bwrap", "none"]
Tests = Literal["verify", "flag", "as-nbgrader"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How submissions are run; the defaults are nbgrader's where nbgrader has one.

    ``isolation`` locks up students' code (``auto``, ``bwrap``) or not (``none``); then ``memory``
    is of all processes together, and ``cpu_seconds``, ``processes``, ``disk`` (bytes) and
    ``files`` bound them, too, as ``kernels.sandbox.bounds`` says. Such code may read what is in
    the ``readable`` folders. ``tests`` says what becomes of a score that a clean process does not
    bear out: a person decides, it stays with a finding, or nothing is examined.

    Times in seconds, sizes in bytes; None is no limit. ``cell_seconds`` is for each cell,
    ``total_seconds`` for a submission's kernel. ``preload`` are modules that kernels have
    imported already. ``run_all`` runs code cells also where none carries points or an answer.
    """

    cell_seconds: float | None = 30.0
    total_seconds: float | None = 600.0
    memory: int | None = 4 * 1024**3
    output: int = 10_000_000
    output_lines: int = 1000
    traceback_lines: int = 100
    ignore_stderr: str = ""
    preload: tuple[str, ...] = ()
    run_all: bool = False
    isolation: Isolation = "auto"
    readable: tuple[str, ...] = ()
    messages: int = 50_000
    cpu_seconds: float | None = 600.0
    processes: int = 256
    disk: int = 1024**3
    files: int = 100_000
    tests: Tests = "verify"

    @property
    def examines(self) -> bool:
        """Whether tests run in a clean process, too."""
        return self.tests != "as-nbgrader"


@dataclass(frozen=True, slots=True)
class Master:
    """All that an assignment's submissions are graded against. Travels to workers once.

    ``released`` holds the released notebooks' bytes by name (without ending), ``helpers`` the
    source folder's other files by relative path: they are laid over a student's own. ``sources``
    holds the notebooks with model answers, by name: they tell which tests can be examined.
    """

    assignment: str
    notebooks: tuple[MasterNotebook, ...]
    questions: tuple[Question, ...]
    released: Mapping[str, bytes]
    helpers: Mapping[str, bytes]
    settings: Settings = field(default_factory=Settings)
    sources: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submission:
    """What a student handed in: every file's bytes, by path relative to the submission."""

    student: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Result:
    """How grading one submission ended.

    A FAILED one has one finding that says why, and nothing else. ``notebooks`` are the
    autograded notebooks' bytes by name; ``findings`` are sentences for a person, ``repairs`` (a
    part of the findings) what was put right, ``unverified`` tests, as notebook:cell, whose scores
    only the student's kernel bears out. ``timestamp`` is UTC in ISO 8601 without a zone, as
    nbgrader stores it, or None. ``seconds`` tells where the time went ("parse", "run", ...).
    """

    student: str
    outcome: Outcome
    findings: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    grades: tuple[CellGrade, ...] = ()
    comments: tuple[CellComment, ...] = ()
    notebooks: Mapping[str, bytes] = field(default_factory=dict)
    timestamp: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
