"""``markbook mark`` serves the page while it runs, and not a moment longer."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest


@pytest.fixture
def course(tiny, tmp_path):
    return tiny.copy_of("autograded", tmp_path / "course")


@contextmanager
def marking(course, *options):
    """Run ``markbook mark hw``; give the process and the address that it printed."""
    command = [sys.executable, "-m", "markbook", "mark", "hw", "--course", str(course.root)]
    process = subprocess.Popen(
        [*command, "--marker", "grace", *options], stdout=subprocess.PIPE, text=True
    )
    try:
        printed = ""
        while "Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        yield process, re.search(r"http://\S+", printed).group()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def served(address):
    """The page's status, or None when nobody answers."""
    try:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=20) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except urllib.error.URLError:
        return None


def test_it_prints_an_address_that_opens_the_assignment_until_ctrl_c(course):
    with marking(course) as (process, address):
        assert re.match(r"http://127\.0\.0\.1:\d+/markbook/a/hw\?token=[0-9a-f]{48}$", address)
        assert served(address) == 200
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 1  # something still waits
        assert "left. What you stored is stored." in output
        assert served(address) is None


def test_one_question_is_opened_at_once(course):
    with marking(course, "--question", "keys") as (_, address):
        assert "/markbook/a/hw/q/keys?token=" in address
        assert served(address) == 200


def test_the_token_is_on_no_command_line(course):
    with marking(course) as (_, address):
        token = address.partition("token=")[2]
        lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
        assert any(b"markbook.server" in line for line in lines)
        assert not any(token.encode() in line for line in lines)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_the_command_however_that_ends(course, how):
    with marking(course) as (process, address):
        assert served(address) == 200
        process.send_signal(how)
        process.wait(20)
        until = time.monotonic() + 10
        while served(address) is not None:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_what_is_not_there_is_refused_before_a_server_starts(course):
    command = [sys.executable, "-m", "markbook", "mark", "hw", "--course", str(course.root)]
    done = subprocess.run(
        [*command, "--question", "kees"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "Did you mean 'keys'?" in done.stderr


def test_again_is_refused_where_it_would_do_nothing(course):
    command = [sys.executable, "-m", "markbook", "mark", "hw", "--course", str(course.root)]
    done = subprocess.run(
        [*command, "--again"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "--terminal" in done.stderr
