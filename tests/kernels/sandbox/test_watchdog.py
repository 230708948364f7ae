"""Memory of all processes together: counted by a control group, or by the server's eye."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from markbook.kernels.sandbox import cgroup
from markbook.kernels.sandbox.cgroup import ControlGroup, can_make
from markbook.kernels.sandbox.watchdog import Watchdog

if TYPE_CHECKING:
    from pathlib import Path

MB = 1024**2
HOLD = """
import mmap, os, sys, time
held = bytearray(b"x") * (int(sys.argv[1]) * 1024**2)
if sys.argv[2] == "child" and os.fork() == 0:
    more = bytearray(b"x") * (int(sys.argv[1]) * 1024**2)
    print("held", flush=True)
    time.sleep(60)
if sys.argv[2] == "shares":
    os.fork()
if sys.argv[2] != "child":
    print("held", flush=True)
time.sleep(60)
"""


def _box(memory: int | None, *, grouped: bool = False) -> dict[str, Any]:
    return {"room": "none", "bounds": {"memory": memory}, "grouped": grouped}


def _over(bound: int, megabytes: int, how: str) -> bool:
    """Tell whether a process that holds so much is over a bound."""
    command = [sys.executable, "-c", HOLD, str(megabytes), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        watchdog = Watchdog()
        watchdog.add(process.pid, _box(bound))
        time.sleep(0.2)
        found = watchdog.over()
        os.killpg(process.pid, 9)
    return found == [process.pid]


@pytest.mark.parametrize(
    ("megabytes", "how", "over"),
    [(50, "alone", False), (250, "alone", True), (120, "child", True), (120, "shares", False)],
)
def test_memory_is_counted_over_all_processes_and_once(
    megabytes: int, how: str, over: bool
) -> None:
    assert _over(200 * MB, megabytes, how) is over


def test_who_has_no_bound_or_a_control_group_is_not_watched() -> None:
    watchdog = Watchdog()
    watchdog.add(os.getpid(), _box(None))
    watchdog.add(os.getpid(), _box(1, grouped=True))
    assert not watchdog
    watchdog.add(os.getpid(), _box(1))
    assert watchdog.over() == [os.getpid()]
    watchdog.remove(os.getpid())
    assert watchdog.over() == []


def test_a_process_that_has_ended_is_over_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    watchdog = Watchdog()
    watchdog.add(process.pid, _box(1))
    assert watchdog.over() == []


@pytest.mark.skipif(not can_make(), reason="no control group can be made: be root, or delegate one")
def test_a_control_group_ends_what_takes_too_much_and_says_so() -> None:
    group = ControlGroup.make(100 * MB)
    assert group is not None

    def step_in() -> None:
        os.write(group.entry, b"0")

    try:
        assert group.kills == 0
        command = [sys.executable, "-c", "x = bytearray(b'x') * 300_000_000"]
        ran = subprocess.run(command, preexec_fn=step_in, check=False, pass_fds=[group.entry])
        assert ran.returncode == -9
        assert group.kills == 1
    finally:
        group.close()
    assert not group.folder.exists()


@pytest.mark.skipif(not can_make(), reason="no control group can be made: be root, or delegate one")
def test_groups_of_processes_that_were_killed_are_removed_by_the_next() -> None:
    group = ControlGroup.make(MB)
    assert group is not None
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    left = group.folder.parent / f"markbook-{gone.pid}-0"
    left.mkdir()
    cgroup._sweep(left.parent)
    assert not left.exists()
    assert group.folder.exists()
    group.close()


def test_where_no_control_group_can_be_made_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    cgroup._base.cache_clear()
    try:
        assert ControlGroup.make(MB) is None
        assert not can_make()
    finally:
        cgroup._base.cache_clear()
