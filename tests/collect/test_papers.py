"""Papers become submissions; one bad paper never touches another's."""

from __future__ import annotations

import json
import os
import stat

import nbformat
import pytest

from markbook.collect import collect_papers, match_paper, wordings_of
from markbook.course import Course
from markbook.errors import MarkbookError, NothingMatched, PaperError, UnknownName
from markbook.notebooks import answer_cells, read_notebook
from markbook.text.decode import decode

ASSIGNMENT = "web-apis-and-testing"
OTHER = "django-auth-and-servers"
PAPER = "# Homework\n\n## What is a JWT?\n\n\tA token.\n\n## What is continuous integration?\n"


@pytest.fixture
def course(course_copy):
    return Course.open(course_copy)


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def put(folder, name, text=PAPER):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (1_700_000_000.25, 1_700_000_000.25))
    return path


def state(folder):
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def error_of(report):
    (problem,) = report.errors
    return problem


def test_a_paper_becomes_a_filled_in_copy_of_the_release(course, inbox):
    report = collect_papers(course, ASSIGNMENT, [put(inbox, "kim.md")])
    assert not report.errors
    folder = course.submitted(ASSIGNMENT, "kim")
    notebook = read_notebook(folder / "conceptual.ipynb")
    release = read_notebook(course.release(ASSIGNMENT) / "conceptual.ipynb")
    nbformat.validate(notebook)
    assert answer_cells(notebook)["jwt-definition"].source == "\tA token."
    changed = [a.metadata for a, b in zip(notebook.cells, release.cells, strict=True) if a != b]
    assert [metadata.nbgrader.grade_id for metadata in changed] == ["jwt-definition"]
    assert (folder / "kim.md").read_bytes() == PAPER.encode()
    assert (folder / "timestamp.txt").read_text() == "2023-11-14 22:13:20.250000 UTC\n"
    assert (folder / "unmatched.md").read_text() == "# Homework\n"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    sidecar = json.loads((folder / "collected.json").read_text())
    assert sidecar["answers"]["jwt-definition"]["matched_as"] == "What is a JWT?"
    assert sidecar["answers"]["continuous-integration"]["status"] == "blank"
    assert sidecar["answers"]["tdd"]["status"] == "not-asked"


def test_the_report_lists_every_text_question_of_every_paper(course, inbox):
    report = collect_papers(course, ASSIGNMENT, [put(inbox, "kim.md")])
    (paper,) = json.loads(json.dumps(report.as_json()))["papers"]
    assert paper["student"] == "kim"
    assert paper["path"].endswith("kim.md")
    assert set(paper["answers"]) == set(wordings_of(course, ASSIGNMENT))
    assert set(paper["answers"]["tdd"]) == {"status", "text", "matched_as", "confidence"}
    assert paper["unmatched"] == ["# Homework"]
    assert not report.needs_attention


def test_collecting_twice_changes_nothing_at_all(course, inbox):
    paths = [put(inbox, "kim.md"), put(inbox, "lee.txt", PAPER + "x")]
    collect_papers(course, ASSIGNMENT, paths)
    before = state(course.root)
    again = collect_papers(course, ASSIGNMENT, paths)
    assert state(course.root) == before
    assert [paper.changed for paper in again.papers] == [False, False]


def test_a_changed_paper_takes_the_place_of_the_old_one_and_keeps_the_secret(course, inbox):
    collect_papers(course, ASSIGNMENT, [put(inbox, "kim.md")])
    folder = course.submitted(ASSIGNMENT, "kim")
    secret = (folder / "submission_secret.txt").read_text()
    put(inbox, "kim.md").unlink()
    report = collect_papers(course, ASSIGNMENT, [put(inbox, "kim.txt", "What is a JWT?\n\nNew.")])
    assert report.papers[0].changed
    assert (
        answer_cells(read_notebook(folder / "conceptual.ipynb"))["jwt-definition"].source == "New."
    )
    assert not (folder / "kim.md").exists()
    assert not (folder / "unmatched.md").exists()
    assert (folder / "submission_secret.txt").read_text() == secret


def test_a_dry_run_writes_nothing(course, inbox):
    before = state(course.root)
    report = collect_papers(course, ASSIGNMENT, [put(inbox, "kim.md")], dry_run=True)
    assert report.papers[0].match.found == 2
    assert state(course.root) == before


def test_a_killed_run_is_finished_by_running_it_again(course, inbox, monkeypatch):
    path = put(inbox, "kim.md")
    collect_papers(course, ASSIGNMENT, [path])
    folder = course.submitted(ASSIGNMENT, "kim")
    wanted = answer_cells(read_notebook(folder / "conceptual.ipynb"))["jwt-definition"].source
    for name in ("collected.json", "timestamp.txt", "conceptual.ipynb"):
        (folder / name).unlink()
    report = collect_papers(course, ASSIGNMENT, [path])
    assert not report.errors
    notebook = read_notebook(folder / "conceptual.ipynb")
    assert answer_cells(notebook)["jwt-definition"].source == wanted


def test_a_submission_from_jupyterlab_is_not_overwritten_by_a_paper(course, inbox):
    folder = course.submitted(ASSIGNMENT, "kim")
    folder.mkdir(parents=True)
    (folder / "conceptual.ipynb").write_text("{}")
    path = put(inbox, "kim.md")
    problem = error_of(collect_papers(course, ASSIGNMENT, [path]))
    assert "did not come from a paper" in problem.error
    assert (folder / "conceptual.ipynb").read_text() == "{}"
    assert not collect_papers(course, ASSIGNMENT, [path], replace=True).errors
    assert read_notebook(folder / "conceptual.ipynb").cells


def test_bad_papers_are_named_and_the_good_ones_go_on(course, inbox):
    good = put(inbox, "kim.md")
    put(inbox, "empty.md", b"")
    put(inbox, "binary.md", b"\0\1\2\3")
    put(inbox, "word.txt", b"PK\x03\x04")
    put(inbox, "huge.txt", b"a" * 5_000_001)
    (inbox / "dangling.md").symlink_to(inbox / "nowhere")
    (inbox / "linked.md").symlink_to(good)
    os.mkfifo(inbox / "pipe.md")
    report = collect_papers(course, ASSIGNMENT, [inbox, inbox / "missing.md"])
    assert [paper.student for paper in report.papers] == ["kim"]
    said = {problem.path.name: problem.error for problem in report.errors}
    assert set(said) == {
        "empty.md",
        "binary.md",
        "word.txt",
        "huge.txt",
        "dangling.md",
        "linked.md",
        "pipe.md",
        "missing.md",
    }
    assert all(problem.hint for problem in report.errors)
    assert "5 MB" in said["huge.txt"]
    assert "Word" in said["word.txt"]
    assert report.needs_attention
    assert course.students("submitted", ASSIGNMENT) == ("kim",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_paper_that_may_not_be_read_is_an_error(course, inbox):
    put(inbox, "kim.md").chmod(0)
    assert "Permission" in error_of(collect_papers(course, ASSIGNMENT, [inbox])).error


def test_of_two_papers_of_one_student_none_is_taken_and_both_are_named(course, inbox):
    put(inbox, "kim.md")
    put(inbox, "kim.txt")
    put(inbox, "lee.md")
    report = collect_papers(course, ASSIGNMENT, [inbox])
    assert [paper.student for paper in report.papers] == ["lee"]
    assert {problem.path.name for problem in report.errors} == {"kim.md", "kim.txt"}
    assert "kim.txt" in report.errors[0].error


def test_a_folder_gives_its_papers_and_not_its_readme_or_folders(course, inbox):
    put(inbox, "kim.md")
    put(inbox, "README.md", "read me")
    put(inbox, "notes.pdf", b"%PDF")
    (inbox / "deeper").mkdir()
    put(inbox / "deeper", "lee.md")
    report = collect_papers(course, ASSIGNMENT, [inbox, inbox / "kim.md"])
    assert [paper.student for paper in report.papers] == ["kim"]
    assert not report.errors


def test_an_empty_folder_matches_nothing(course, inbox):
    with pytest.raises(NothingMatched):
        collect_papers(course, ASSIGNMENT, [inbox])


def test_an_unknown_assignment_is_refused_with_the_known_ones(course, inbox):
    with pytest.raises(UnknownName, match=ASSIGNMENT):
        collect_papers(course, "web-api-and-testing", [put(inbox, "kim.md")])


def test_a_paper_of_another_assignment_is_sent_there(course, inbox):
    text = "## Beyond runserver\n\nSlow.\n\n## Why isn't runserver meant for production?\n\nSlow."
    report = collect_papers(course, ASSIGNMENT, [put(inbox, "kim.md", text)])
    assert OTHER in error_of(report).hint
    assert not course.submitted(ASSIGNMENT, "kim").exists()
    assert report.as_json()["papers"][0]["unmatched"]


def test_the_student_may_stand_in_the_front_matter(course, inbox):
    text = f"---\ntitle: Homework\nstudent: Kim Lee\n---\n\n{PAPER}"
    report = collect_papers(
        course,
        ASSIGNMENT,
        [put(inbox, "a.md", text), put(inbox, "b.md")],
        student_from="front-matter",
    )
    assert [paper.student for paper in report.papers] == ["Kim Lee"]
    assert "front matter" in error_of(report).error
    assert not report.papers[0].needs_attention


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_student_may_stand_in_a_table(course, inbox, separator):
    rows = [("path", "student"), ("a.md", "kim"), ("b.md", "lee")]
    table = put(inbox, "table.csv", "\ufeff" + "\n".join(map(separator.join, rows)))
    paths = [put(inbox, name) for name in ("a.md", "b.md", "c.md")]
    report = collect_papers(course, ASSIGNMENT, paths, student_from=table)
    assert [paper.student for paper in report.papers] == ["kim", "lee"]
    assert "no row for c.md" in error_of(report).error


def test_a_table_without_the_columns_is_refused(course, inbox):
    table = put(inbox, "table.csv", "path,points\na.md,3\n")
    with pytest.raises(PaperError, match="student"):
        collect_papers(course, ASSIGNMENT, [put(inbox, "a.md")], student_from=table)


@pytest.mark.parametrize(
    "student", ["", "..", ".hidden", "a/b", "a\\b", "a+b", "x" * 300, "a\x1bb"]
)
def test_an_id_that_no_folder_may_have_is_refused(course, inbox, student):
    table = put(inbox, "table.csv", f'path,student\na.md,"{student}"\nz.md,z\n')
    report = collect_papers(course, ASSIGNMENT, [put(inbox, "a.md")], student_from=table)
    assert error_of(report).error
    assert course.students("submitted", ASSIGNMENT) == ()


def test_two_spellings_of_one_name_are_one_student(course, inbox):
    table = put(inbox, "table.csv", "path,student\na.md,Zo\u00eb\nb.md,Zoe\u0308\n")
    report = collect_papers(
        course, ASSIGNMENT, [put(inbox, "a.md"), put(inbox, "b.md")], student_from=table
    )
    assert len(report.errors) == 2


def test_a_filled_in_notebook_is_taken_as_it_is(course, inbox):
    notebook = read_notebook(course.release(ASSIGNMENT) / "conceptual.ipynb")
    answer_cells(notebook)["tdd"]["source"] = "Tests first."
    path = put(inbox, "kim.ipynb", nbformat.writes(notebook))
    (inbox / "lee").mkdir()
    other = put(inbox / "lee", "conceptual.ipynb", path.read_bytes())
    report = collect_papers(course, ASSIGNMENT, [path, other])
    assert [paper.student for paper in report.papers] == ["kim", "lee"]
    stored = course.submitted(ASSIGNMENT, "kim") / "conceptual.ipynb"
    assert stored.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"nbformat": 3}), "null"])
def test_a_broken_notebook_is_an_error_of_its_own(course, inbox, text):
    report = collect_papers(
        course, ASSIGNMENT, [put(inbox, "kim.ipynb", text), put(inbox, "lee.md")]
    )
    assert error_of(report).path.name == "kim.ipynb"
    assert [paper.student for paper in report.papers] == ["lee"]


def test_mojibake_is_mended_in_the_answer_and_said(course, inbox):
    text = "What is a JWT?\n\nIt\u2019s a token.".encode().decode("cp1252").encode()
    report = collect_papers(course, ASSIGNMENT, [put(inbox, "kim.md", text)])
    assert report.papers[0].match.answers["jwt-definition"].text == "It\u2019s a token."
    assert "mojibake" in report.papers[0].notes[0]


def test_each_paper_is_told_of_once(course, inbox):
    told = []
    put(inbox, "kim.md")
    put(inbox, "bad.md", b"")
    collect_papers(course, ASSIGNMENT, [inbox], on_event=told.append)
    assert [(event.number, event.total) for event in told] == [(1, 2), (2, 2)]


def test_no_error_lacks_a_next_step(course, inbox):
    with pytest.raises(MarkbookError) as caught:
        collect_papers(course, "nope", [inbox])
    assert caught.value.hint


SAMPLES = {
    "conceptual-tabbed.md": (ASSIGNMENT, 14, ("json web token", "better at js.")),
    "django-headings.md": (OTHER, 5, ("JSON Web Tokens (JWTs) are used", "being a bad time.")),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_real_papers_have_every_answer_at_its_question(repository, shared_samples, name):
    assignment, count, (first, last) = SAMPLES[name]
    text = decode((shared_samples / name).read_bytes()).text
    match = match_paper(text, wordings_of(Course.open(repository), assignment))
    answers = list(match.answers.values())
    assert [str(answer.status) for answer in answers] == ["answered"] * count
    assert first in answers[0].text
    assert answers[-1].text.endswith(last)
    assert match.unmatched == match.preamble
    assert not match.doubtful
    kept = "\n".join([*match.unmatched, *(a.matched_as + "\n" + a.text for a in answers)])
    flat = " ".join(kept.split())
    for line in text.split("\n"):
        assert " ".join(line.strip("# \t-").split()) in flat
