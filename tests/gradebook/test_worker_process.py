"""nbgrader's processes: each of its own, forked from one that is kept."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from markbook.gradebook import nbgrader, worker_process

SECONDS = 60

# A course's configuration is code, and the first of a course that runs in nbgrader's process.
PROBE = """
import json, logging, os, resource, signal, socket, sys, tempfile, threading, time
from pathlib import Path

def said():
    handlers = {str(n): str(signal.getsignal(n)) for n in signal.valid_signals()}
    status = Path("/proc/self/status").read_text().splitlines()
    return {
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
        "path": sys.path,
        "leads": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
        "files": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
        "kinds": [os.fstat(n).st_mode >> 12 for n in range(3)],
        "signals": handlers,
        "masks": [s for s in status if s.startswith(("Umask", "SigBlk", "SigIgn", "Seccomp"))],
        "limits": [resource.getrlimit(n) for n in range(16)],
        "threads": len(threading.enumerate()),
        "log": [str(type(h)) for h in logging.getLogger().handlers],
        "zone": time.tzname,
        "temporary": tempfile.gettempdir(),
        "encoding": [sys.stdin.encoding, sys.stderr.encoding, sys.getfilesystemencoding()],
        "nice": os.nice(0),
        "hidden": sys.modules["rfc3987_syntax"] is None,
    }
"""
WRITE = "Path({out!r}).write_text(json.dumps(said()))\n"


def configure(course, code):
    path = course.root / "nbgrader_config.py"
    path.write_text(path.read_text() + code)


def ask(course):
    """Do a request that nbgrader answers at once."""
    return nbgrader.validate(course, course.source("hw") / "part.ipynb")


def probed(course, out):
    """What nbgrader's process finds itself in."""
    before = (course.root / "nbgrader_config.py").read_text()
    configure(course, PROBE + WRITE.format(out=str(out)))
    ask(course)
    (course.root / "nbgrader_config.py").write_text(before)
    return json.loads(out.read_text())


@contextmanager
def worker(course):
    """A process that waits for its request."""
    with (course.root.parent / "log").open("ab") as log:
        started = worker_process.start_worker(course.root, "validate", log)
        try:
            yield started
        finally:
            started.end()


def fields(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent(pid):
    return int(fields(pid)[1])


def lives(pid):
    try:
        return fields(pid)[0] != "Z"
    except OSError:
        return False


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_requests_are_forked_from_one_process_that_is_kept(authored):
    with worker(authored) as first, worker(authored) as second:
        assert first.pid != second.pid
        server = parent(first.pid)
        assert parent(second.pid) == server
        assert parent(server) == os.getpid()
        assert os.getsid(first.pid) in (first.pid, os.getsid(server))  # before its setsid, or after
    with worker(authored) as third:
        assert parent(third.pid) == server


def test_a_forked_process_finds_itself_in_what_a_fresh_one_does(authored, tmp_path, monkeypatch):
    forked = probed(authored, tmp_path / "forked")
    monkeypatch.setattr(sys, "platform", "darwin")
    fresh = probed(authored, tmp_path / "fresh")
    assert forked == fresh
    assert forked["leads"] == [True, True]
    assert forked["cwd"] == str(authored.root)


def test_the_environment_is_that_of_the_moment_of_the_request(authored, tmp_path, monkeypatch):
    ask(authored)
    monkeypatch.setenv("COLOUR", "green")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    found = probed(authored, tmp_path / "found")
    assert found["environment"]["COLOUR"] == "green"
    assert "OMP_NUM_THREADS" not in found["environment"]
    assert found["temporary"] == str(tmp_path)


def test_another_time_zone_takes_another_server_and_ends_nothing_that_runs(
    authored, tmp_path, monkeypatch
):
    with worker(authored) as before:
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        with worker(authored) as now:
            assert parent(before.pid) != parent(now.pid)
            assert lives(before.pid)
        assert probed(authored, tmp_path / "found")["zone"] == ["JST", "JST"]


NAMES = ["HOME", "JUPYTER_CONFIG_DIR", "LANG", "LC_ALL", "LD_PRELOAD", "PYTHONPATH", "TZ"]


@pytest.mark.parametrize("name", NAMES)
def test_so_does_all_else_that_is_read_at_a_start(name):
    usual = worker_process._key({"PATH": "/bin", name: "here"})
    assert worker_process._key({"PATH": "/bin", name: "there"}) != usual
    assert worker_process._key({"PATH": "/bin"}) != usual


def test_so_do_another_umask_and_another_bound_and_no_other_variable_does():
    usual = worker_process._key({"PATH": "/bin"})
    assert worker_process._key({"PATH": "/usr/bin", "COLOUR": "green"}) == usual
    mask = os.umask(0o027)
    try:
        assert worker_process._key({"PATH": "/bin"}) != usual
    finally:
        os.umask(mask)
    bounds = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, bounds[1]))
    try:
        assert (worker_process._key({"PATH": "/bin"}) == usual) == (bounds[0] == 0)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, bounds)
    assert worker_process._key({"PATH": "/bin"}) == usual


def test_nothing_of_one_course_is_left_for_the_next(tiny, authored, tmp_path):
    other = tiny.copy_of("authored", tmp_path / "other")
    clean = probed(other, tmp_path / "before")
    (authored.root / "helper.py").write_text("here = 1\n")
    configure(
        authored,
        """
import helper, logging, os, sys, threading
from nbgrader.validator import Validator
os.environ["LEFT"] = "behind"
os.chdir("/tmp")
os.umask(0)
sys.path.append("/left/behind")
logging.getLogger().addHandler(logging.NullHandler())
Validator.failed_warning = "{num_failed} of a course that is gone"
threading.Thread(target=threading.Event().wait, daemon=True).start()
""",
    )
    ask(authored)
    assert probed(other, tmp_path / "after") == clean
    configure(other, "import helper\n")
    with pytest.raises(Exception, match="helper"):
        ask(other)


def test_two_threads_get_a_process_each_at_the_same_time(authored):
    both = threading.Barrier(2, timeout=SECONDS)
    seen = []

    def one():
        with worker(authored) as mine:
            both.wait()
            seen.append((mine.pid, lives(mine.pid), parent(mine.pid)))
            both.wait()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({pid for pid, _, _ in seen}) == 2
    assert all(alive for _, alive, _ in seen)
    assert len({server for _, _, server in seen}) == 1


def test_a_server_that_was_killed_is_replaced_and_what_it_forked_goes_on(authored, tmp_path):
    with worker(authored) as running:
        lost = parent(running.pid)
        os.kill(lost, signal.SIGKILL)
        with worker(authored) as next_one:
            assert parent(next_one.pid) != lost
        request = {"task": "validate", "notebook": str(authored.source("hw") / "part.ipynb")}
        request |= {"root": str(authored.root), "db_url": authored.db_url, "course_id": "tiny"}
        running.stdin.write(json.dumps(request) + "\n")
        running.stdin.flush()
        assert "objections" in json.loads(running.stdout.readline())
        assert running.wait() == -signal.SIGKILL  # nobody can tell how it ended
    wait_for(lambda: not lives(running.pid))


def test_a_process_says_by_its_code_how_it_ended(authored):
    with worker(authored) as killed:
        assert killed.poll() is None
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait() == killed.poll() == -signal.SIGKILL
    configure(authored, "import os\nos._exit(7)\n")
    with pytest.raises(Exception, match="ended with code 7"):
        ask(authored)
    (authored.root / "nbgrader_config.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(Exception, match="ended with code 3"):
        ask(authored)


def test_what_a_killed_process_had_started_in_its_group_ends_with_it(authored, tmp_path):
    configure(
        authored,
        f"""
import subprocess, time
from pathlib import Path
child = subprocess.Popen(["sleep", "1000"])
Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
time.sleep(1000)
""",
    )
    with worker(authored) as running:
        request = {"task": "validate", "root": str(authored.root), "db_url": authored.db_url}
        running.stdin.write(json.dumps(request) + "\n")
        running.stdin.flush()
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        below = int((tmp_path / "pid").read_text())
        assert lives(below)
    wait_for(lambda: not lives(below))
    wait_for(lambda: not Path(f"/proc/{running.pid}").exists())  # reaped as well


OWNER = """
import os, signal, sys, threading, time
from pathlib import Path
from markbook.gradebook import worker_process

def start():
    return worker_process.start_worker(Path.cwd(), "validate", open("log", "ab"))

def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

def say(*numbers):
    print(*numbers, flush=True)

signal.alarm(120)  # should it hang, its end is what the test sees
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests ignore Ctrl-C
first = start()
server = parent(first.pid)
"""


@contextmanager
def owner(folder, code):
    """Another process that owns a server, in a session of its own; killed at last."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER + code],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with closing(process.stdout), closing(process.stderr):
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def numbers(process):
    return [int(word) for word in process.stdout.readline().split()]


def test_neither_server_nor_request_outlives_a_killed_owner_whose_fork_lives_on(tmp_path):
    code = """
child = os.fork()
if child == 0:
    time.sleep(1000)
say(server, first.pid, child)
time.sleep(1000)
"""
    with owner(tmp_path, code) as process:
        server, request, child = numbers(process)
        assert lives(server)
        assert lives(request)
        process.kill()
        process.wait()
        wait_for(lambda: not lives(server) and not lives(request))
        assert lives(child)
        os.kill(child, signal.SIGKILL)


def test_a_forked_owner_starts_a_server_of_its_own_and_leaves_the_other_alone(tmp_path):
    code = """
child = os.fork()
if child == 0:
    own = start()
    say(server, parent(own.pid), os.getpid(), parent(parent(own.pid)))
    own.end()
    raise SystemExit
os.waitpid(child, 0)
second = start()
say(parent(second.pid), int(first.poll() is None))
second.end()
first.end()
"""
    with owner(tmp_path, code) as process:
        theirs, own, child, above = numbers(process)
        assert own != theirs
        assert above == child
        assert numbers(process) == [theirs, 1]
        assert process.wait(SECONDS) == 0, process.stderr.read()
        assert process.stderr.read() == ""
        wait_for(lambda: not lives(theirs) and not lives(own))


def test_ctrl_c_ends_the_request_that_is_waited_for_and_the_owner_goes_on(authored, tmp_path):
    """Ctrl-C reaches the owner's group, in which neither server nor request is."""
    configure(
        authored,
        f"""
import os, time
from pathlib import Path
Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
time.sleep(1000)
""",
    )
    code = """
from markbook.gradebook import nbgrader
class Place:
    root, course_id, db_url = Path.cwd(), "tiny", "sqlite:///gradebook.db"
try:
    nbgrader.validate(Place, Path("x.ipynb"))
except KeyboardInterrupt:
    again = start()
    say(server, parent(again.pid))
    again.end()
first.end()
"""
    with owner(authored.root, code) as process:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        request = int((tmp_path / "pid").read_text())
        os.killpg(process.pid, signal.SIGINT)
        server, again = numbers(process)
        assert server == again
        assert not lives(request)
        assert process.wait(SECONDS) == 0, process.stderr.read()
    wait_for(lambda: not lives(server))


def test_where_an_import_starts_a_thread_each_process_is_fresh(authored, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    for _ in range(2):
        with worker(authored) as running:
            assert parent(running.pid) == os.getpid()
    assert ask(authored) == ()


def test_a_request_is_served_when_the_folder_of_the_first_one_is_gone(tiny, tmp_path):
    first = tiny.copy_of("authored", tmp_path / "first")
    ask(first)
    shutil.rmtree(first.root)
    second = tiny.copy_of("authored", tmp_path / "second")
    assert ask(second) == ()
