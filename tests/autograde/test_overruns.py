"""A limit that code runs into has a name, whether its kernel goes on or not. Real kernels."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from markbook.autograde.overruns import overruns
from markbook.autograde.values import Settings
from markbook.autograde.workplace import place_for
from markbook.kernels.execute import execute
from markbook.kernels.limits import Limits

MB = 1024**2
THREADS = """
import threading, time
for _ in range(60):
    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
"""
FORKS = """
import os, time
for _ in range(60):
    if os.fork() == 0:
        time.sleep(9)
        os._exit(0)
"""
SETTINGS = Settings(memory=200 * MB, processes=40, disk=20 * MB, files=200)


def run(code):
    notebook = new_notebook(cells=[new_code_cell("1"), new_code_cell(code)])
    with place_for(SETTINGS, {}) as place:
        execution = execute(notebook, limits=Limits(memory=SETTINGS.memory), cwd=place)
        return execution, overruns(notebook, SETTINGS, place)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("bytearray(300 * 1024**2)", "more memory than is allowed (200 MB)"),
        ("open('f', 'wb').write(bytes(30 * 1024**2))", "more room for files than is allowed"),
        ("for n in range(300): open(f'f{n}', 'w').close()", "(20 MB, 200 files)"),
        (
            THREADS,
            "more processes and threads than are allowed (40)",
        ),
        (
            FORKS,
            "more processes and threads than are allowed (40)",
        ),
        ("held = [open('/dev/null') for _ in range(2000)]", "more open files than are allowed"),
    ],
)
def test_a_limit_that_code_runs_into_is_named_with_its_cell(bubblewrap, code, sentence):
    execution, found = run(code)
    assert execution.stopped is None
    (said,) = found
    assert said.startswith("cell 2 asked for more ")
    assert sentence in said


def test_an_error_of_the_codes_own_is_no_limit():
    errors = [("ValueError", "[Errno"), ("OSError", "no space"), ("KeyError", "'[Errno 28]'")]
    outputs = [new_output("error", ename=n, evalue=v, traceback=[]) for n, v in errors]
    notebook = new_notebook(cells=[new_code_cell("", outputs=outputs)])
    with place_for(Settings(isolation="none"), {}) as folder:
        assert overruns(notebook, SETTINGS, folder) == []
