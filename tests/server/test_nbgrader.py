"""Marks made on the page are nbgrader's own: formgrader, feedback and export see them."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

from markbook.feedback import write_feedback
from markbook.gradebook import Gradebook


def nbgrader(course, *arguments):
    """Run nbgrader as a teacher does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course.root,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_formgrader_feedback_and_export_see_what_was_marked_on_the_page(course, client):
    item = client.open("keys")
    body = {
        "earned": ["right", "muddle"],
        "row_version": item["row_version"],
        "comment": "Mind the muddle.",
        "adjustment": 0.5,
        "reason": "A fine thought.",
    }
    assert client.item(item["id"], "mark", body).status == 200
    with Gradebook.open(course) as gb:
        (mark,) = gb.marks("hw", "keys")
        write_feedback(course, gb, "hw")
    assert mark.score == 1.5

    from nbgrader.api import Gradebook as Theirs

    with Theirs(course.db_url, "tiny") as theirs:
        grade = theirs.find_grade("keys", "part", "hw", mark.student)
        comment = theirs.find_comment("keys", "part", "hw", mark.student)
        assert (grade.score, grade.needs_manual_grade) == (1.5, False)
        assert comment.comment == "Mind the muddle."
        total = theirs.find_submission("hw", mark.student).score

    nbgrader(course, "export", "--to", "grades.csv")
    with (course.root / "grades.csv").open() as stream:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert scores[mark.student] == total >= 1.5

    page = course.feedback("hw", mark.student) / "part.html"
    assert "Mind the muddle." in page.read_text()
    nbgrader(course, "generate_feedback", "hw", "--student", mark.student, "--force")
    assert "Mind the muddle." in page.read_text()  # nbgrader's own page, in the same place
