"""Archives of a class and of a student become submissions, each student's apart."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import nbformat
import pytest

from markbook.collect import collect_papers
from markbook.course import Course
from markbook.notebooks import answer_cells, read_notebook

ASSIGNMENT = "web-apis-and-testing"
PAPER = "## What is a JWT?\n\nA token of {}.\n"


@pytest.fixture
def course(course_copy):
    return Course.open(course_copy)


@pytest.fixture
def notebook(course):
    def notebook(text):
        made = read_notebook(course.release(ASSIGNMENT) / "conceptual.ipynb")
        answer_cells(made)["jwt-definition"]["source"] = text
        return nbformat.writes(made)

    return notebook


def packed(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def write(path, files):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(packed(files))
    return path


def collected(course, *paths, **options):
    report = collect_papers(course, ASSIGNMENT, paths, **options)
    students = sorted(paper.student for paper in report.papers if not paper.error)
    return students, {Path(e.path).name: f"{e.error} {e.hint}" for e in report.errors}


def answer(course, student):
    folder = course.submitted(ASSIGNMENT, student)
    return answer_cells(read_notebook(folder / "conceptual.ipynb"))["jwt-definition"].source


def test_a_classs_archive_holds_papers_folders_and_archives(course, tmp_path, notebook):
    files = {
        "hw/ada.md": PAPER.format("Ada"),
        "hw/ben/conceptual.ipynb": notebook("A token of Ben."),
        "hw/ben/data/a.csv": "1,2",
        "hw/Cleo Day_123_assignsubmission_file_/essay.txt": PAPER.format("Cleo"),
        "hw/dora.zip": packed({"dora/conceptual (1).ipynb": notebook("A token of Dora.")}),
        "hw/README.md": "From the platform.",
        "hw/__MACOSX/._ada.md": "",
    }
    students, errors = collected(course, write(tmp_path / "class.zip", files))
    assert (students, errors) == (["Cleo Day", "ada", "ben", "dora"], {})
    for student in students:
        assert answer(course, student) == f"A token of {student.split()[0].title()}."
        mode = course.submitted(ASSIGNMENT, student).stat().st_mode
        assert stat.S_IMODE(mode) == 0o700
    assert (course.submitted(ASSIGNMENT, "ben") / "data" / "a.csv").read_text() == "1,2"


def test_each_archive_in_a_folder_is_one_students(course, tmp_path, notebook):
    inbox = tmp_path / "inbox"
    write(inbox / "ada.zip", {"work/essay.md": PAPER.format("Ada"), "work/notes.csv": "1"})
    write(inbox / "ben.zip", {"conceptual.ipynb": notebook("B"), "timestamp.txt": "1999-01-01"})
    students, errors = collected(course, inbox)
    assert (students, errors) == (["ada", "ben"], {})
    assert (course.submitted(ASSIGNMENT, "ada") / "notes.csv").is_file()
    assert "1999" not in (course.submitted(ASSIGNMENT, "ben") / "timestamp.txt").read_text()


def test_one_archive_with_the_assignments_notebook_at_its_top_is_one_students(
    course, tmp_path, notebook
):
    path = write(tmp_path / "ada.zip", {"hw/conceptual.ipynb": notebook("A"), "hw/x.md": "Notes"})
    assert collected(course, path) == (["ada"], {})


def test_one_bad_parcel_is_named_and_the_others_are_taken(course, tmp_path, notebook):
    files = {
        "good.md": PAPER.format("Gus"),
        "../../evil.md": PAPER.format("Eve"),
        "two.zip": packed({"a.md": "x", "b.md": "y"}),
        "none.zip": packed({"a.csv": "x"}),
        "broken.zip": b"PK\x03\x04 no more",
        "twice.zip": packed({"1/conceptual.ipynb": notebook("1"), "2/c.ipynb": notebook("2")}),
        "cut.zip": packed({"conceptual.ipynb": notebook("1")[:500]}),
        "outer.zip": packed({"../x.md": "x"}),
        "bomb.zip": packed({"x.md": b" " * 6_000_000}),
        "a.pdf": b"%PDF",
        "dir/con\x01.md": PAPER.format("Di"),
    }
    students, errors = collected(course, write(tmp_path / "class.zip", files))
    assert students == ["dir", "good"]
    reasons = {
        "evil.md": "leads out of the archive",
        "two.zip": "holds 2 papers",
        "none.zip": "no paper and no notebook",
        "broken.zip": "damaged",
        "twice.zip": "holds conceptual.ipynb twice",
        "cut.zip": "cut off after",
        "outer.zip": "leads out of the archive",
        "x.md": "larger than 5 MB",
        "a.pdf": "neither a paper nor a notebook",
    }
    assert errors.keys() == reasons.keys()
    assert {name for name, why in reasons.items() if why not in errors[name]} == set()
    assert not (tmp_path / "evil.md").exists()


def test_a_bomb_named_by_itself_is_one_error(course, tmp_path):
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.md", b"\0" * 40_000_000)
    students, errors = collected(course, path)
    assert students == []
    assert "unpacks to more than" in errors["class.zip"]


def test_collecting_an_archive_twice_changes_nothing_and_a_new_one_drops_old_files(
    course, tmp_path, notebook
):
    inbox = tmp_path / "inbox"
    files = {"conceptual.ipynb": notebook("A"), "data/old.csv": "1"}
    write(inbox / "ada.zip", files)
    collect_papers(course, ASSIGNMENT, [inbox])
    again = collect_papers(course, ASSIGNMENT, [inbox])
    assert [paper.changed for paper in again.papers] == [False]
    files["data/new.csv"] = files.pop("data/old.csv")
    write(inbox / "ada.zip", files)
    collect_papers(course, ASSIGNMENT, [inbox])
    folder = course.submitted(ASSIGNMENT, "ada")
    assert [path.name for path in (folder / "data").iterdir()] == ["new.csv"]


def test_a_table_says_whose_an_archives_files_are(course, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("path,student\nessay.md,ada\nx1,ben\n")
    files = {"essay.md": PAPER.format("Ada"), "x1/a.md": PAPER.format("Ben")}
    path = write(tmp_path / "class.zip", files)
    assert collected(course, path, student_from=table) == (["ada", "ben"], {})
