"""What a student's code did is on the page, on notebooks that were really run."""

from __future__ import annotations

import json
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from markbook.autograde import Options, autograde
from markbook.feedback import write_feedback
from markbook.gradebook import Gradebook

HW = "hw"

ADD = """import sys
print("called while", "defining")
print("careful now", file=sys.stderr)
def add(a, b):
    return a + b
add"""
RICH = """from IPython.display import HTML, display
display(HTML("<table><tr><td>four</td></tr></table><script>alert(1)</script>"))
1 + 1"""
BROKEN = "undefined_name"
SPY = "print(In)"
DISGUISED = "print([line.replace(' ', '  ') for line in In])"


@pytest.fixture(scope="module")
def graded(tiny, tmp_path_factory):
    """A course in which Ada ran cells of her own, some of which look for the hidden tests."""
    course = tiny.copy_of("autograded", tmp_path_factory.mktemp("outputs") / "course")
    path = course.submitted(HW, "ada") / "part.ipynb"
    notebook = nbformat.read(path, as_version=4)
    at = next(n for n, c in enumerate(notebook.cells) if c.cell_type == "code")
    notebook.cells[at].source = ADD
    own = [new_code_cell(source) for source in (RICH, BROKEN)]
    notebook.cells[at + 1 : at + 1] = own
    notebook.cells += [new_code_cell(source) for source in (SPY, DISGUISED)]
    nbformat.write(notebook, path)
    with Gradebook.open(course) as gb:
        options = Options(engine="nbgrader", isolation="none")
        autograde(course, gb, HW, students=["ada"], force=True, options=options)
    return course


@pytest.fixture
def course(graded, tmp_path):
    shutil.copytree(graded.root, tmp_path / "course")
    return type(graded).open(tmp_path / "course")


@pytest.fixture
def page(course, read_page):
    def read(student="ada", **options):
        with Gradebook.open(course) as gb:
            report = write_feedback(course, gb, HW, **options)
        assert report.problems == ()
        return read_page((course.feedback(HW, student) / "part.html").read_text())

    return read


def test_the_page_shows_what_the_answer_wrote_and_what_stood_beside_it(page):
    shown = page().section("add")
    assert "What your code wrote" in shown
    assert "called while defining" in shown
    assert "(standard error) careful now" in shown
    assert "<function __main__.add(a, b)>" in shown
    assert "Other cells of yours" in shown
    assert "undefined_name" in shown
    assert "NameError : name 'undefined_name' is not defined" in shown


def test_a_displayed_table_is_one_and_brings_no_script(page):
    read = page()
    (frame,) = [attrs for tag, attrs in read.tags if tag == "iframe"]
    assert "<td>four</td>" in frame["srcdoc"]
    assert "script" not in frame["srcdoc"].lower()
    assert frame["sandbox"] is None, "the sandbox allows something"
    assert not {"script", "link"} & {tag for tag, _ in read.tags}
    assert "alert" not in read.source.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")


def test_cells_that_print_the_hidden_tests_show_a_sentence_instead(course, page, tiny):
    run = (course.autograded(HW, "ada") / "part.ipynb").read_text()
    printed = [
        json.dumps(cell["outputs"])
        for cell in json.loads(run)["cells"]
        if "".join(cell["source"]) in (SPY, DISGUISED)
    ]
    assert sum("HIDDEN" in outputs for outputs in printed) == 2  # they do get at them
    read = page()
    assert read.text.count("An output is left out here") == 2
    assert "add(20, 22)" not in read.source
    assert "hidden test'" not in read.source
    assert "HIDDEN TESTS" not in read.source


def test_the_outputs_of_test_cells_are_never_shown(course, page):
    path = course.autograded(HW, "ben") / "part.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"]["nbgrader"]["grade"] and cell["cell_type"] == "code":
            cell["outputs"].append({"output_type": "stream", "name": "stdout", "text": "from test"})
    path.write_text(json.dumps(notebook))
    assert "from test" not in page("ben").source


def test_an_untouched_exercise_shows_no_traceback(page):
    assert "NotImplementedError" not in page("cleo").section("add")
    assert "What your code wrote" not in page("cleo").section("add")


def test_damaged_outputs_leave_the_page_whole(course, page):
    path = course.autograded(HW, "ada") / "part.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["outputs"] = [None, 3, {"output_type": "stream", "text": {"a": 1}}, {"data": []}]
    path.write_text(json.dumps(notebook))
    assert "Your code" in page().section("add")
