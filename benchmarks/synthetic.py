"""A big class for benchmarks, multiplied from the sample class as it was really graded."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = "web-apis-and-testing"

Row = dict[str, Any]


def graded_course(folder: Path) -> Path:
    """Copy this repository's course to ``folder`` and run the sample class through it."""
    folder.mkdir(parents=True)
    for name in ("source", "release", "graders", "sample-class"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    command = [sys.executable, "-m", "markbook", "run", ASSIGNMENT,
               "--from", f"sample-class/{ASSIGNMENT}"]  # fmt: skip
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 1):
        raise RuntimeError(result.stderr)
    return folder


def class_of(course: Path, target: Path, students: int) -> Path:
    """Copy a graded course to ``target`` with ``students`` students in its gradebook.

    Every student's answers are those of one of the sample class with a word of their own behind
    them, so that no two texts are the same and each text has its suggestions.
    """
    target.mkdir(parents=True)
    for name in ("source", "release", "graders"):
        shutil.copytree(course / name, target / name)
    for name in ("nbgrader_config.py", "gradebook.db"):
        shutil.copy(course / name, target / name)
    with sqlite3.connect(target / "gradebook.db") as db:
        db.row_factory = sqlite3.Row
        _multiply(db, students)
    db.close()
    return target


def _rows(db: sqlite3.Connection, table: str) -> list[Row]:
    return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]


def _insert(db: sqlite3.Connection, table: str, rows: list[Row]) -> None:
    if rows:
        names = list(rows[0])
        marks = ", ".join("?" for _ in names)
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
        db.executemany(sql, ([row[name] for name in names] for row in rows))


def _multiply(db: sqlite3.Connection, students: int) -> None:
    tables = {
        name: _rows(db, name)
        for name in ("student", "submitted_assignment", "submitted_notebook", "grade", "comment",
                     "markbook_submission", "markbook_answer", "markbook_suggestion")
    }  # fmt: skip
    for name in reversed(tables):
        db.execute(f"DELETE FROM {name}")
    made: dict[str, list[Row]] = {name: [] for name in tables}
    for number in range(students):
        _one(tables, made, number)
    for name, rows in made.items():
        for row in rows:
            if isinstance(row.get("id"), int):
                del row["id"]  # numbered by the database
        _insert(db, name, rows)


def _one(tables: dict[str, list[Row]], made: dict[str, list[Row]], number: int) -> None:
    base = tables["student"][number % len(tables["student"])]
    name = f"student-{number:05d}"
    made["student"].append(base | {"id": name})
    submission = next(s for s in tables["submitted_assignment"] if s["student_id"] == base["id"])
    notebook = next(
        n for n in tables["submitted_notebook"] if n["assignment_id"] == submission["id"]
    )
    ids = {submission["id"]: uuid.uuid4().hex, notebook["id"]: uuid.uuid4().hex}
    made["submitted_assignment"].append(
        submission | {"id": ids[submission["id"]], "student_id": name}
    )
    made["submitted_notebook"].append(
        notebook | {"id": ids[notebook["id"]], "assignment_id": ids[submission["id"]]}
    )
    for table in ("grade", "comment"):
        made[table] += [
            row | {"id": uuid.uuid4().hex, "notebook_id": ids[notebook["id"]]}
            for row in tables[table]
            if row["notebook_id"] == notebook["id"]
        ]
    made["markbook_submission"] += [
        row | {"student": name}
        for row in tables["markbook_submission"]
        if row["student"] == base["id"]
    ]
    for answer in tables["markbook_answer"]:
        if answer["student"] == base["id"]:
            _answer(tables, made, answer, name, number)


def _answer(
    tables: dict[str, list[Row]], made: dict[str, list[Row]], answer: Row, name: str, number: int
) -> None:
    if answer["status"] != "answered":
        made["markbook_answer"].append(answer | {"student": name})
        return
    text = f"{answer['text']} (word{number})"
    digest = hashlib.sha256(text.encode()).hexdigest()
    made["markbook_answer"].append(answer | {"student": name, "text": text, "hash": digest})
    made["markbook_suggestion"] += [
        row | {"answer_hash": digest}
        for row in tables["markbook_suggestion"]
        if row["answer_hash"] == answer["hash"] and row["question"] == answer["question"]
    ]
