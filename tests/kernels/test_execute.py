"""Outputs equal nbgrader's own, and no code gets past its limits. Real kernels throughout."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from markbook.kernels.execute import Execution, execute
from markbook.kernels.limits import Limits, Stopped

if TYPE_CHECKING:
    from nbformat import NotebookNode

# One notebook, so that nbgrader's second for each kernel is paid once. A pair is code and tags.
CELLS: list[str | tuple[str, list[str]]] = [
    "print('one'); print('two')",
    "1 + 1",
    "",
    "   \n\n",
    "# only a comment",
    "2; None",
    "import sys\nprint('on stderr', file=sys.stderr)\nprint('on stdout')",
    "1 / 0",
    ("raise ValueError('expected')", ["raises-exception"]),
    ("print('skipped')", ["skip-execution"]),
    "def broken(:\n    pass",
    "  unindented = 1\n print(1)",
    "raise KeyboardInterrupt",
    "raise SystemExit(3)",
    "assert 1 == 2, 'with a message'",
    "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Odd",
    "import warnings\nwarnings.warn('beware')",
    "input('name? ')",
    "import getpass\ngetpass.getpass()",
    "display({'text/plain': 'plain', 'text/html': '<b>bold</b>'}, raw=True)",
    "from IPython.display import HTML, Image, Markdown, JSON\nHTML('<i>x</i>')",
    "Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(30))",
    "JSON({'a': [1, 2.5, None]})",
    "handle = display('first', display_id='here')\nprint('after')",
    "handle.update('second')\ndisplay('another', display_id='here')",
    "from IPython.display import clear_output\nprint('gone'); clear_output(); print('kept')",
    "print('gone'); clear_output(wait=True); print('kept')",
    "print('stays'); clear_output(wait=True)",
    "display('x', display_id='there'); clear_output()\nfrom IPython.display import update_display",
    "update_display('y', display_id='there'); update_display('z', display_id='nowhere')",
    "%%capture taken\nprint('captured')",
    "taken.show(); %lsmagic\nprint(len(taken.stdout))",
    "%%writefile note.txt\nwritten",
    "!cat note.txt; echo from a shell; echo to stderr >&2",
    "lines = !echo one; echo two\nlines",
    # What comes by descriptor is pumped by a thread: it may be late.
    "import os, time\nos.system('echo by system'); time.sleep(0.5)",
    (
        "import subprocess\nsubprocess.run(['sh', '-c', 'echo by run; echo bad >&2; exit 2'])\n"
        "time.sleep(0.5)"
    ),
    "%%bash\necho in bash\nexit 3",
    "%nonsense",
    "%%nonsense\n1",
    "len?",
    (
        "import asyncio\nasync def late():\n    await asyncio.sleep(0.01)\n    return 'awaited'\n"
        "await late()"
    ),
    "asyncio.get_running_loop().is_running()",
    (
        "import threading\nt = threading.Thread(target=print, args=('in a thread',))\n"
        "t.start(); t.join()"
    ),
    (
        "from multiprocessing import get_context\n"
        "p = get_context('fork').Process(target=print, args=('child',))\n"
        "p.start(); p.join(); p.exitcode; time.sleep(0.5)"
    ),
    "import logging\nlogging.warning('logged')",
    "sys.stdout.write('no newline')",
    "print('a\\rb\\x08c\\x1b[31mred\\x1b[0m \\u2603 \\U0001f600')",
    "os.write(1, b'to the descriptor\\n'); time.sleep(0.5)",
    "_, __, In[2], Out[2]",
    "get_ipython().showtraceback = lambda *a, **k: None\nraise OSError('silent')",
    "del get_ipython().showtraceback\n'back'",
    "print('\\udc80')",
    "'\\ud800'",
    "display({'application/json': {'a': float('nan'), 'b': b'bytes'}}, raw=True)",
    "get_ipython().set_next_input('another cell')",
    "from comm import create_comm\nc = create_comm(target_name='nobody', data={'a': 1})",
    (
        "state = {'_model_name': 'M', '_model_module': 'm', '_model_module_version': '1', 'v': 3}\n"
        "w = create_comm(target_name='jupyter.widget', data={'state': state})\n"
        "w.send({'state': {'v': 4}})"
    ),
    (
        "state = {'_model_name': 'OutputModel', '_model_module': '@jupyter-widgets/output',\n"
        "         '_model_module_version': '1', 'outputs': [], 'msg_id': ''}\n"
        "o = create_comm(target_name='jupyter.widget', data={'state': state}, comm_id='out')\n"
        "parent = get_ipython().kernel.get_parent()['header']['msg_id']\n"
        "o.send({'method': 'update', 'state': {'msg_id': parent}})\n"
        "print('into the widget')\n"
        "o.send({'method': 'update', 'state': {'msg_id': ''}})\n"
        "print('into the cell')"
    ),
    "from time import sleep\nfor n in range(3):\n    print(n, flush=True)\n    sleep(0.3)",
    "for n in range(200):\n    print(n, flush=True)",  # of 2000, nbclient loses some
    "print('x' * 1_000_000)",
    "sleep(60)",
    "try:\n    sleep(60)\nfinally:\n    print('cleaned up')",
    "exit()",
    "quit",
    "'the end'",
]


def notebook(*cells: str | tuple[str, list[str]]) -> NotebookNode:
    made = [new_markdown_cell("# A notebook", id="head")]
    for number, cell in enumerate(cells):
        source, tags = cell if isinstance(cell, tuple) else (cell, [])
        metadata = {"tags": tags} if tags else {}
        made.append(new_code_cell(source, id=f"c{number}", metadata=metadata))
    made[-1].outputs = [{"output_type": "stream", "name": "stdout", "text": "old"}]
    book = new_notebook(cells=made)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return book


def run(folder: Path, *cells: str, **options: Any) -> tuple[Execution, list[list[NotebookNode]]]:
    limits = Limits(**{"cell_seconds": 30.0, "total_seconds": 60.0, **options})
    book = notebook(*cells)
    execution = execute(book, limits=limits, cwd=folder)
    return execution, [cell.outputs for cell in book.cells[1:]]


def text(outputs: list[NotebookNode]) -> str:
    return "".join(output.get("text", output.get("ename", "")) for output in outputs)


def seen(cell: NotebookNode) -> Any:
    if cell.cell_type != "code":
        return cell
    text = json.dumps(alike(cell.outputs), sort_keys=True)
    text = re.sub(r"ipykernel_[0-9]+", "ipykernel_PROCESS", text)
    stamps = sorted(cell.metadata.get("execution", {}))
    return json.loads(text), cell.execution_count, sorted(cell.metadata), stamps


def alike(outputs: list[NotebookNode]) -> list[Any]:
    """Join what was flushed in pieces: where a stream is cut is a matter of time."""
    found: list[Any] = []
    streams: dict[str, str] = {}
    for output in [*outputs, None]:
        if output is not None and output.output_type == "stream":
            streams[output.name] = streams.get(output.name, "") + output.text
            continue
        found += sorted(streams.items())
        streams = {}
        if output is not None:
            found.append(dict(output))
    return found


def test_outputs_are_those_that_nbgrader_gets(tmp_path: Path) -> None:
    from nbgrader.preprocessors import Execute

    books = notebook(*CELLS), notebook(*CELLS)
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    execution = execute(books[0], limits=Limits(cell_seconds=3), cwd=tmp_path / "ours")
    assert (execution.stopped, execution.cell) == (None, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
        patch.delenv("PYTEST_CURRENT_TEST")  # with it ipykernel does not capture descriptors
        oracle = Execute(timeout=3)
        oracle.log.disabled = True
        try:
            oracle.preprocess(books[1], {"metadata": {"path": str(tmp_path / "theirs")}})
        finally:
            oracle.log.disabled = False
    different = {
        ours.source: (seen(ours), seen(theirs))
        for ours, theirs in zip(books[0].cells, books[1].cells, strict=True)
        if seen(ours) != seen(theirs)
    }
    assert not different
    assert books[0].metadata.language_info == books[1].metadata.language_info
    assert without_ids(books[0].metadata.widgets) == without_ids(books[1].metadata.widgets)


def without_ids(widgets: NotebookNode) -> list[Any]:
    return list(widgets["application/vnd.jupyter.widget-state+json"]["state"].values())


def test_code_that_ends_the_kernel_ends_the_run_at_once_and_keeps_what_ran(tmp_path: Path) -> None:
    for code in ("import os\nos._exit(3)", "import ctypes\nctypes.string_at(0)"):
        execution, outputs = run(tmp_path, "print('before')", code, "print('after')")
        assert (execution.stopped, execution.cell) == (Stopped.DIED, 2)
        assert [text(o) for o in outputs[:2]] == ["before\n", ""]
        assert text(outputs[2]) == "old"
        assert execution.seconds < 5


def test_a_loop_is_interrupted_and_the_next_cell_runs(tmp_path: Path) -> None:
    execution, outputs = run(tmp_path, "while True: pass", "'next'", cell_seconds=0.5)
    assert execution.stopped is None
    assert text(outputs[0]) == "KeyboardInterruptCellTimeoutError"
    assert outputs[1][0]["data"]["text/plain"] == "'next'"


@pytest.mark.parametrize(
    "code",
    [
        (
            "import time\nwhile True:\n    try:\n        time.sleep(1)\n"
            "    except KeyboardInterrupt:\n        print('no')"
        ),
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "import itertools\nsum(itertools.repeat(1, 10**12))",
    ],
    ids=["swallowed", "ignored", "in C"],
)
def test_code_that_does_not_stop_when_interrupted_is_killed(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("markbook.kernels.execute._GRACE", 1)
    execution, outputs = run(tmp_path, "print('before')", code, "1", cell_seconds=0.5)
    assert (execution.stopped, execution.cell) == (Stopped.UNRESPONSIVE, 2)
    assert text(outputs[0]) == "before\n"
    assert text(outputs[2]) == "old"
    assert execution.seconds < 10


def test_a_submission_that_takes_all_of_its_time_is_stopped(tmp_path: Path) -> None:
    sleeps = ["print('a', flush=True); import time; time.sleep(0.4)"] * 20
    execution, outputs = run(tmp_path, *sleeps, total_seconds=1.0)
    assert execution.stopped is Stopped.TIME
    assert execution.cell in (2, 3, 4)
    assert [text(o) for o in outputs[: execution.cell]] == ["a\n"] * execution.cell
    assert execution.seconds < 10


@pytest.mark.parametrize(
    "code",
    [
        "print('x' * 50_000_000)",
        "raise ValueError('x' * 50_000_000)",
        "'x' * 50_000_000",
        "get_ipython().payload_manager.write_payload({'source': 'page', 'data': 'x' * 50_000_000})",
    ],
    ids=["line", "error", "result", "pager"],
)
def test_50_mb_in_one_message_stop_the_run_and_are_never_read(tmp_path: Path, code: str) -> None:
    run(tmp_path, "1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    execution, outputs = run(tmp_path, "print('before')", code, "1")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (execution.stopped, execution.cell) == (Stopped.OUTPUT, 2)
    assert text(outputs[0]) == "before\n"
    assert text(outputs[2]) == "old"
    assert after - before < 20_000  # kB


def test_many_outputs_are_kept_up_to_what_is_allowed(tmp_path: Path) -> None:
    code = "for n in range(100_000):\n    print('x' * 10_000, flush=True)"
    execution, outputs = run(tmp_path, code, "1", output=1_000_000)
    assert (execution.stopped, execution.cell) == (Stopped.OUTPUT, 1)
    assert 900_000 < len(text(outputs[0])) <= 1_000_000
    code = "while True:\n    display({}, raw=True)"
    execution, outputs = run(tmp_path, code, "1", output=300_000)
    assert execution.stopped is Stopped.OUTPUT
    assert 100 < len(outputs[0]) < 3000


def test_output_is_counted_over_all_cells(tmp_path: Path) -> None:
    execution, outputs = run(tmp_path, *["print('x' * 40_000)"] * 5, output=100_000)
    assert (execution.stopped, execution.cell) == (Stopped.OUTPUT, 3)
    assert [len(text(o)) > 10_000 for o in outputs] == [True, True, True, False, False]


def test_a_flood_of_small_outputs_is_complete(tmp_path: Path) -> None:
    code = "for n in range(5000):\n    print(n, flush=True)"
    execution, outputs = run(tmp_path, code, "'after'")
    assert execution.stopped is None
    assert text(outputs[0]).split() == [str(n) for n in range(5000)]


def test_too_much_memory_is_an_error_of_the_cell(tmp_path: Path) -> None:
    execution, outputs = run(tmp_path, "bytearray(4 * 2**30)", "'after'", memory=2**30)
    assert execution.stopped is None
    assert outputs[0][0]["ename"] == "MemoryError"
    assert outputs[1][0]["data"]["text/plain"] == "'after'"


@pytest.mark.parametrize("fault", ["preload", "folder"])
def test_a_kernel_that_does_not_start_says_why(tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "nowhere" if fault == "folder" else tmp_path
    preload = ("no_such_module",) if fault == "preload" else ()
    book = notebook("1")
    execution = execute(book, limits=Limits(), cwd=folder, preload=preload)
    assert (execution.stopped, execution.cell) == (Stopped.NEVER_STARTED, None)
    last = execution.log.strip().splitlines()[-1]
    assert ("no_such_module" if fault == "preload" else "nowhere") in last
    assert text(book.cells[1].outputs) == "old"


def test_a_kernel_that_takes_too_long_to_start_never_started(tmp_path: Path) -> None:
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(60)")
    book = notebook("1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        start = time.monotonic()
        limits = Limits(start_seconds=2)
        execution = execute(book, limits=limits, cwd=tmp_path, preload=("slow_module",))
    assert execution.stopped is Stopped.NEVER_STARTED
    assert time.monotonic() - start < 20


def test_code_that_kills_the_server_of_kernels_is_tried_again_and_then_to_blame(
    tmp_path: Path,
) -> None:
    once = (
        "import os, pathlib, signal, time\nif not pathlib.Path('did').exists():\n"
        "    pathlib.Path('did').touch()\n    os.kill(os.getppid(), signal.SIGKILL)\n"
        "    time.sleep(60)"
    )
    execution, outputs = run(tmp_path, once, "'reached'")
    assert execution.stopped is None
    assert outputs[1][0]["data"]["text/plain"] == "'reached'"
    always = "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(60)"
    execution, _ = run(tmp_path, always, "1")
    assert (execution.stopped, execution.cell) == (Stopped.DIED, 1)
    execution, _ = run(tmp_path, "1")
    assert execution.stopped is None


def test_errors_that_are_not_allowed_end_the_run(tmp_path: Path) -> None:
    book = notebook("1", ("2 / 0", ["raises-exception"]), "1 / 0", "3")
    execution = execute(book, limits=Limits(), cwd=tmp_path, allow_errors=False)
    assert (execution.stopped, execution.cell) == (None, 3)
    assert [text(c.outputs) for c in book.cells[2:]] == [*["ZeroDivisionError"] * 2, "old"]


def test_forged_messages_are_no_faults_of_ours(tmp_path: Path) -> None:
    forge = textwrap.dedent("""
        k = get_ipython().kernel
        def forge(kind, content):
            k.session.send(k.iopub_socket, kind, content, parent=k.get_parent())
        forge("stream", {"name": "stdout"})
        forge("stream", {"name": "stdout", "text": {}})
        forge("display_data", {"data": {"text/plain": {}}})
        forge("error", {})
        forge("comm_msg", {})
        forge("comm_open", {"data": 3, "comm_id": []})
        forge("nonsense", {})
        forge("status", {"execution_state": "busy"})
        k.iopub_socket.send_multipart([b"<IDS|MSG>", b"no signature", b"{}"])
        k.iopub_socket.send_multipart([b"nothing"])
        k.iopub_socket.send_multipart([b"<IDS|MSG>", b"", b"{", b"{}", b"{}", b"{}"])
    """)
    execution, outputs = run(tmp_path, forge, "'after'")
    assert execution.stopped is None
    assert outputs[1][0]["data"]["text/plain"] == "'after'"


def test_runs_go_side_by_side_and_leave_nothing(tmp_path: Path) -> None:
    def one(number: int) -> str:
        return text(run(tmp_path, f"import os; print({number}, os.getpid())")[1][0])

    before = set(threading.enumerate())  # another file's tests may have left some of their own
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr("tempfile.tempdir", None)
        with ThreadPoolExecutor(4) as pool:
            said = [line.split() for line in pool.map(one, range(8))]
        assert list(temporary.iterdir()) == []
    assert [word for word, _ in said] == [str(n) for n in range(8)]
    assert len({pid for _, pid in said}) == 8
    assert not [pid for _, pid in said if Path(f"/proc/{pid}").exists()]
    assert set(threading.enumerate()) <= before


def test_a_running_event_loop_is_no_hindrance(tmp_path: Path) -> None:
    async def inside() -> Execution:
        return run(tmp_path, "1")[0]

    assert asyncio.run(inside()).stopped is None


def test_it_works_in_a_process_forked_from_one_that_ran_kernels(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import multiprocessing, sys
        from pathlib import Path
        from nbformat.v4 import new_code_cell, new_notebook
        from markbook.kernels.execute import execute
        from markbook.kernels.limits import Limits
        def one(_=None):
            book = new_notebook(cells=[new_code_cell("1 + 1")])
            assert execute(book, limits=Limits(), cwd=Path({str(tmp_path)!r})).stopped is None
            return book.cells[0].outputs[0]["data"]["text/plain"]
        one()
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            print(pool.map(one, range(4)))
        print(one())
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("['2', '2', '2', '2']\n2\n", "")


def test_a_submission_sees_nothing_of_the_graders_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    book = notebook("import os; print('SECRET_TOKEN' in os.environ, os.environ['OURS'])")
    execute(book, limits=Limits(), cwd=tmp_path, environment={"OURS": "yes"})
    assert text(book.cells[1].outputs) == "False yes\n"
    assert os.environ["SECRET_TOKEN"] == "hunter2"


def test_an_interrupted_grader_leaves_no_kernel(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        from pathlib import Path
        from nbformat.v4 import new_code_cell, new_notebook
        from markbook.kernels.execute import execute
        from markbook.kernels.limits import Limits
        code = "import os, time\\nopen('pid', 'w').write(str(os.getpid()))\\ntime.sleep(60)"
        book = new_notebook(cells=[new_code_cell(code)])
        execute(book, limits=Limits(), cwd=Path({str(tmp_path)!r}))
    """)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=environment
    )
    written = tmp_path / "pid"
    until = time.monotonic() + 30
    while not (written.is_file() and written.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert said.strip().endswith("KeyboardInterrupt")
    assert not Path(f"/proc/{written.read_text()}").exists()
    assert list(temporary.iterdir()) == []
