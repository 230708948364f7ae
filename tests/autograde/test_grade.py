"""Grading a submission: values in, values out. Scores are compared in test_against_nbgrader."""

from __future__ import annotations

import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markbook.autograde.grade import grade
from markbook.autograde.master import read_master
from markbook.autograde.values import Master, Submission
from markbook.gradebook import Gradebook
from markbook.kernels import execute as execution
from markbook.model import AnswerStatus, Outcome

RIGHT = "def add(a, b):\n    return a + b"


@pytest.fixture(scope="module")
def master(tiny, tmp_path_factory):
    course = tiny.copy_of("released", tmp_path_factory.mktemp("grade") / "course")
    with Gradebook.open(course) as gb:
        return read_master(course, gb, "hw")


@pytest.fixture(scope="module")
def words(tiny, master):
    """The same without its code, so that nothing has to be run."""
    return tiny.in_words(master)


def changed(value, **fields):
    return type(value)(**({name: getattr(value, name) for name in value.__slots__} | fields))


def hand_in(master, answers=None, *, edit=lambda book: None, **files):
    """A submission of the release with answers by cell id, edited, and with more files."""
    book = nbformat.reads(master.released["part"].decode(), as_version=4)
    for cell in book.cells:
        name = cell.metadata.nbgrader.grade_id
        cell.source = (answers or {}).get(name, cell.source)
    edit(book)
    return Submission("ada", {"part.ipynb": json.dumps(book).encode()} | files)


def find(book, name):
    return next(cell for cell in book.cells if cell.metadata.nbgrader.grade_id == name)


def outcome_of(result):
    return {grade.cell: (grade.auto_score, grade.needs_marking) for grade in result.grades}


def statuses(result):
    return {answer.question: answer.status for answer in result.answers}


@pytest.fixture
def no_kernel(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(execution, "execute", refuse)


def test_text_is_graded_without_a_kernel(words, no_kernel):
    result = grade(words, hand_in(words, {"keys": "A key is secret.", "story": ""}))
    assert (result.outcome, result.findings) == (Outcome.GRADED, ())
    assert outcome_of(result) == {
        "keys": (None, True),
        "doors": (0.0, False),
        "story": (None, True),
    }
    assert {c.cell: c.auto_comment for c in result.comments} == {
        "keys": None,
        "doors": "No response.",
        "story": None,
    }
    assert {a.question: (a.status, a.text) for a in result.answers} == {
        "keys": (AnswerStatus.ANSWERED, "A key is secret."),
        "doors": (AnswerStatus.BLANK, ""),
        "story": (AnswerStatus.BLANK, ""),
    }
    assert result.seconds.keys() == {"parse", "restore", "run", "score", "write"}


def test_code_is_run_where_it_carries_points_and_shows_its_hidden_tests(tiny, master):
    result = grade(master, hand_in(master, {"add": RIGHT}))
    assert result.findings == ()
    assert outcome_of(result)["add-hidden"] == (2.0, False)
    book = nbformat.reads(result.notebooks["part"].decode(), as_version=4)
    nbformat.validate(book)
    assert tiny.HIDDEN_TEST in find(book, "add-hidden").source
    assert find(book, "add-hidden").execution_count == 3


def test_code_without_points_or_answers_is_run_only_when_asked(words):
    def add_code(book):
        book.cells.append(nbformat.v4.new_code_cell("print('hi')", id="mine"))
        book.cells[-1].metadata["nbgrader"] = {"grade": False, "solution": False, "locked": False,
                                              "grade_id": "x", "schema_version": 3}  # fmt: skip

    asked = changed(words, settings=changed(words.settings, run_all=True))
    book = nbformat.reads(words.released["part"].decode(), as_version=4)
    add_code(book)
    asked = changed(asked, released={"part": nbformat.writes(book).encode()})
    for master, outputs in ((changed(asked, settings=words.settings), 0), (asked, 1)):
        result = grade(master, hand_in(master))
        book = nbformat.reads(result.notebooks["part"].decode(), as_version=4)
        assert len(book.cells[-1].outputs) == outputs


def test_files_of_the_source_lie_above_the_students_own(master):
    own = {"data.py": b"VALUE = 'mine'", "more/deep.txt": b"deep", "../out.txt": b"x", "a": b"x"}
    asked = changed(master, helpers={"data.py": b"VALUE = 'theirs'", "a/b.txt": b"below"})
    code = f"{RIGHT}\nimport data\nprint(data.VALUE, open('more/deep.txt').read())\nopen('a/b.txt')"
    result = grade(asked, hand_in(asked, {"add": code}, **own))
    book = nbformat.reads(result.notebooks["part"].decode(), as_version=4)
    assert find(book, "add").outputs[0].text == "theirs deep\n"
    assert outcome_of(result)["add-visible"] == (1.0, False)


def test_a_notebook_finds_the_files_that_the_one_before_wrote_and_none_of_its_names(master):
    (notebook,) = master.notebooks
    two = changed(
        master,
        notebooks=(notebook, changed(notebook, name="part-1")),
        released={"part": master.released["part"], "part-1": master.released["part"]},
    )
    code = f"{RIGHT}\nprint('seen' in globals(), sorted(__import__('os').listdir()))\nseen = 1"
    code += "\nopen(f'{len(__import__(\"os\").listdir())}.txt', 'w').close()"
    files = hand_in(master, {"add": code}).files
    result = grade(two, Submission("ada", files | {"part-1.ipynb": files["part.ipynb"]}))
    shown = {}
    for name, data in result.notebooks.items():
        book = nbformat.reads(data.decode(), as_version=4)
        shown[name] = find(book, "add").outputs[0].text
    assert shown == {
        "part-1": "False ['part-1.ipynb', 'part.ipynb']\n",
        "part": "False ['2.txt', 'part-1.ipynb', 'part.ipynb']\n",
    }


def test_a_test_may_look_into_the_notebook_but_finds_no_hidden_tests(tiny, master):
    code = f"{RIGHT}\nprint(open('part.ipynb').read())"
    result = grade(master, hand_in(master, {"add": code}))
    book = nbformat.reads(result.notebooks["part"].decode(), as_version=4)
    shown = find(book, "add").outputs[0].text
    assert "add-hidden" in shown
    assert tiny.HIDDEN_TEST not in shown


@pytest.mark.parametrize(
    ("code", "reason", "scores"),
    [
        ("import os; os._exit(3)", "its code ended the kernel", (0.0, 0.0)),
        ("pass", "", (0.0, 0.0)),
        (f"{RIGHT}\nprint('x' * 20_000_000)", "more output than is allowed", (0.0, 0.0)),
        (f"{RIGHT}\nimport time; time.sleep(60)", "was interrupted after 1 seconds", (1.0, 2.0)),
    ],
)
def test_code_that_ends_too_early_costs_its_tests_and_no_answers(master, code, reason, scores):
    quick = changed(master, settings=changed(master.settings, cell_seconds=1.0, output=1_000_000))
    result = grade(quick, hand_in(quick, {"keys": "A key is secret.", "add": code}))
    graded = outcome_of(result)
    assert (graded["add-visible"][0], graded["add-hidden"][0]) == scores
    assert graded["keys"] == (None, True)
    assert statuses(result)["keys"] is AnswerStatus.ANSWERED
    assert result.outcome is (Outcome.NEEDS_ATTENTION if reason else Outcome.GRADED)
    assert reason in "".join(result.findings)


def test_tests_after_the_kernels_end_say_why_they_count_nothing(master):
    result = grade(master, hand_in(master, {"add": "import os; os._exit(3)"}))
    book = nbformat.reads(result.notebooks["part"].decode(), as_version=4)
    nbformat.validate(book)
    for name in ("add", "add-visible", "add-hidden"):
        (output,) = find(book, name).outputs
        assert (output.ename, output.evalue) == ("MarkbookStopped", "its code ended the kernel")


def test_cells_that_ran_before_the_kernels_end_keep_their_scores(master):
    code = f"{RIGHT}\nimport atexit, os\ncalls = []\ndef add(a, b):\n    calls.append(1)\n"
    code += "    if len(calls) > 1: os._exit(1)\n    return a + b"
    graded = outcome_of(grade(master, hand_in(master, {"add": code})))
    assert graded["add-visible"] == (1.0, False)
    assert graded["add-hidden"] == (0.0, False)


def test_a_kernel_that_never_starts_is_our_fault_and_no_score(master, monkeypatch):
    from markbook.kernels.limits import Stopped

    def never(notebook, **_):
        return execution.Execution(Stopped.NEVER_STARTED, None, 0.0, "one\nno memory")

    monkeypatch.setattr(execution, "execute", never)
    result = grade(master, hand_in(master, {"add": RIGHT}))
    assert (result.outcome, result.grades) == (Outcome.FAILED, ())
    assert result.findings == ("the kernel did not start: no memory",)


def test_a_result_that_is_no_score_is_a_persons(master):
    (notebook,) = master.notebooks
    cells = [
        changed(c, source="add(20, 22)") if c.id == "add-visible" else c for c in notebook.cells
    ]
    asked = changed(master, notebooks=(changed(notebook, cells=tuple(cells)),))
    result = grade(asked, hand_in(asked, {"add": RIGHT}))
    assert outcome_of(result)["add-visible"] == (None, True)
    assert "a person has to score 'add-visible' of part.ipynb: its result is 42" in str(
        result.findings
    )


def test_an_output_that_is_none_counts_as_an_error(master):
    code = (
        f"{RIGHT}\ndef forge():\n    k = get_ipython().kernel\n"
        "    display(1, display_id='d')\n"
        "    k.session.send(k.iopub_socket, 'update_display_data', {'data': {'text/plain': {}},"
        " 'metadata': {}, 'transient': {'display_id': 'd'}}, parent=k.get_parent())\n"
        "def add(a, b):\n    forge()\n    return a + b"
    )
    result = grade(master, hand_in(master, {"add": code}))
    assert outcome_of(result)["add-visible"] == (0.0, False)
    assert "cell 8 of part.ipynb wrote an output that is none" in result.findings
    nbformat.validate(nbformat.reads(result.notebooks["part"].decode(), as_version=4))


def test_a_test_that_a_student_keeps_from_running_is_run(master):
    def tag(book):
        find(book, "add-hidden").metadata["tags"] = ["mine", "skip-execution"]

    result = grade(master, hand_in(master, {"add": "def add(a, b):\n    return 3"}, edit=tag))
    assert outcome_of(result)["add-hidden"] == (0.0, False)
    assert result.repairs == (
        "the cell 'add-hidden' of part.ipynb was given the tag 'skip-execution': put back",
    )
    book = nbformat.reads(result.notebooks["part"].decode(), as_version=4)
    assert find(book, "add-hidden").metadata.tags == ["mine"]


def test_what_students_change_that_is_not_theirs_is_put_back_and_said(tiny, master):
    def tamper(book):
        find(book, "add-hidden").source = "2"
        find(book, "keys").metadata.nbgrader["points"] = 100
        book.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}

    result = grade(master, hand_in(master, {"add": RIGHT}, edit=tamper))
    assert result.outcome is Outcome.NEEDS_ATTENTION
    assert any("'add-hidden'" in sentence for sentence in result.repairs)
    assert any("'keys'" in sentence for sentence in result.repairs)
    assert set(result.repairs) <= set(result.findings)
    book = nbformat.reads(result.notebooks["part"].decode(), as_version=4)
    assert tiny.HIDDEN_TEST in find(book, "add-hidden").source
    assert find(book, "keys").metadata.nbgrader.points == 3
    assert book.metadata.kernelspec.name == "python3"


def test_a_deleted_answer_is_missing_and_a_persons(words):
    def delete(book):
        book.cells.remove(find(book, "keys"))

    result = grade(words, hand_in(words, {"doors": "They open."}, edit=delete))
    assert statuses(result)["keys"] is AnswerStatus.MISSING
    assert outcome_of(result)["keys"] == (None, True)
    assert sum("'keys'" in sentence for sentence in result.findings) == 1


def test_a_deleted_test_is_put_back_and_run(master):
    def delete(book):
        book.cells.remove(find(book, "add-hidden"))

    result = grade(master, hand_in(master, {"add": RIGHT}, edit=delete))
    assert outcome_of(result)["add-hidden"] == (2.0, False)
    assert statuses(result)["add-hidden"] is AnswerStatus.ANSWERED


def test_a_notebook_that_was_not_handed_in_scores_nothing(words):
    (notebook,) = words.notebooks
    more = changed(words, notebooks=(notebook, changed(notebook, name="more")),
                   released=dict(words.released) | {"more": words.released["part"]})  # fmt: skip
    result = grade(more, hand_in(more, {"keys": "A key is secret."}))
    assert {g.auto_score for g in result.grades if g.notebook == "more"} == {0.0}
    assert result.findings == ("more.ipynb was not handed in",)
    assert list(result.notebooks) == ["part"]


def test_a_renamed_notebook_is_taken_for_what_it_is(words):
    given = hand_in(words, {"keys": "A key is secret."})
    result = grade(words, Submission("ada", {"part (1).ipynb": given.files["part.ipynb"]}))
    assert outcome_of(result)["keys"] == (None, True)
    assert list(result.notebooks) == ["part"]
    assert result.repairs == ("part.ipynb was handed in as part (1).ipynb",)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "it has none of the assignment's notebooks (part); handed in: none"),
        ({"notes.txt": b"x"}, "handed in: none"),
        ({"part.ipynb": b"{"}, "part.ipynb cannot be read: Not JSON"),
        ({"part.ipynb": b""}, "part.ipynb cannot be read: Not JSON"),
        ({"part.ipynb": b'{"cells": [], "cells": [], "nbformat": 4}'}, "stands twice"),
        ({"part.ipynb": b'{"nbformat": 3}'}, "format 3"),
        (
            {"part.ipynb": b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'},
            "part.ipynb",
        ),
    ],
)
def test_what_cannot_be_graded_is_failed_with_one_reason(words, files, reason):
    result = grade(words, Submission("ada", files))
    assert result.outcome is Outcome.FAILED
    (finding,) = result.findings
    assert reason in finding
    assert (result.grades, result.answers, result.notebooks) == ((), (), {})


@pytest.mark.parametrize("depth", [90, 300, 900, 5000])
def test_what_is_nested_too_deeply_is_said(words, depth):
    def nest(book):
        book.metadata["mine"] = "DEEP"

    given = hand_in(words, edit=nest).files["part.ipynb"]
    deep = given.replace(b'"DEEP"', b"[" * depth + b"]" * depth)
    result = grade(words, Submission("ada", {"part.ipynb": deep}))
    assert (result.outcome is Outcome.FAILED) is (depth > 90)
    assert depth == 90 or "nested too deeply" in result.findings[0].lower()


def test_a_submission_without_a_time_that_can_be_read_is_failed(words):
    result = grade(words, hand_in(words, **{"timestamp.txt": b"yesterday, I think"}))
    assert result.findings == ("its timestamp.txt holds no time: 'yesterday, I think'",)


def test_the_time_is_utc(words):
    result = grade(words, hand_in(words, **{"timestamp.txt": b"2026-01-02T03:04:05+01:00"}))
    assert result.timestamp == "2026-01-02T02:04:05"


def test_a_file_that_is_not_of_the_assignment_is_said_and_does_no_harm(words):
    files = {
        "other.ipynb": b"{",
        "scratch.ipynb": nbformat.writes(nbformat.v4.new_notebook()).encode(),
    }
    result = grade(words, hand_in(words, {"keys": "A key is secret."}, **files))
    assert set(result.findings) == {
        "other.ipynb is not of this assignment",
        "scratch.ipynb is not of this assignment",
    }
    assert outcome_of(result)["keys"] == (None, True)


def test_the_collectors_sidecar_says_what_was_not_asked(words):
    sidecar = json.dumps({"answers": {"keys": {"status": "not-asked"}}}).encode()
    result = grade(words, hand_in(words, **{"collected.json": sidecar}))
    assert statuses(result)["keys"] is AnswerStatus.NOT_ASKED


def test_a_lone_surrogate_stays_in_the_answer(words):
    book = json.loads(words.released["part"])
    for cell in book["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == "keys":
            cell["source"] = ["a \ud800 key"]
    result = grade(words, Submission("ada", {"part.ipynb": json.dumps(book).encode()}))
    assert result.answers[0].text == "a \ud800 key"
    kept = [cell["source"] for cell in json.loads(result.notebooks["part"])["cells"]]
    assert ["a \ud800 key"] in kept


BYTES = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "metadata", "nbformat", "source", "cell_type", "nbgrader",
                             "grade_id", "outputs", "id", "grade", "nbformat_minor"]),
            inner, max_size=6),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(BYTES, st.data())
def test_no_bytes_are_an_exception(words, junk, data):
    book = json.loads(words.released["part"])
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(book["cells"]) - 1))
        key = data.draw(st.sampled_from(["metadata", "source", "cell_type", "nbgrader"]))
        try:
            value = json.loads(junk)
        except ValueError:
            value = None
        target = book["cells"][at]["metadata"] if key == "nbgrader" else book["cells"][at]
        target[key] = value
        junk = json.dumps(book).encode()
    result = grade(words, Submission("ada", {"part.ipynb": junk, "timestamp.txt": b""}))
    assert result.outcome in set(Outcome)
    if result.outcome is not Outcome.FAILED:
        assert {grade.cell for grade in result.grades} == {"keys", "doors", "story"}
        for content in result.notebooks.values():
            nbformat.validate(nbformat.reads(content.decode(), as_version=4))


def test_a_master_is_not_changed_by_what_is_graded(words):
    before = {name: getattr(words, name) for name in Master.__slots__}
    first = grade(words, hand_in(words, {"keys": "One."}))
    grade(words, hand_in(words, {"keys": "Two."}, edit=lambda book: book.cells.reverse()))
    assert grade(words, hand_in(words, {"keys": "One."})).notebooks == first.notebooks
    assert words == Master(**before)
