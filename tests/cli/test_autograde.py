"""How autograding tells how far it is, and what it asks for."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from markbook.cli import progress as module
from markbook.cli.progress import Meter, progress

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Finished:
    student: str
    done: int
    total: int
    outcome: str = "graded"
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unchanged:
    student: str
    done: int
    total: int


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left_are_those_of_late() -> None:
    clock = Clock()
    meter = Meter(clock)
    for done in range(1, 11):  # slowly: one a second
        clock.now += 1
        meter.hear(Finished("s", done, 1000))
    assert meter.describe() == "1.0/s, 16 min left"
    for done in range(11, 411):  # then 40 a second
        clock.now += 0.025
        meter.hear(Finished("s", done, 1000, findings=("a", "b") if done == 20 else ()))
    clock.now += 11
    assert meter.rate == pytest.approx(20, rel=0.2)
    assert re.fullmatch(r"\d\d/s, \d\d s left, 1 need attention", meter.describe())


def test_unchanged_submissions_are_done_but_do_not_make_the_rate() -> None:
    clock = Clock()
    meter = Meter(clock)
    for done in range(1, 500):
        meter.hear(Unchanged("s", done, 1000))
    assert (meter.done, meter.total, meter.rate, meter.describe()) == (499, 1000, None, "")


def test_hours_are_told_as_hours() -> None:
    clock = Clock()
    meter = Meter(clock)
    for done in (1, 2):
        clock.now += 10
        meter.hear(Finished("s", done, 1002))
    assert meter.describe() == "0.1/s, 2.8 h left"


def test_an_event_without_numbers_says_nothing_of_progress() -> None:
    meter = Meter()
    assert not meter.hear(object())
    assert not meter.hear(Unchanged("s", 0, 0))


class Pipe(io.StringIO):
    def isatty(self) -> bool:
        return False


def test_without_a_terminal_a_plain_line_comes_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, pipe = Clock(), Pipe()
    monkeypatch.setattr(module.time, "monotonic", clock)
    monkeypatch.setattr(module.sys, "stderr", pipe)
    with progress("autograding") as on_event:
        for done in range(1, 121):
            clock.now += 0.1
            on_event(Finished("s", done, 400, findings=("x",) if done % 40 == 0 else ()))
    lines = pipe.getvalue().splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"autograding 5\d/400, 10/s, 35 s left, 1 need attention", lines[0])
    assert re.fullmatch(r"autograding 10\d/400, 10/s, 30 s left, 2 need attention", lines[1])


def test_what_takes_a_moment_or_is_asked_to_be_quiet_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipe = Pipe()
    monkeypatch.setattr(module.sys, "stderr", pipe)
    with progress("autograding") as on_event:
        on_event(Finished("s", 1, 2))
    monkeypatch.setattr(module, "_EVERY", 0.0)
    with progress("autograding", quiet=True) as on_event:
        on_event(Finished("s", 1, 2))
    assert pipe.getvalue() == ""


BAR = """
import time
from dataclasses import make_dataclass
from markbook.cli.progress import progress
Finished = make_dataclass("Finished", ["student", "done", "total", "outcome", "findings"])
with progress("autograding") as on_event:
    for done in range(1, 41):
        time.sleep(0.02)
        on_event(Finished("ada", done, 400, "graded", ("x",) if done > 37 else ()))
    time.sleep(0.3)
"""


def test_on_a_terminal_a_bar_shows_rate_time_left_and_findings() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", BAR],
        stderr=theirs,
        env=os.environ | {"COLUMNS": "120", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:
        pass  # the other end is closed
    finally:
        os.close(ours)
        assert process.wait(timeout=60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"autograding .*40/400 \d+/s, \d+ s left, 3 need attention", text), text


def run(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "markbook", "autograde", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--executor", "slurm"], "error: There is no executor 'slurm'. There are these: dask,"),
        (["--executor", "dask"], "error: The executor 'dask' needs to know where its scheduler"),
        (["--executor", "serial", "--scheduler", "tcp://x:1"], "error: The executor 'serial' has"),
        (["--engine", "nbgrader", "--workers", "2"], "error: nbgrader's own autograder runs one"),
        (["--workers", "0"], "Usage: "),
        (["--timeout", "-1"], "Usage: "),
    ],
)
def test_options_that_make_no_sense_are_named_before_anything_runs(
    course_copy: Path, arguments: list[str], message: str
) -> None:
    result = run(course_copy, "django-auth-and-servers", *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith(message), result.stderr
    if message.startswith("error"):
        assert result.stderr.count("\n") == 1
