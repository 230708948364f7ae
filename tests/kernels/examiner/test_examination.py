"""Tests in a clean process, beside the kernel: what they find, and what a hostile kernel can do."""

from __future__ import annotations

import time

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from markbook.kernels.examiner.owner import Examining, TestCell
from markbook.kernels.execute import execute
from markbook.kernels.limits import Limits, Stopped

ADD = "def add(a, b):\n    return a + b\n"
QUIET = "answer's process"


@pytest.fixture
def examine(tmp_path):
    """The function that runs an answer and its tests; returns the execution and the notebook."""

    def run(answer, *tests, copies=False, seconds=10.0, course=(), answers=()):
        notebook = new_notebook(cells=[new_code_cell(source) for source in (answer, *tests)])
        plan = {
            number: TestCell(
                source, course=course if number == 1 else (), answers=frozenset(answers)
            )
            for number, source in enumerate(tests, start=1)
        }
        kernel, clean = tmp_path / "kernel", tmp_path / "clean"
        for folder in (kernel, clean):
            folder.mkdir(exist_ok=True)
        execution = execute(
            notebook,
            limits=Limits(cell_seconds=seconds, total_seconds=60, memory=4 * 1024**3),
            cwd=kernel,
            examining=Examining(plan, clean, copies),
        )
        return execution, notebook

    return run


def outcome(verdict):
    """What a test came to: "passed", or its error's name."""
    errors = [o["ename"] for o in verdict.outputs if o["output_type"] == "error"]
    return errors[0] if errors else "passed"


@pytest.mark.parametrize("copies", [False, True])
def test_a_test_passes_or_fails_by_what_the_answer_returns(examine, copies):
    execution, _ = examine(ADD, "assert add(1, 2) == 3", "assert add(1, 2) == 4", copies=copies)
    assert [outcome(v) for v in execution.verdicts.values()] == ["passed", "AssertionError"]
    assert not any(verdict.doubts for verdict in execution.verdicts.values())


def test_a_copy_of_the_kernel_is_asked_and_the_kernel_does_not_notice(examine):
    count = "n = 0\ndef count():\n    global n\n    n += 1\n    return n"
    for copies, last in ((True, "2"), (False, "4")):
        _, notebook = examine(count, "count()", "count()", copies=copies)
        assert notebook.cells[-1].outputs[0].data["text/plain"] == last


def test_a_test_sees_what_the_test_before_it_made(examine):
    execution, _ = examine(
        "class Box:\n    def __init__(self): self.items = []\n"
        "    def put(self, x): self.items.append(x)",
        "box = Box()\nlimit = 3\nbox.put(1)",
        "box.put(2)\nassert len(box.items) < limit",
        copies=True,
    )
    assert [outcome(v) for v in execution.verdicts.values()] == ["passed", "passed"]


def test_a_name_that_nobody_has_is_a_name_error(examine):
    execution, _ = examine("pass", "assert nothing == 1")
    (verdict,) = execution.verdicts.values()
    assert (outcome(verdict), verdict.doubts) == ("NameError", ())


def test_the_answers_own_len_is_asked_only_where_the_release_leaves_it_to_the_answer(examine):
    shadow = "len = lambda x: 7"
    for answers, found in (((), "AssertionError"), (("len",), "passed")):
        execution, _ = examine(shadow, "assert len([1]) == 7", answers=answers)
        assert outcome(execution.verdicts[1]) == found


def test_cells_of_the_course_run_only_when_a_test_needs_their_names(examine):
    course = ("raise SystemExit", "LIMIT = 3", "1 / 0\nUNUSED = 1")
    execution, _ = examine(ADD, "assert add(1, 2) == LIMIT", course=course)
    assert (outcome(execution.verdicts[1]), execution.verdicts[1].doubts) == ("passed", ())


def test_what_the_answer_prints_is_the_tests_output(examine):
    execution, _ = examine(
        "import sys\ndef shout():\n    print('a')\n    print('b', file=sys.stderr)", "shout()"
    )
    said = [(output["name"], output["text"]) for output in execution.verdicts[1].outputs]
    assert said == [("stdout", "a\n"), ("stderr", "b\n")]


@pytest.mark.parametrize("copies", [False, True])
def test_an_answer_that_hangs_costs_the_test_its_time_and_no_more(examine, copies):
    started = time.monotonic()
    execution, notebook = examine(
        "def hang():\n    while True:\n        pass\n" + ADD,
        "hang()",
        "assert add(1, 2) == 3",
        copies=copies,
        seconds=1.5,
    )
    assert execution.verdicts[1].late
    assert "CellTimeoutError" in [output.ename for output in notebook.cells[1].outputs]
    assert (outcome(execution.verdicts[2]), execution.verdicts[2].doubts) == ("passed", ())
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("copies", [False, True])
def test_an_answer_that_ends_its_process_ends_no_other(examine, copies):
    execution, _ = examine("import os\ndef leave():\n    os._exit(0)", "leave()", copies=copies)
    assert QUIET in execution.verdicts[1].doubts[0]
    assert execution.verdicts[1].late
    assert (execution.stopped, execution.cell) == (Stopped.DIED, 1)


def test_an_answer_that_leaves_fails_its_test(examine):
    execution, _ = examine("import sys\ndef leave():\n    sys.exit(0)", "leave()")
    assert (outcome(execution.verdicts[1]), execution.verdicts[1].doubts) == ("SystemExit", ())


def test_a_test_that_swallows_everything_still_ends(examine):
    execution, _ = examine(
        "def hang():\n    while True:\n        pass",
        "for _ in range(2):\n    try:\n        hang()\n    except:\n        pass",
        seconds=1.0,
    )
    assert execution.verdicts[1].late


def test_a_result_that_is_too_large_is_an_error_of_the_answers(examine):
    execution, _ = examine("def much():\n    return list(range(2_000_000))", "much()")
    assert outcome(execution.verdicts[1]) != "passed"


def test_a_flood_of_printing_is_cut(examine):
    execution, _ = examine("def flood():\n    print('x' * 10_000_000)", "flood()")
    assert sum(len(o.get("text", "")) for o in execution.verdicts[1].outputs) < 3_000_000


# What the student's side sends is the student's to choose: here all sorts of things.
LIAR = """
from markbook.kernels.examiner import peer, student
real = peer.Peer.answer
def lie(self, request):
    if request["do"] == "name":
        return real(self, request)
    self.channel.send({reply})
student._Student.answer = lie
def f(x): return 0
"""
LIES = [
    '{"value": ["own", 99]}', '{"value": ["own", -1]}', '{"value": ["ref", 0]}',
    '{"value": ["ref", 77, ["class", "C", [1], [], []]]}', '{"value": ["module", "os"]}',
    '{"value": ["ref", 77, ["class", "C", [], ["__class__", "__del__"], ["os", "system"]]]}',
    '{"value": ["ref", 77, ["object", ["type", "int"]]]}', '{"value": ["type", "eval"]}',
    '{"value": ["import", "os", "system"]}', '{"value": ["ref", "x", ["function"]]}',
    '{"value": ["ref", 77, ["exception", ["type", "int"], []]]}', '{"changed": [[5, []]]}',
    '{"changed": 3}', '{"raised": 3}', '{"raised": ["type", "ValueError"]}', '{"said": [1, [2]]}',
    '{"do": "call", "number": 0}', '{"do": "attribute", "number": 0, "name": "__globals__"}',
    '{"do": "op", "number": 0, "name": "__getattribute__"}', '{"do": "evil"}', '{"do": 5}',
    '{"do": "call", "number": 99, "args": []}', '{"do": "call", "args": 3}',
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_of_the_students_side_passes_a_test(examine, lie):
    execution, _ = examine(LIAR.replace("{reply}", lie), "assert f(3) == 9", seconds=3.0)
    verdict = execution.verdicts[1]
    assert verdict.doubts or outcome(verdict) != "passed"


def test_the_clean_process_is_asked_for_nothing_but_calls_of_what_it_passed(examine):
    answer = "def f(g):\n    return g.__globals__['secret']"
    execution, _ = examine(answer, "secret = 9\nassert f(lambda: 1) == secret")
    assert outcome(execution.verdicts[1]) == "KeyError"
    answer = "def f(db):\n    db.enable_load_extension(True)\n    return 9"
    execution, _ = examine(
        answer, "import sqlite3\nassert f(sqlite3.connect(':memory:')) == 9", copies=True
    )
    assert "uses an object of the test" in execution.verdicts[1].doubts[0]
