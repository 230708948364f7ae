"""A small rubric, and a grader made of plain texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from markbook.graders import AnswerLine, AnswerText, Grader, write_answers
from markbook.model import Criterion, Exemplar, Rubric, answer_hash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def rubric() -> Rubric:
    return Rubric(
        question="q",
        version="0123456789ab",
        asked_as=("What is the signature portion of the JWT, and what does it do?",),
        criteria=(
            Criterion(
                "detects-changes",
                2,
                "A receiver can tell that header or payload were changed.",
                (
                    "proves nobody tampered with the token",
                    "verifies that the payload was not modified",
                    "guarantees the integrity of the data",
                    "the server rejects an edited token",
                ),
            ),
            Criterion(
                "thinks-it-encrypts",
                -1,
                "Takes the signature for encryption.",
                (
                    "it hides the payload",
                    "it encrypts the payload",
                    "makes the data unreadable for attackers",
                    "keeps the information secret",
                ),
            ),
        ),
        exemplars=(
            Exemplar("It makes sure that nobody changed the token.", ("detects-changes",)),
            Exemplar("It hides what is inside from hackers.", ("thinks-it-encrypts",)),
            Exemplar("It is the name of the user at the bottom.", ()),
        ),
    )


@pytest.fixture
def make_grader(rubric: Rubric, tmp_path: Path) -> Callable[..., Grader]:
    def make(*texts: str, rubric: Rubric = rubric) -> Grader:
        answers = [AnswerText(answer_hash(text), text) for text in dict.fromkeys(texts)]
        return Grader(answers, rubric, output=tmp_path / "suggestions.jsonl")

    return make


@pytest.fixture
def run_cells(tmp_path: Path) -> Callable[[Path, Path, list[str]], Grader]:
    """Run a grader notebook's code cells in this process: fast, without a kernel."""

    def run(notebook: Path, rubric: Path, texts: list[str]) -> Grader:
        lines = [AnswerLine(answer_hash(text), text) for text in dict.fromkeys(texts)]
        write_answers(tmp_path / "answers.jsonl", lines)
        namespace: dict[str, Any] = {}
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            exec(compile("".join(cell["source"]), str(notebook), "exec"), namespace)
            if "parameters" in cell["metadata"].get("tags", []):
                namespace |= {
                    "answers": str(tmp_path / "answers.jsonl"),
                    "rubric": str(rubric),
                    "suggestions": str(tmp_path / "suggestions.jsonl"),
                }
        grader = namespace["grader"]
        assert isinstance(grader, Grader)
        return grader

    return run
