"""The graders of this course, run on the exemplars of its rubrics."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from markbook.graders.meaning import Meaning
from markbook.model import answer_hash
from markbook.rubrics import load_rubric, save_rubric

if TYPE_CHECKING:
    from collections.abc import Callable

    from markbook.graders import Grader

    Run = Callable[[Path, Path, list[str]], Grader]

GRADERS = Path(__file__).resolve().parents[2] / "graders"
RUBRICS = sorted(GRADERS.glob("*/*.yaml"))
NOTEBOOKS = sorted(GRADERS.rglob("*.ipynb"))
OWN = [path for path in NOTEBOOKS if path.name != "default.ipynb"]
CONFIDENT = 0.9


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", RUBRICS, ids=name)
def test_exemplars_are_not_confidently_refused_what_they_earn_nor_awarded_more(
    path: Path, run_cells: Run
) -> None:
    rubric = load_rubric(path)
    if rubric.policy == "manual":
        pytest.skip("left to people")
    own = path.with_suffix(".ipynb")
    notebook = own if own.is_file() else GRADERS / "default.ipynb"
    grader = run_cells(notebook, path, [exemplar.text for exemplar in rubric.exemplars])
    found = {(line.key, line.criterion): line for line in grader.suggestions}
    wrong = []
    for exemplar in rubric.exemplars:
        for criterion in rubric.criteria:
            line = found[answer_hash(exemplar.text), criterion.id]
            earns = criterion.id in exemplar.earns
            if line.confidence >= CONFIDENT and line.awarded is not earns:
                wrong.append((exemplar.text, criterion.id, line))
    assert not wrong


@pytest.mark.parametrize("path", OWN, ids=name)
def test_own_graders_hold_without_ever_having_seen_the_exemplars(
    path: Path, run_cells: Run, tmp_path: Path
) -> None:
    rubric = load_rubric(path.with_suffix(".yaml"))
    bare = tmp_path / f"{path.stem}.yaml"
    save_rubric(bare, dataclasses.replace(rubric, exemplars=()))
    grader = run_cells(path, bare, [exemplar.text for exemplar in rubric.exemplars])
    found = {(line.key, line.criterion): line for line in grader.suggestions}
    for exemplar in rubric.exemplars:
        for criterion in rubric.criteria:
            line = found[answer_hash(exemplar.text), criterion.id]
            if line.confidence >= CONFIDENT:
                assert line.awarded is (criterion.id in exemplar.earns), (exemplar.text, line)


def test_confident_judgements_of_exemplars_left_out_are_right_nine_times_in_ten() -> None:
    right = wrong = 0
    for path in RUBRICS:
        rubric = load_rubric(path)
        if rubric.policy == "manual":
            continue
        names = [criterion.id for criterion in rubric.criteria]
        for number, exemplar in enumerate(rubric.exemplars):
            others = (*rubric.exemplars[:number], *rubric.exemplars[number + 1 :])
            meaning = Meaning.of(dataclasses.replace(rubric, exemplars=others))
            for criterion, judged in meaning.judge(exemplar.text, names).items():
                p = judged.probability
                if p is None or 1 - CONFIDENT < p < CONFIDENT:
                    continue
                if (p >= CONFIDENT) is (criterion in exemplar.earns):
                    right += 1
                else:
                    wrong += 1
    assert right >= 60, "it hardly dares to say anything"
    assert right >= 9 * wrong


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_grader_notebooks_are_kept_without_outputs_and_take_parameters(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    (parameters,) = (cell for cell in code if "parameters" in cell["metadata"].get("tags", []))
    for parameter in ("answers", "rubric", "suggestions", "seed"):
        assert f"{parameter} = " in "".join(parameters["source"])


def test_at_least_three_questions_have_a_grader_of_their_own() -> None:
    assert len(OWN) >= 3
    for path in OWN:
        assert path.with_suffix(".yaml").is_file(), f"{path.name} belongs to no question"
        assert "@grader.criterion(" in path.read_text(encoding="utf-8")
