"""A submission's room: what its kernels share, and what nobody else's do. Real sandboxes."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from markbook.kernels.execute import execute
from markbook.kernels.limits import Limits, Stopped
from markbook.kernels.sandbox.bounds import Bounds
from markbook.kernels.sandbox.room import Room

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.usefixtures("bubblewrap")


def run(room: Room, code: str, **limits: Any) -> str:
    """Run a cell; returns what it printed, its error, or why it was stopped."""
    notebook = new_notebook(cells=[new_code_cell(code)])
    ran = execute(notebook, limits=Limits(**limits), cwd=room)
    said = [o.get("text") or o.get("ename", "") for o in notebook.cells[0].outputs]
    return "".join(said).strip() or str(ran.stopped)


def in_room(code: str, files: Mapping[str, bytes] | None = None, **options: Any) -> str:
    with Room(files or {}, **options) as room:
        return run(room, code)


def test_code_finds_the_submissions_files_and_no_others() -> None:
    files = {"a.txt": b"a", "data/b.txt": b"b"}
    code = "import os; print(sorted(os.path.join(d, f) for d, _, fs in os.walk('.') for f in fs))"
    assert in_room(code, files) == "['./a.txt', './data/b.txt']"


def test_the_first_layer_of_files_lies_above_the_others() -> None:
    with Room({"a": b"first"}, {"a": b"second", "b": b"second"}) as room:
        assert run(room, "print(open('a').read(), open('b').read())") == "first second"


def test_what_one_notebook_writes_the_next_of_the_submission_reads() -> None:
    with Room({"mine": b"1"}) as room:
        run(room, "open('written', 'w').write('2'); open('mine', 'w').write('3')")
        assert run(room, "print(open('written').read(), open('mine').read())") == "2 3"


def test_what_one_submission_leaves_behind_the_next_does_not_find() -> None:
    places = ("/tmp/left", "/dev/shm/left", "left", "/tmp/home/left")
    look = f"import os; print([p for p in {places} if os.path.exists(p)])"
    with Room({}) as room:
        run(room, f"for p in {places}: open(p, 'w').close()")
        assert run(room, look) == str(list(places)), "it could write there"
    assert in_room(look) == "[]"


def test_submissions_that_run_at_once_do_not_meet() -> None:
    code = (
        "import os, time\nopen('/tmp/here', 'x').close()\ntime.sleep(1)\n"
        "print(len([p for p in os.listdir('/proc') if p.isdigit()]),"
        " os.listdir('/markbook/rooms'))"
    )
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(in_room, [code] * 3)) == {"1 []"}


def test_a_bound_of_processes_counts_one_submissions_only() -> None:
    code = (
        "import os, time\nfor _ in range(30):\n    if os.fork() == 0: time.sleep(2); os._exit(0)\n"
        "print('all')"
    )
    bounds = Bounds(processes=60)
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda _: in_room(code, bounds=bounds), range(3)))
    assert said == ["all"] * 3


def test_honest_code_does_what_it_does_elsewhere(tmp_path: Path) -> None:
    code = """
import concurrent.futures, multiprocessing, os, shutil, socket, sqlite3, subprocess, tempfile
import threading
with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
    print(list(pool.map(abs, [-1, -2])))
print(subprocess.run("echo shell", shell=True, capture_output=True, text=True).stdout)
with tempfile.NamedTemporaryFile("w", delete=False) as file:
    file.write("moved")
os.replace(file.name, "here")
print(open("here").read(), sqlite3.connect("db").execute("select 1").fetchone())
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].send(b"hello")).start()
print(socket.create_connection(server.getsockname()).recv(9))
print(os.path.expanduser("~") != "/", os.access(os.path.expanduser("~"), os.W_OK))
with multiprocessing.get_context("fork").Manager() as manager:
    print(manager.list([1]))
print(multiprocessing.Value("i", 3).value, len(os.urandom(3)), os.cpu_count() > 0)
"""
    notebook = new_notebook(cells=[new_code_cell(code)])
    execute(notebook, limits=Limits(), cwd=tmp_path)
    elsewhere = "".join(o.get("text") or str(o.get("traceback")) for o in notebook.cells[0].outputs)
    with Room({}) as room:
        assert run(room, code) == elsewhere.strip()
    assert "hello" in elsewhere


def test_shell_commands_and_magics_work() -> None:
    assert in_room("!echo one; pwd\n%cd -q /tmp\n!pwd").split() == [
        "one",
        "/tmp/submission",
        "/tmp",
    ]


def test_a_folder_may_be_made_readable(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # root's kernels are run by somebody else
    (tmp_path / "data").write_text("shared")
    read = f"print(open({str(tmp_path / 'data')!r}).read())"
    assert in_room(read) == "FileNotFoundError"
    assert in_room(read, readable=(str(tmp_path),)) == "shared"
    written = f"open({str(tmp_path / 'data')!r}, 'w')"
    assert in_room(written, readable=(str(tmp_path),)) in ("OSError", "PermissionError")


def test_what_is_readable_in_tmp_leaves_the_rest_of_tmp_the_kernels_own() -> None:
    with TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "data").write_text("shared")
        code = (
            f"import os\nprint(open({folder + '/data'!r}).read(), len(open('/tmp/mine', 'w').name),"
            f" os.listdir('/markbook/behind'))\nopen({folder + '/new'!r}, 'x')"
        )
        with Room({}, readable=(folder,)) as room:
            for _ in range(2):  # a second notebook of the submission finds the same
                said = run(
                    room,
                    f"import os\nif os.path.exists('/tmp/mine'): os.remove('/tmp/mine')\n{code}",
                )
                assert said in ("shared 9 []\nOSError", "shared 9 []\nPermissionError")


def test_code_that_takes_too_much_memory_is_ended_with_that_reason() -> None:
    code = (
        "import os, time\nfor _ in range(8):\n"
        "    if os.fork() == 0:\n        x = bytearray(b'x') * 90_000_000; time.sleep(9)\n"
        "x = bytearray(b'x') * 90_000_000; time.sleep(9)"
    )
    with Room({}, bounds=Bounds(memory=200_000_000)) as room:
        said = run(room, code, cell_seconds=5)
        # Linux ends the largest process, which may be the kernel or a child of it.
        assert said == str(Stopped.MEMORY) or room.out_of_memory()


def test_memory_that_was_shared_before_is_not_counted_for_each_process() -> None:
    code = (
        "import os, time\nfor _ in range(10):\n    if os.fork() == 0: time.sleep(2); os._exit(0)\n"
        "time.sleep(1); print('all')"
    )
    assert in_room(code, bounds=Bounds(memory=250_000_000)) == "all"


def test_a_room_leaves_nothing_on_this_machine(tmp_path: Path) -> None:
    program = (
        "import sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from nbformat.v4 import new_code_cell, new_notebook\n"
        "from markbook.kernels.execute import execute\n"
        "from markbook.kernels.limits import Limits\n"
        "from markbook.kernels.sandbox.room import Room\n"
        "with Room({'a': b'1'}) as room:\n"
        "    execute(new_notebook(cells=[new_code_cell('1')]), limits=Limits(), cwd=room)\n"
        "    print(room.group.folder if room.group else '/none')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert list(tmp_path.iterdir()) == []
    assert not Path(ran.stdout.strip()).exists()


def test_no_descriptor_of_the_server_or_its_owner_is_left_in_a_kernel() -> None:
    code = (
        "import os\nkinds = {os.readlink(f'/proc/self/fd/{n}').split(':')[0].split(' ')[0]\n"
        "         for n in os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{n}')}\n"
        "print(sorted(kinds - {'socket', 'pipe', 'anon_inode', '/dev/null'}))"
    )
    assert in_room(code) == "['/memfd']" or in_room(code) == "['/memfd:markbook-log']"


def test_a_log_cannot_fill_the_owners_memory() -> None:
    code = (
        "import os\nfor n in range(3, 60):\n    try: os.write(n, b'x' * 10_000_000)\n"
        "    except OSError: pass"
    )
    notebook = new_notebook(cells=[new_code_cell(code)])
    with Room({}) as room:
        ran = execute(notebook, limits=Limits(cell_seconds=5, total_seconds=10), cwd=room)
    assert len(ran.log) <= 65536


def test_who_runs_the_code_is_not_who_grades() -> None:
    assert int(in_room("import os; print(os.getuid())")) not in (0, os.getuid())
