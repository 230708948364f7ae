"""The course that this repository carries: what is asked, its rubrics, its tests of code."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from markbook.model import Question, QuestionKind, Rubric, counted, score
from markbook.notebooks import (
    NBGRADERS,
    answer_cells,
    graded_cells,
    nbgrader_metadata,
    read_notebook,
    read_questions,
)
from markbook.rubrics import load_rubrics

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]

# The ids are part of the contract with papers, rubrics and gradebooks that exist already.
FIXED = {
    "web-apis-and-testing": [
        "jwt-definition",
        "jwt-signature",
        "jwt-intercepted-payload",
        "jwt-authentication-flow",
        "test-levels",
        "mocks",
        "continuous-integration",
        "environment-variables",
        "tdd",
        "jsonschema-validation",
        "choosing-what-to-test",
        "sql-returning",
        "websockets-vs-http",
        "flask-vs-express",
    ],
    "django-auth-and-servers": [
        "jwt-purpose-and-encoding",
        "drf-jwt-components",
        "runserver-in-production",
        "why-auth-and-servers-matter",
        "funny-story-bonus",
    ],
}
QUESTIONS = [(assignment, question) for assignment in FIXED for question in FIXED[assignment]]
MANUAL = {"flask-vs-express", "why-auth-and-servers-matter", "funny-story-bonus"}
EXERCISES = {
    "jwt-sign-and-verify",
    "jwt-read-payload",
    "mock-a-call",
    "validate-a-document",
    "sql-returning-in-sqlite",
}
CODE_ASSIGNMENT = "web-apis-and-testing"


@cache
def notebook(assignment: str) -> NotebookNode:
    return read_notebook(ROOT / "source" / assignment / "conceptual.ipynb")


@cache
def text_questions(assignment: str) -> dict[str, Question]:
    questions = read_questions(ROOT / "source" / assignment, assignment)
    return {q.id: q for q in questions if q.kind is QuestionKind.TEXT}


@cache
def rubrics(assignment: str) -> dict[str, Rubric]:
    return load_rubrics(ROOT / "graders" / assignment)


def cell(assignment: str, grade_id: str) -> NotebookNode:
    found = [
        cell
        for cell in notebook(assignment).cells
        if nbgrader_metadata(cell).get("grade_id") == grade_id
    ]
    assert len(found) == 1, f"{grade_id}: {len(found)} cells"
    return found[0]


# ---- the notebooks as authored


@pytest.mark.parametrize("assignment", FIXED)
def test_an_assignment_is_one_notebook_that_asks_the_fixed_questions_in_their_order(
    assignment: str,
) -> None:
    files = sorted(path.name for path in (ROOT / "source" / assignment).iterdir())
    assert [name for name in files if not name.startswith(".")] == ["conceptual.ipynb"]
    assert list(text_questions(assignment)) == FIXED[assignment]


@pytest.mark.parametrize("assignment", FIXED)
def test_a_notebook_opens_with_a_locked_introduction(assignment: str) -> None:
    first = notebook(assignment).cells[0]
    assert first.cell_type == "markdown"
    metadata = nbgrader_metadata(first)
    assert metadata["grade_id"] == "introduction"
    assert metadata["locked"]
    assert not metadata["solution"]


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_a_text_question_has_a_locked_prompt_right_above_its_answer(
    assignment: str, question: str
) -> None:
    cells = notebook(assignment).cells
    prompt, answer = cell(assignment, f"{question}-prompt"), cell(assignment, question)
    assert cells.index(answer) == cells.index(prompt) + 1
    metadata = nbgrader_metadata(prompt)
    assert metadata["locked"]
    assert not metadata["grade"]
    assert not metadata["solution"]
    assert prompt.source.startswith("## ")
    assert "point" in prompt.source


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_a_text_answer_is_graded_by_hand_with_points_and_a_model_answer(
    assignment: str, question: str
) -> None:
    answer = cell(assignment, question)
    metadata = nbgrader_metadata(answer)
    assert answer.cell_type == "markdown"
    assert metadata["grade"]
    assert metadata["solution"]
    assert not metadata["locked"]
    lines = answer.source.splitlines()
    assert lines[0] == "### BEGIN SOLUTION"
    assert lines[-1] == "### END SOLUTION"
    if question == "funny-story-bonus":
        assert metadata["points"] == 0
    else:
        assert 1 <= metadata["points"] <= 4


@pytest.mark.parametrize("assignment", FIXED)
def test_cells_are_stored_without_results_and_named_by_their_ids(assignment: str) -> None:
    for stored in notebook(assignment).cells:
        metadata = nbgrader_metadata(stored)
        assert stored.id == metadata["grade_id"]
        assert metadata["schema_version"] == 3
        if stored.cell_type == "code":
            assert stored.outputs == []
            assert stored.execution_count is None


def test_each_exercise_has_tests_to_see_and_tests_that_stay_in_the_course() -> None:
    graded = graded_cells(notebook(CODE_ASSIGNMENT))
    assert {name for name, found in graded.items() if found.cell_type == "code"} == {
        f"{exercise}-{kind}" for exercise in EXERCISES for kind in ("tests", "hidden-tests")
    }
    for exercise in EXERCISES:
        assert "HIDDEN TESTS" not in graded[f"{exercise}-tests"].source
        hidden = graded[f"{exercise}-hidden-tests"].source.splitlines()
        assert hidden[1] == "### BEGIN HIDDEN TESTS"
        assert hidden[-1] == "### END HIDDEN TESTS"
        answer = answer_cells(notebook(CODE_ASSIGNMENT))[exercise]
        assert not nbgrader_metadata(answer)["grade"]


# ---- the tests of the exercises: what a wrong program does


WRONG = [
    ("jwt-sign-and-verify", "return hmac.compare_digest(", "return True or hmac.compare_digest("),
    ("jwt-sign-and-verify", "text.encode(), hashlib", "b'', hashlib"),
    ("jwt-sign-and-verify", '.rstrip(b"=")', ""),
    ("jwt-sign-and-verify", "hashlib.sha256", "hashlib.sha512"),
    ("jwt-sign-and-verify", 'if token.count(".") != 2:', "if False:"),
    ("jwt-read-payload", ' + "=" * (-len(parts[1]) % 4)', ""),
    ("jwt-read-payload", "urlsafe_b64decode", "b64decode"),
    ("jwt-read-payload", "if len(parts) != 3:", "if len(parts) < 2:"),
    ("mock-a-call", "return roll()", "return first + second"),
    ("mock-a-call", "side_effect=[first, second]", "return_value=first"),
    (
        "mock-a-call",
        'with mock.patch("random.randint", side_effect=[first, second]):',
        "random.randint = mock.Mock(side_effect=[first, second])\n    if True:",
    ),
    ("mock-a-call", "return forecast(city), ", "forecast(city)\n        return text, "),
    ("validate-a-document", "and isinstance(value, bool)", "and False"),
    ("validate-a-document", "return sorted(found)", "return found"),
    ("validate-a-document", 'elif rule["type"] == "object"', "elif False"),
    ("validate-a-document", "isinstance(value, TYPES", "True or isinstance(value, TYPES"),
    ("sql-returning-in-sqlite", "VALUES (?) RETURNING", "VALUES ('Emma') RETURNING"),
    ("sql-returning-in-sqlite", "return sorted(title for (title,) in rows)", "return rows"),
    (
        "sql-returning-in-sqlite",
        'rows = db.execute("DELETE FROM book WHERE finished = 1 RETURNING title").fetchall()',
        (
            'rows = db.execute("SELECT title FROM book WHERE finished = 1").fetchall()\n'
            '    db.execute("DELETE FROM book WHERE finished = 1")'
        ),
    ),
]


def run_exercise(exercise: str, old: str = "", new: str = "") -> None:
    """Run an exercise's model program, with ``old`` replaced by ``new``, and all its tests."""
    program = cell(CODE_ASSIGNMENT, exercise).source
    assert old in program, f"the model program of {exercise} no longer contains {old!r}"
    namespace: dict[str, object] = {"__name__": "exercise"}
    for source in (
        program.replace(old, new) if old else program,
        cell(CODE_ASSIGNMENT, f"{exercise}-tests").source,
        cell(CODE_ASSIGNMENT, f"{exercise}-hidden-tests").source,
    ):
        exec(compile(source, exercise, "exec"), namespace)


@pytest.mark.parametrize("exercise", sorted(EXERCISES))
def test_the_model_program_passes_its_own_tests(exercise: str) -> None:
    run_exercise(exercise)


@pytest.mark.parametrize(("exercise", "old", "new"), WRONG)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a failing test leaves its database open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_usual_wrong_program_fails_a_test(
    exercise: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "randint", random.randint)  # one of them does not put it back
    # Whatever a wrong program does; a failing pytest.raises is no Exception.
    with pytest.raises((Exception, pytest.fail.Exception)):
        run_exercise(exercise, old, new)


# ---- through the real nbgrader


def nbgrader(course: Path, *arguments: str) -> None:
    """Run an nbgrader command in ``course``, away from the developer's own Jupyter."""
    home = course.parent / "home"
    home.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        # nbgrader calls `alembic` by name.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with both releases built, and two submissions of the first one autograded.

    "solved" handed in the authored notebook, "untouched" the release as it is.
    """
    course = tmp_path_factory.mktemp("graded") / "course"
    course.mkdir()
    shutil.copytree(ROOT / "source", course / "source")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for assignment in FIXED:
        nbgrader(course, "generate_assignment", assignment, "--create")
    submitted = course / "submitted"
    shutil.copytree(course / "source" / CODE_ASSIGNMENT, submitted / "solved" / CODE_ASSIGNMENT)
    shutil.copytree(course / "release" / CODE_ASSIGNMENT, submitted / "untouched" / CODE_ASSIGNMENT)
    nbgrader(course, "autograde", CODE_ASSIGNMENT, "--create")
    nbgrader(course, "export")
    return course


def test_the_solution_earns_every_point_of_code_and_the_release_none(graded_course: Path) -> None:
    with (graded_course / "grades.csv").open(newline="") as file:
        scores = {
            row["student_id"]: float(row["raw_score"])
            for row in csv.DictReader(file)
            if row["assignment"] == CODE_ASSIGNMENT
        }
    assert scores == {"solved": 2.0 * len(EXERCISES), "untouched": 0.0}


def test_every_test_cell_fails_on_the_untouched_release(graded_course: Path) -> None:
    path = graded_course / "autograded" / "untouched" / CODE_ASSIGNMENT / "conceptual.ipynb"
    tests = [c for c in graded_cells(read_notebook(path)).values() if c.cell_type == "code"]
    assert len(tests) == 2 * len(EXERCISES)
    for test in tests:
        kinds = [(output.output_type, output.get("ename")) for output in test.outputs]
        assert kinds == [("error", "NotImplementedError")], nbgrader_metadata(test)["grade_id"]


def test_a_solved_test_cell_prints_nothing_that_could_be_read_as_a_score(
    graded_course: Path,
) -> None:
    path = graded_course / "autograded" / "solved" / CODE_ASSIGNMENT / "conceptual.ipynb"
    for name, found in graded_cells(read_notebook(path)).items():
        if found.cell_type == "code":
            assert found.outputs == [], name


def lines_of(assignment: str, *, secret: bool) -> list[str]:
    """Return the authored lines inside (or outside) the marks of solutions and hidden tests."""
    found = []
    for stored in notebook(assignment).cells:
        inside = False
        for line in stored.source.splitlines():
            if line.strip().startswith(("### BEGIN", "### END")):
                inside = "### BEGIN" in line
            elif inside == secret:
                found.append(line)
    return found


@pytest.mark.parametrize("assignment", FIXED)
def test_a_release_gives_away_neither_model_answers_nor_hidden_tests(
    graded_course: Path, assignment: str
) -> None:
    release = read_notebook(graded_course / "release" / assignment / "conceptual.ipynb")
    shown = {line for released in release.cells for line in released.source.splitlines()}
    public = set(lines_of(assignment, secret=False))
    # Some lines stand in both, such as the table that visible and hidden tests create.
    secrets = set(lines_of(assignment, secret=True)) - public
    assert len(secrets) > 20
    assert shown & secrets == set()
    assert public <= shown
    text = "\n".join(shown)
    assert not any(mark in text for mark in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS"))


@pytest.mark.parametrize("assignment", FIXED)
def test_a_student_finds_the_stub_in_every_text_answer(
    graded_course: Path, assignment: str
) -> None:
    release = read_notebook(graded_course / "release" / assignment / "conceptual.ipynb")
    answers = answer_cells(release)
    for question in FIXED[assignment]:
        assert answers[question].source == "YOUR ANSWER HERE"


# ---- rubrics


@pytest.mark.parametrize("assignment", FIXED)
def test_every_text_question_has_a_rubric_and_every_rubric_a_question(assignment: str) -> None:
    assert set(rubrics(assignment)) == set(FIXED[assignment])


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_the_best_answer_earns_exactly_the_points_of_its_cell(
    assignment: str, question: str
) -> None:
    rubric = rubrics(assignment)[question]
    cap = rubric.cap(text_questions(assignment)[question].points)
    assert cap > 0
    positive = [c.id for c in rubric.criteria if c.points > 0]
    best = (cap if rubric.start == "full" else 0) + sum(c.points for c in counted(rubric, positive))
    assert best == cap


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_exemplars_tell_good_from_partial_from_wrong(assignment: str, question: str) -> None:
    rubric = rubrics(assignment)[question]
    points = text_questions(assignment)[question].points
    cap = rubric.cap(points)
    scores = [score(rubric, exemplar.earns, points=points) for exemplar in rubric.exemplars]
    assert scores[0] == cap
    assert min(scores) == 0
    assert any(0 < earned < cap for earned in scores)
    assert len({exemplar.text for exemplar in rubric.exemplars}) == len(scores) >= 3


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_every_criterion_is_earned_by_some_exemplar_and_none_by_all(
    assignment: str, question: str
) -> None:
    rubric = rubrics(assignment)[question]
    sets = [set(exemplar.earns) for exemplar in rubric.exemplars]
    assert set.union(*sets) == {criterion.id for criterion in rubric.criteria}
    assert not set.intersection(*sets)


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_marker_and_notebook_read_the_same_model_answer(assignment: str, question: str) -> None:
    rubric = rubrics(assignment)[question]
    source = cell(assignment, question).source
    assert rubric.model_answer.strip() == NBGRADERS.solution_text(source).strip()


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_opinions_and_reflections_are_left_to_people(assignment: str, question: str) -> None:
    rubric = rubrics(assignment)[question]
    assert rubric.policy == ("manual" if question in MANUAL else "assist")
    assert rubric.bonus == (question == "funny-story-bonus")


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_a_rubric_knows_the_usual_misconception_and_says_what_is_wrong_about_it(
    assignment: str, question: str
) -> None:
    rubric = rubrics(assignment)[question]
    wrong = [criterion for criterion in rubric.criteria if criterion.points < 0]
    assert wrong or rubric.bonus
    assert all(criterion.feedback for criterion in wrong)
    assert 2 <= len(rubric.criteria) <= 5


@pytest.mark.parametrize(("assignment", "question"), QUESTIONS)
def test_evidence_is_varied_and_never_shared_by_two_criteria(
    assignment: str, question: str
) -> None:
    rubric = rubrics(assignment)[question]
    phrases = [phrase.casefold() for c in rubric.criteria for phrase in c.evidence]
    assert len(phrases) == len(set(phrases))
    if rubric.policy == "assist":
        assert all(4 <= len(criterion.evidence) <= 8 for criterion in rubric.criteria)


@pytest.mark.parametrize("assignment", FIXED)
def test_no_wording_of_a_paper_belongs_to_two_questions(assignment: str) -> None:
    wordings = [w.casefold() for rubric in rubrics(assignment).values() for w in rubric.asked_as]
    assert len(wordings) == len(set(wordings))
    assert all(3 <= len(rubric.asked_as) <= 6 for rubric in rubrics(assignment).values())
