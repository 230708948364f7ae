"""Grader runs as values: several in one kernel are each as if alone, and what came out wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from markbook.graders import AnswerLine, SuggestionLine
from markbook.model import Exemplar, answer_hash
from markbook.notebooks import write_notebook
from markbook.rubrics import dump_rubric, parse_rubric
from markbook.suggest.work import Job, Misjudged, misjudged, run_in_turn, run_job

RUBRIC = parse_rubric(b"""question: keys
criteria:
  - id: secret
    points: 1
    says: It says that the key is secret.
    evidence: [a key is secret]
  - id: copied
    points: -1
    says: It says that a key may be copied.
    evidence: [anybody may copy it]
exemplars:
  - text: A key is secret.
    earns: [secret]
  - text: Copy it for anybody.
    earns: [copied]
""")
FIRST, SECOND = (exemplar.text for exemplar in RUBRIC.exemplars)

PARAMETERS = 'answers = rubric = suggestions = ""\nseed = 0'
OPENS = """from pathlib import Path
from markbook.graders import Grader
assert Path("answers.jsonl").is_file() and seed == 7
grader = Grader.open(answers, rubric, suggestions)
known = {exemplar.text for exemplar in grader.rubric.exemplars}"""
REMEMBERS = """assert "seen_before" not in globals()
seen_before = True"""
DECIDES = """@grader.criterion("secret")
def secret(answer):
    return answer.text in known"""
FAILS_WITHOUT_THE_FIRST = 'assert "A key is secret." in known'


@pytest.fixture
def grader(tmp_path):
    """A function from sources to a grader notebook that runs them and decides the rest."""

    def make(*sources):
        parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
        code = (OPENS, *sources, "grader.meaning()", "grader.finish()")
        notebook = new_notebook(cells=[parameters, *map(new_code_cell, code)])
        write_notebook(notebook, tmp_path / "keys.ipynb")
        return tmp_path / "keys.ipynb"

    return make


def job(path, text, exemplars):
    return Job(
        question="keys",
        grader=path,
        rubric=dump_rubric(replace(RUBRIC, exemplars=exemplars)).encode(),
        prompt="Why?",
        answers=(AnswerLine(answer_hash(text), text),),
        criteria=("secret", "copied"),
        seed=7,
        timeout=60.0,
    )


def test_jobs_in_one_kernel_are_each_judged_as_if_alone(grader):
    path = grader(REMEMBERS, DECIDES)
    one, two = RUBRIC.exemplars
    jobs = [job(path, FIRST, (two,)), job(path, SECOND, (two,)), job(path, SECOND, (one,))]
    found = run_in_turn(jobs)
    assert [each.lines for each in found] == [run_job(each).lines for each in jobs]
    assert [each.reason for each in found] == ["", "", ""]
    awarded = [line.awarded for each in found for line in each.lines if line.criterion == "secret"]
    assert awarded == [False, True, False]


def test_a_job_that_fails_takes_no_other_with_it(grader):
    path = grader(FAILS_WITHOUT_THE_FIRST, DECIDES)
    one, two = RUBRIC.exemplars
    found = run_in_turn([job(path, FIRST, (two,)), job(path, SECOND, (one,))])
    assert "AssertionError" in found[0].reason
    assert found[0].lines == ()
    assert found[1].reason == ""
    assert {line.criterion for line in found[1].lines} == {"secret", "copied"}


def test_an_exemplar_is_right_only_if_it_is_awarded_just_what_it_earns():
    exemplars = [
        Exemplar("right", ("a",)),
        Exemplar("missed", ("a", "b")),
        Exemplar("extra", ()),
        Exemplar("both", ("a",)),
    ]
    awards = {("right", "a"), ("missed", "a"), ("extra", "b"), ("both", "b")}
    lines = [
        SuggestionLine(answer_hash(text), name, (text, name) in awards or None, 0.9)
        for text in ("right", "missed", "extra", "both")
        for name in ("a", "b")
    ]
    assert misjudged(exemplars, ("a", "b"), lines) == (
        Misjudged(2, ("b",), ()),
        Misjudged(3, (), ("b",)),
        Misjudged(4, ("a",), ("b",)),
    )
