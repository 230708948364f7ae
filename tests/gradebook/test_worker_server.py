"""The process that nbgrader's processes are forked from, by itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

START = "from markbook.gradebook import worker_server as s; s._IDLE = {idle}; s.main()"


@contextmanager
def server(idle=600.0):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(idle=idle), str(theirs.fileno())],
        pass_fds=(theirs.fileno(),),
        start_new_session=True,
    )
    theirs.close()
    ours.settimeout(60)
    with ours:
        try:
            yield ours, process
        finally:
            process.kill()
            process.wait()


def fork(stream, task="validate"):
    """Ask for a child; return the answer, and our ends of its stdin and its line."""
    line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stdin, ours = os.pipe()
    with Path(os.devnull).open("wb") as nowhere, theirs:
        files = [stdin, nowhere.fileno(), nowhere.fileno(), theirs.fileno()]
        socket.send_fds(stream, [task.encode()], files)
        answer = json.loads(stream.recv(4096))
    os.close(stdin)
    line.settimeout(60)
    return answer, ours, line


def test_a_server_that_nobody_asks_for_long_ends_by_itself():
    with server(idle=0.05) as (_, process):
        assert process.wait(60) == 0


def test_it_ends_with_its_owner_and_not_before_its_last_child():
    with server() as (stream, process):
        answer, stdin, line = fork(stream)
        stream.close()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        os.close(stdin)
        assert line.recv(16) == b"70", "a child whose owner has nothing to say ends"
        line.close()
        assert process.wait(60) == 0
        assert "pid" in answer


def test_a_child_whose_line_is_shut_is_killed():
    with server() as (stream, process):
        answer, stdin, line = fork(stream)
        line.close()
        stream.close()
        assert process.wait(60) == 0
        os.close(stdin)
        with pytest.raises(ProcessLookupError):
            os.kill(answer["pid"], 0)


def test_an_ended_child_keeps_its_number_till_its_owner_lets_go():
    with server() as (stream, process):
        answer, stdin, line = fork(stream)
        os.close(stdin)
        assert line.recv(16) == b"70"
        os.kill(answer["pid"], 0)
        other, stdin, again = fork(stream)
        assert other["pid"] != answer["pid"]
        line.close()
        again.close()
        stream.close()
        assert process.wait(60) == 0
        os.close(stdin)
        with pytest.raises(ProcessLookupError):
            os.kill(answer["pid"], 0)
