"""A tiny course, released and autograded once by the real nbgrader, copied for every test.

Loaded by the conftest of the folders that use it (test modules may not import each other).
"""

from __future__ import annotations

import atexit
import json
import shutil
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from markbook.autograde import autograde
from markbook.course import Course
from markbook.gradebook import Gradebook
from markbook.model import Criterion, Mark, Rubric, score
from markbook.release import build

ASSIGNMENT = "hw"
NOTEBOOK = "part"
STUDENTS = ("ada", "ben", "cleo")

CONFIG = """c = get_config()
c.CourseDirectory.course_id = "tiny"
c.ExecutePreprocessor.timeout = 20
"""

RUBRIC = """question: {question}
{extra}criteria:
  - id: right
    points: 2
    says: It is right.
    evidence: [a key is secret]
  - id: example
    points: 1
    says: It has an example.
    evidence: [for example]
  - id: muddle
    points: -1
    says: It muddles things.
    evidence: [it is all the same]
exemplars:
  - text: A key is secret.
    earns: [right]
  - text: For example a door.
    earns: [example]
  - text: It is all the same.
    earns: [muddle]
"""

MODEL_ANSWER = "A key must stay secret, for whoever has it can sign in your name."
HIDDEN_TEST = "assert add(20, 22) == 42, 'the hidden test'"


def cell(kind, cell_id, source, **metadata):
    make = new_code_cell if kind == "code" else new_markdown_cell
    values = {
        "grade": False,
        "solution": False,
        "locked": False,
        "schema_version": 3,
        "task": False,
    }
    made = make(source, metadata={"nbgrader": values | {"grade_id": cell_id} | metadata})
    made["id"] = cell_id
    return made


def text_question(name, points, answer):
    return [
        cell("markdown", f"{name}-prompt", f"What about {name}?", locked=True),
        cell(
            "markdown",
            name,
            f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION",
            grade=True,
            solution=True,
            points=points,
        ),
    ]


def source_notebook():
    notebook = new_notebook(
        cells=[
            *text_question("keys", 3, MODEL_ANSWER),
            *text_question("doors", 2, "Doors keep people out of rooms that are not theirs."),
            *text_question("story", 0, "Once upon a time there was a funny model answer."),
            cell(
                "code",
                "add",
                "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b  # the model\n"
                "    ### END SOLUTION",
                solution=True,
            ),
            cell("code", "add-visible", "assert add(1, 2) == 3", grade=True, locked=True, points=1),
            cell(
                "code",
                "add-hidden",
                "assert callable(add)\n### BEGIN HIDDEN TESTS\n"
                f"{HIDDEN_TEST}\n### END HIDDEN TESTS",
                grade=True,
                locked=True,
                points=2,
            ),
        ]
    )
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return notebook


def write_course(root):
    """Author the course, unreleased."""
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    (root / "graders" / ASSIGNMENT).mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    nbformat.write(source_notebook(), root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb")
    for question in ("keys", "doors", "story"):
        extra = "extra_credit: 2\n" if question == "story" else ""
        path = root / "graders" / ASSIGNMENT / f"{question}.yaml"
        path.write_text(RUBRIC.format(question=question, extra=extra))
    return Course.open(root)


def submit(course, student, answers, *, sidecar=None):
    """Hand in the release with ``answers`` by cell id; None removes the cell."""
    path = course.release(ASSIGNMENT) / f"{NOTEBOOK}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for name, text in answers.items():
        at = next(i for i, c in enumerate(notebook.cells) if c.metadata.nbgrader.grade_id == name)
        if text is None:
            del notebook.cells[at]
        else:
            notebook.cells[at].source = text
    folder = course.submitted(ASSIGNMENT, student)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{NOTEBOOK}.ipynb")
    (folder / "timestamp.txt").write_text("2026-01-02 03:04:05.000000 UTC")
    (folder / "submission_secret.txt").write_text(f"secret of {student}")
    if sidecar is not None:
        (folder / "collected.json").write_text(json.dumps({"answers": sidecar}))
    return folder


def submit_class(course):
    right = "def add(a, b):\n    return a + b"
    submit(
        course,
        "ada",
        {"keys": "A key is secret, for example mine.", "doors": "They open.", "add": right},
    )
    submit(
        course,
        "ben",
        {"keys": "It is all the same.", "add": "def add(a, b):\n    return 3"},
        sidecar={"story": {"status": "not-asked"}, "keys": {"status": "not-asked"}},
    )
    submit(course, "cleo", {"keys": "  \n", "doors": "They shut.", "story": "Ha!"})


@cache
def _template(state):
    folder = Path(tempfile.mkdtemp(prefix="markbook-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = folder / "course"
    if state == "authored":
        write_course(root)
        return root
    shutil.copytree(_template("authored" if state == "released" else "released"), root)
    course = Course.open(root)
    if state == "released":
        build(course, ASSIGNMENT)
        return root
    submit_class(course)
    with Gradebook.open(course) as gb:
        autograde(course, gb, ASSIGNMENT)
    return root


def copy_of(state, target):
    """Copy the course as ``authored``, ``released`` or ``autograded`` to ``target``; open it."""
    shutil.copytree(_template(state), target)
    return Course.open(target)


@cache
def _on_postgresql(server):
    """The autograded course on a PostgreSQL server: its folder, and the name of its database."""
    postgres = sys.modules["markbook_postgres"]
    folder = Path(tempfile.mkdtemp(prefix="markbook-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = folder / "course"
    shutil.copytree(_template("authored"), root)
    url = postgres.database()
    course = _with_url(root, url)
    build(course, ASSIGNMENT)
    submit_class(course)
    with Gradebook.open(course) as gb:
        autograde(course, gb, ASSIGNMENT)
    return root, url.rpartition("/")[2]


def _with_url(root, url):
    (root / "nbgrader_config.py").write_text(f"{CONFIG}c.CourseDirectory.db_url = {url!r}\n")
    return Course.open(root)


def copy_on_postgresql(target):
    """Copy the autograded course to ``target``, its gradebook a database of its own; open it."""
    root, name = _on_postgresql(sys.modules["markbook_postgres"].server())
    shutil.copytree(root, target)
    return _with_url(target, sys.modules["markbook_postgres"].database(name))


def twin_of(course, target):
    """Copy the autograded course once more, its gradebook on the same kind of database."""
    sqlite = course.db_url.startswith("sqlite")
    return copy_of("autograded", target) if sqlite else copy_on_postgresql(target)


def rubric(question="keys", *, extra_credit=0.0, version="v1"):
    """The rubric of the course's questions, as a value."""
    return Rubric(
        question=question,
        criteria=(
            Criterion("right", 2, "It is right."),
            Criterion("example", 1, "It has an example."),
            Criterion("muddle", -1, "It muddles things."),
        ),
        version=f"{version}-{question}",
        extra_credit=extra_credit,
    )


POINTS = {"keys": 3.0, "doors": 2.0, "story": 0.0}


def mark(gb, student, question="keys", earned=("right",), **fields):
    """A valid mark for the present answer, never stored; the rubric is stored with it."""
    used = rubric(question, extra_credit=2.0 if question == "story" else 0.0)
    gb.save_rubric(ASSIGNMENT, used)
    (answer,) = [a for a in gb.answers(ASSIGNMENT, question) if a.student == student]
    values = {
        "assignment": ASSIGNMENT,
        "notebook": NOTEBOOK,
        "question": question,
        "student": student,
        "answer_hash": answer.hash,
        "earned": tuple(earned),
        "marker": "tutor",
        "rubric_version": used.version,
        "score": score(
            used, earned, points=POINTS[question], adjustment=fields.get("adjustment", 0.0)
        ),
    }
    return Mark(**(values | fields))


def dump(course, *, without=()):
    """Every table's rows by value: nbgrader's random ids are replaced by what they stand for."""
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(course.db_url)
    with engine.connect() as connection:
        tables = {
            name: sorted(
                map(dict, connection.execute(text(f'SELECT * FROM "{name}"')).mappings()), key=str
            )
            for name in sorted(inspect(engine).get_table_names())
            if name not in without
        }
    engine.dispose()
    return tables


def by_value(tables):
    """A dump without random ids: nbgrader's by their meaning, ours without numbering."""
    meaning = {}
    for _ in range(4):  # names hang on names: cell, notebook, assignment
        for rows in tables.values():
            for row in rows:
                if isinstance(row.get("id"), str) and len(row["id"]) == 32:
                    meaning[row["id"]] = tuple(
                        str(meaning.get(value, value))
                        for key, value in sorted(row.items())
                        if key != "id" and (key.endswith("_id") or key in ("name", "type"))
                    )
    return {
        name: sorted(
            str(
                {
                    key: meaning.get(value, value) if isinstance(value, str) else value
                    for key, value in row.items()
                    if not (key == "id" and isinstance(value, int))
                    and key not in ("at", "marked_at")
                }
            )
            for row in rows
        )
        for name, rows in tables.items()
    }


def file_times(course):
    return {
        path.relative_to(course.root).as_posix(): path.stat().st_mtime_ns
        for path in course.root.rglob("*")
        if path.is_file()
    }


def in_words(master):
    """A master without its code: no kernel is needed to grade by it."""
    text = ("keys", "doors", "story")
    (notebook,) = master.notebooks
    cells = tuple(cell for cell in notebook.cells if cell.id.removesuffix("-prompt") in text)
    book = nbformat.reads(master.released["part"].decode(), as_version=4)
    book.cells = [c for c in book.cells if c.metadata.nbgrader.grade_id in {c.id for c in cells}]
    return replace(
        master,
        notebooks=(replace(notebook, cells=cells),),
        questions=tuple(q for q in master.questions if q.id in text),
        released={"part": nbformat.writes(book).encode()},
    )
