"""The fork server: nothing leaks from one kernel to the next, and nothing outlives its owner."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from markbook.kernels.forkowner import (
    KernelStartError,
    PreloadError,
    fork_server,
    running_fork_server,
    stop_fork_servers,
)

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="kernels fork on Linux"
)

# What can be seen of a process from inside, as text that is equal in equal kernels.
LOOK = """
def _look():
    import asyncio, atexit, builtins, gc, json, logging, math, os, random, resource, signal
    import socket, sys, threading, time, warnings, decimal, contextlib
    import matplotlib, numpy, unittest
    shell = get_ipython()
    files = []
    for entry in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            files.append(os.readlink(f"/proc/self/fd/{entry}"))
    return {
        "builtins": sorted(vars(builtins)),
        "print": print.__module__,
        "names": sorted(n for n in globals() if n[0] != "_"),
        "modules": "leaked" in sys.modules,
        "patched library": math.tau,
        "patched class": hasattr(unittest.TestCase, "leaked"),
        "path": sys.path,
        "finders": len(sys.meta_path),
        "argv": len(sys.argv),
        "environment": {k: v for k, v in os.environ.items() if k != "IPYTHONDIR"},
        "folder": os.getcwd() == FOLDER,
        "files in the folder": sorted(os.listdir(FOLDER)),
        "open files": sorted(f for f in files if f.startswith("/") and "/proc/" not in f),
        "threads": sorted(t.name for t in threading.enumerate()),
        "tasks": len(os.listdir("/proc/self/task")),
        "children": open(f"/proc/self/task/{os.getpid()}/children").read(),
        "signals": {str(s): str(signal.getsignal(s)) for s in signal.valid_signals()},
        "alarm": signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0,
        "at exit": atexit._ncallbacks(),
        "random": random.random() == random.Random(1).random(),
        "numpy random": numpy.random.random() == numpy.random.RandomState(1).random(),
        "matplotlib": matplotlib.rcParams["figure.figsize"],
        "backend": matplotlib.rcParams["backend"],
        "collector": [gc.isenabled(), gc.get_threshold()],
        "recursion": sys.getrecursionlimit(),
        "decimal": decimal.getcontext().prec,
        "warnings": len(warnings.filters),
        "logging": [logging.getLogger().level, len(logging.getLogger().handlers)],
        "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
        "priority": os.nice(0),
        "mask": (lambda m: (os.umask(m), m)[1])(os.umask(0o22)),
        "timeout": socket.getdefaulttimeout(),
        "zone": time.tzname,
        "trace": str(threading.gettrace()),
        "policy": type(asyncio.get_event_loop_policy()).__name__,
        "hooks": [sys.unraisablehook.__module__, threading.excepthook.__module__],
        "transformers": [len(shell.input_transformers_cleanup), len(shell.ast_transformers)],
        "magics": "leaked" in shell.magics_manager.magics["line"],
        "store": len(shell.db.keys()),
        "hash": hash("markbook"),
    }
import json as _json
print(_json.dumps(_look(), default=str))
"""

DIRTY = """
import asyncio, atexit, ast, builtins, decimal, gc, json, logging, math, os, random, resource
import signal, socket, subprocess, sys, threading, time, types, unittest, warnings
import matplotlib, numpy
def leaked(*_, **__): pass
builtins.leaked = leaked
_print = builtins.print
def print(*a, **k): return _print(*a, **k)
builtins.print = print
sys.modules["leaked"] = types.ModuleType("leaked")
math.tau = 3
unittest.TestCase.leaked = True
sys.path.insert(0, "/leaked")
sys.meta_path.append(None)
sys.meta_path.pop(); sys.meta_path.insert(0, type("F", (), {"find_spec": staticmethod(leaked)}))
sys.argv.append("leaked")
os.environ["LEAKED"] = "1"
os.environ["TZ"] = "Asia/Tokyo"; time.tzset()
open(FOLDER + "/leaked.txt", "w").write("x")
keep = open(FOLDER + "/leaked.txt")
os.chdir("/")
threading.Thread(target=time.sleep, args=(60,), daemon=True, name="leaked").start()
subprocess.Popen(["sleep", "60"])
signal.signal(signal.SIGUSR1, leaked)
signal.setitimer(signal.ITIMER_VIRTUAL, 1000)
atexit.register(leaked)
matplotlib.rcParams["figure.figsize"] = [1, 1]
matplotlib.rcParams["backend"] = "svg"
gc.disable(); gc.set_threshold(7)
sys.setrecursionlimit(777)
decimal.getcontext().prec = 3
warnings.simplefilter("error", BytesWarning)
logging.getLogger().setLevel(7)
resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
os.nice(3)
os.umask(0o77)
socket.setdefaulttimeout(7)
threading.settrace(leaked)
class Policy(asyncio.DefaultEventLoopPolicy): pass
asyncio.set_event_loop_policy(Policy())
sys.unraisablehook = leaked
shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: lines)
shell.ast_transformers.append(ast.NodeTransformer())
shell.register_magic_function(leaked, "line", "leaked")
shell.db["leaked"] = 1
random.seed(1)
numpy.random.seed(1)
"""

# Equal in all: one hash seed, so that an order of a set is no matter of luck.
SAME_ON_PURPOSE = {"hash"}


async def _look(open_kernel: Any, cwd: Path, before: str = "") -> dict[str, Any]:
    cwd.mkdir()
    environment = {"HOME": str(cwd.parent), "PATH": os.environ["PATH"], "TZ": "UTC"}
    async with open_kernel(cwd, environment=environment, preload=("numpy", "matplotlib")) as kernel:
        assert await kernel.run(f"FOLDER = {str(cwd)!r}\n" + before) == ""
        return dict(json.loads(await kernel.run(LOOK)))


def test_nothing_that_a_cell_can_change_is_found_by_the_next_kernel(
    open_kernel: Any, tmp_path: Path
) -> None:
    async def three() -> list[dict[str, Any]]:
        return [
            await _look(open_kernel, tmp_path / "one"),
            await _look(open_kernel, tmp_path / "two", DIRTY),
            await _look(open_kernel, tmp_path / "three"),
        ]

    clean, dirty, after = asyncio.run(three())
    seen = {name for name in clean if clean[name] != dirty[name]}
    assert set(clean) - seen == SAME_ON_PURPOSE, "the look does not see what was changed"
    assert after == clean


def test_a_kernel_is_what_ipykernels_own_launcher_makes(open_kernel: Any, tmp_path: Path) -> None:
    async def talk() -> None:
        # ipykernel leaves file descriptors alone where it finds pytest's mark in the environment.
        async with open_kernel(tmp_path, environment={"PATH": os.environ["PATH"]}) as kernel:
            assert await kernel.run("print(__name__)") == "__main__"
            code = "import sys; print(sys.modules['__main__'].__dict__ is globals(), sys.argv[1])"
            assert await kernel.run(code) == "True -f"
            assert (await kernel.run("print(sys.argv[0])")).endswith("ipykernel_launcher.py")
            assert await kernel.run("import os; print(os.getcwd())") == str(tmp_path)
            assert await kernel.run("print(os.getsid(0) == os.getpgid(0) == os.getpid())") == "True"
            (tmp_path / "beside.py").write_text("answer = 42")
            assert await kernel.run("import beside; print(beside.answer)") == "42"
            code = "import time; os.system('echo below Python'); time.sleep(0.5)"
            assert await kernel.run(code) == "below Python"
            assert await kernel.run("await __import__('asyncio').sleep(0, 'x')") == "text/plain"
            assert await kernel.run("class A: pass\nimport pickle; print(pickle.dumps(A)[:1])")
            assert "below the code" in await kernel.run("raise KeyError('below the code')")

    asyncio.run(talk())


def test_chance_differs_from_kernel_to_kernel_but_hashes_do_not(
    open_kernel: Any, tmp_path: Path
) -> None:
    code = "import random, numpy, uuid; print(random.random(), numpy.random.random(), uuid.uuid4())"

    async def two() -> list[list[str]]:
        found = []
        for _ in range(2):
            async with open_kernel(tmp_path, preload=("numpy", "matplotlib")) as kernel:
                found.append((await kernel.run(code)).split())
                found[-1].append(await kernel.run("print(hash('x'))"))
        return found

    first, second = asyncio.run(two())
    assert [a == b for a, b in zip(first, second, strict=True)] == [False, False, False, True]


def test_the_environment_is_the_given_one_and_the_process_shows_no_other(
    open_kernel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_servers: None
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")

    async def talk() -> tuple[str, str]:
        async with open_kernel(tmp_path, environment={"PATH": "/usr/bin", "MINE": "1"}) as kernel:
            given = await kernel.run("import os; print(sorted(os.environ))")
            return given, await kernel.run("print(open('/proc/self/environ').read())")

    given, shown = asyncio.run(talk())
    assert "MINE" in given
    assert "SECRET_TOKEN" not in given + shown
    assert "HOME=" in shown


def test_the_server_has_one_thread_and_nothing_to_complain_of(
    open_kernel: Any, tmp_path: Path
) -> None:
    async def talk() -> None:
        async with open_kernel(tmp_path, preload=("numpy", "matplotlib")) as kernel:
            assert await kernel.run("1") == "text/plain"

    asyncio.run(talk())
    server = running_fork_server(("numpy", "matplotlib"))
    assert server is not None
    assert len(list(Path(f"/proc/{server.process.pid}/task").iterdir())) == 1
    assert server._said() == ""


def test_a_preloaded_matplotlib_draws_into_the_notebook(open_kernel: Any, tmp_path: Path) -> None:
    async def talk() -> str:
        async with open_kernel(tmp_path, preload=("numpy", "matplotlib")) as kernel:
            return str(await kernel.run("import matplotlib.pyplot as p; p.plot([1, 2]); p.show()"))

    assert asyncio.run(talk()) == "text/plain image/png"


# What goes wrong at the start.

PATCH = "import os, time\nfrom ipykernel.kernelapp import IPKernelApp as A\n"


@pytest.fixture
def user_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_servers: None) -> Path:
    """A folder that servers started now find modules in."""
    folder = tmp_path / "modules"
    folder.mkdir()
    site = f"import sys; sys.path.append({str(folder)!r}); "
    launch = f"{site}from markbook.kernels.forkserver import main; sys.argv[1:] = sys.argv[4:5]"
    command = (sys.executable, "-c", f"{launch}; main()")
    monkeypatch.setattr("markbook.kernels.forked.ForkedKernelManager.wrap", command)
    return folder


def _start_error(open_kernel: Any, cwd: Path, **attributes: Any) -> KernelStartError:
    async def start() -> None:
        async with open_kernel(cwd, **attributes):
            pass

    with pytest.raises(KernelStartError) as caught:
        asyncio.run(start())
    return caught.value


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("x =", "SyntaxError"),
        ("import threading as t\nt.Thread(target=t.Event().wait, daemon=True).start()",
         "it starts 1 thread(s)"),
    ],
)  # fmt: skip
def test_a_module_that_cannot_be_preloaded_is_named(
    open_kernel: Any, tmp_path: Path, user_modules: Path, code: str, reason: str
) -> None:
    (user_modules / "course_tools.py").write_text(code)
    error = _start_error(open_kernel, tmp_path, preload=("json", "course_tools"))
    assert isinstance(error, PreloadError)
    assert error.module == "course_tools"
    assert reason in str(error)
    assert "c.Markbook.preload" in str(error)


def test_a_module_that_was_mended_is_preloaded_and_a_whole_class_does_not_try_in_vain(
    open_kernel: Any, tmp_path: Path, user_modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (user_modules / "course_tools.py").write_text(
        f"open({str(tmp_path / 'tried')!r}, 'a').write('x'); 1 / 0"
    )
    errors = {
        str(_start_error(open_kernel, tmp_path, preload=("json", "course_tools")))
        for _ in range(20)
    }
    assert len(errors) == 1
    assert (tmp_path / "tried").read_text() == "x"
    (user_modules / "course_tools.py").write_text("answer = 42")
    monkeypatch.setattr("markbook.kernels.forkowner._PAUSE", 0.0)

    async def talk() -> str:
        async with open_kernel(tmp_path, preload=("json", "course_tools")) as kernel:
            return str(await kernel.run("import course_tools; print(course_tools.answer)"))

    assert asyncio.run(talk()) == "42"


def test_a_module_that_kills_or_hangs_the_server_is_an_error_in_time(
    open_kernel: Any, tmp_path: Path, user_modules: Path
) -> None:
    (user_modules / "ends.py").write_text("import os; os.write(2, b'last words'); os._exit(3)")
    assert "last words" in str(_start_error(open_kernel, tmp_path, preload=("ends",)))
    (user_modules / "hangs.py").write_text("import time; time.sleep(99)")
    error = _start_error(open_kernel, tmp_path, preload=("hangs",), start_seconds=1.0)
    assert "1 s" in str(error) or "it ended" in str(error)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os\ndef fork(): raise BlockingIOError(11, 'no more processes')\nos.fork = fork",
         "fork: no more processes"),
        (PATCH + "def f(s): 1 / 0\nA.init_sockets = f", "ZeroDivisionError"),
        (PATCH + "def f(s): os._exit(9)\nA.init_sockets = f", "ended (9)"),
        (PATCH + "def f(s): time.sleep(99)\nA.init_sockets = f", "not ready after 2 s"),
    ],
)  # fmt: skip
def test_a_kernel_that_does_not_come_up_says_why_and_leaves_nothing(
    open_kernel: Any,
    tmp_path: Path,
    user_modules: Path,
    run_folders: Any,
    code: str,
    reason: str,
) -> None:
    (user_modules / "spoils.py").write_text(code)
    seconds = 2.0 if "99" in code else 60.0
    error = _start_error(open_kernel, tmp_path, preload=("spoils",), start_seconds=seconds)
    assert reason in str(error)
    assert run_folders() == []
    [server] = _servers()
    assert _children(server) == []


def test_a_folder_that_is_not_there_and_a_server_that_cannot_be_are_named_errors(
    open_kernel: Any, tmp_path: Path, no_servers: None
) -> None:
    assert "not_there" in str(_start_error(open_kernel, tmp_path / "not_there"))
    error = _start_error(open_kernel, tmp_path, wrap=("no-such-sandbox",))
    assert "no-such-sandbox" in str(error)
    sleeper = (sys.executable, "-c", "import time; time.sleep(99)")
    error = _start_error(open_kernel, tmp_path, wrap=sleeper, start_seconds=0.5)
    assert "did not answer" in str(error)


def test_the_server_may_be_started_inside_a_sandbox(open_kernel: Any, tmp_path: Path) -> None:
    async def talk() -> str:
        async with open_kernel(tmp_path, wrap=("nice", "-n", "3")) as kernel:
            return str(await kernel.run("import os; print(os.nice(0))"))

    assert asyncio.run(talk()) == str(os.nice(0) + 3)


# Ends of kernels, servers and owners.

# A process that is nobody's child any more, in a session of its own, deaf to polite signals.
DAEMON = """
import os, signal, time
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(s, signal.SIG_IGN)
        os.write(w, str(os.getpid()).encode())
        time.sleep(600)
    os._exit(0)
print(int(os.read(r, 100)))
"""


@pytest.mark.parametrize("end", ["", "import os; os._exit(0)"])
def test_what_a_cell_left_running_ends_with_its_kernel_however_that_ends(
    open_kernel: Any, tmp_path: Path, gone: Any, end: str
) -> None:
    async def talk() -> list[int]:
        async with open_kernel(tmp_path) as kernel:
            below = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"
            pids = [kernel.pid, int(await kernel.run(DAEMON)), int(await kernel.run(below))]
            if end:
                kernel.client.execute(end)
                await kernel.manager.provisioner.wait()
                assert kernel.manager.provisioner.code == 0
            return pids

    assert gone(asyncio.run(talk())) == set()


def test_a_kernels_daemon_is_not_ended_with_another_kernel(
    open_kernel: Any, tmp_path: Path, gone: Any
) -> None:
    async def talk() -> None:
        async with open_kernel(tmp_path) as one:
            daemon = int(await one.run(DAEMON))
            async with open_kernel(tmp_path) as other:
                await other.run(DAEMON)
            assert gone([daemon], seconds=0.2) == {daemon}
            assert await one.run("print(1)") == "1"

    asyncio.run(talk())


def test_ending_says_how_a_kernel_ended(open_kernel: Any, tmp_path: Path) -> None:
    async def end(code: str) -> tuple[int, bool]:
        async with open_kernel(tmp_path) as kernel:
            assert await kernel.manager.is_alive()
            kernel.client.execute(code)
            assert await kernel.manager.provisioner.wait() is not None
            assert not await kernel.manager.is_alive()
            return kernel.manager.provisioner.code, kernel.manager.provisioner.lost

    assert asyncio.run(end("import os; os._exit(7)")) == (7, False)
    assert asyncio.run(end("import os; os.kill(os.getpid(), 11)")) == (-11, False)
    assert asyncio.run(end("import ctypes; ctypes.string_at(0)")) == (-11, False)


def test_memory_beyond_the_bound_is_a_memory_error_and_the_kernel_lives(
    open_kernel: Any, tmp_path: Path
) -> None:
    async def talk() -> None:
        async with open_kernel(tmp_path, memory=300_000_000) as kernel:
            assert await kernel.run("x = bytearray(200_000_000); print(len(x))") == "200000000"
            assert (await kernel.run("y = bytearray(4_000_000_000)")).startswith("MemoryError")
            assert await kernel.run("del x; x = bytearray(200_000_000); print(1)") == "1"
            code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
            assert await kernel.run(code) == "(0, 0)"

    asyncio.run(talk())


def test_a_killed_server_takes_its_kernels_along_and_is_followed_by_another(
    open_kernel: Any, tmp_path: Path, no_servers: None, gone: Any
) -> None:
    async def talk() -> list[int]:
        async with open_kernel(tmp_path) as kernel:
            below = int(
                await kernel.run("import subprocess as s; print(s.Popen(['sleep', '600']).pid)")
            )
            first = fork_server()
            os.kill(first.process.pid, signal.SIGKILL)
            assert await asyncio.wait_for(kernel.manager.provisioner.wait(), 10) == -9
            assert kernel.manager.provisioner.lost
            pids = [first.process.pid, kernel.pid, below]
        async with open_kernel(tmp_path) as kernel:
            assert await kernel.run("print(1)") == "1"
            assert fork_server().process.pid != first.process.pid
        return pids

    assert gone(asyncio.run(talk())) == set()


def test_a_server_that_does_not_answer_is_replaced(
    open_kernel: Any, tmp_path: Path, no_servers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("markbook.kernels.forkowner._FORK_SECONDS", 0.5)
    first = fork_server()
    os.kill(first.process.pid, signal.SIGSTOP)

    async def talk() -> str:
        async with open_kernel(tmp_path) as kernel:
            return str(await kernel.run("print(1)"))

    assert asyncio.run(talk()) == "1"
    assert first.process.returncode == -signal.SIGKILL


OWNER = f"""
import asyncio, json, os, sys
from markbook.kernels.forked import ForkedKernelManager
from markbook.kernels.forkowner import fork_server
async def main():
    pids = [fork_server().process.pid]
    folders = []
    for number in range(2):
        manager = ForkedKernelManager()
        await manager.start_kernel(cwd=sys.argv[1])
        client = manager.client()
        client.start_channels(hb=False)
        await client.get_iopub_msg(timeout=30)
        client.execute({DAEMON!r})
        pids.append(manager.provisioner.pid)
        folders.append(str(manager.provisioner.folder))
        while True:
            message = await client.get_iopub_msg(timeout=30)
            if message["msg_type"] == "stream":
                pids.append(int(message["content"]["text"]))
                break
        client.stop_channels()
    print(json.dumps([pids, folders]), flush=True)
    if sys.argv[2] == "wait":
        sys.stdin.read()
asyncio.run(main())
if sys.argv[2] == "os._exit":
    os._exit(0)
"""


@pytest.mark.parametrize("end", ["wait", "os._exit", "return"])
def test_an_owner_leaves_no_process_and_no_file_whatever_way_it_ends(
    tmp_path: Path, gone: Any, end: str
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", OWNER, str(tmp_path), end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    assert owner.stderr is not None
    with owner.stdin, owner.stdout, owner.stderr:
        pids, folders = json.loads(owner.stdout.readline())
        assert len(pids) == 5
        if end == "wait":
            assert gone(pids, seconds=0) == set(pids)
            owner.kill()
        owner.wait(30)
        assert gone(pids) == set()
        assert [f for f in folders if Path(f).exists()] == []
        assert owner.stderr.read().decode() == ""


def test_a_process_forked_from_the_owner_has_servers_of_its_own(
    open_kernel: Any, tmp_path: Path
) -> None:
    async def answer() -> bool:
        async with open_kernel(tmp_path) as kernel:
            return bool(await kernel.run("print(1)") == "1")

    first = fork_server()
    pid = os.fork()
    if pid == 0:
        own = 1
        try:
            own = 0 if asyncio.run(answer()) and fork_server() is not first else 2
        finally:
            os._exit(own)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert fork_server() is first
    assert asyncio.run(answer())


def test_what_a_preloaded_module_sets_in_the_environment_is_set_in_kernels(
    open_kernel: Any, tmp_path: Path, user_modules: Path
) -> None:
    (user_modules / "sets.py").write_text("import os; os.environ.update(A='by module', B='same')")

    async def talk() -> str:
        async with open_kernel(tmp_path, preload=("sets",), environment={"B": "given"}) as kernel:
            code = "import os; print({k: v for k, v in os.environ.items() if len(k) == 1})"
            threads = "print([k for k in os.environ if 'THREADS' in k])"
            return str(await kernel.run(code) + await kernel.run(threads))

    assert asyncio.run(talk()) == "{'A': 'by module', 'B': 'given'}[]"


def test_a_preloaded_modules_own_helper_process_stays(
    open_kernel: Any, tmp_path: Path, user_modules: Path, gone: Any
) -> None:
    (user_modules / "helped.py").write_text(
        "import subprocess\nhelper = subprocess.Popen(['sleep', '600']).pid"
    )

    async def talk() -> int:
        pids = set()
        for _ in range(2):
            async with open_kernel(tmp_path, preload=("helped",)) as kernel:
                pids.add(int(await kernel.run("import helped; print(helped.helper)")))
        [pid] = pids
        assert gone([pid], seconds=0.2) == {pid}
        return pid

    pid = asyncio.run(talk())
    stop_fork_servers()
    assert gone([pid]) == set()


# Many of them.


def test_forty_kernels_from_four_threads_each_answer_for_themselves(
    open_kernel: Any, tmp_path: Path, no_servers: None
) -> None:
    async def answer(number: int) -> tuple[str, int]:
        async with open_kernel(tmp_path) as kernel:
            return await kernel.run(f"print({number} ** 2)"), kernel.pid

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda number: asyncio.run(answer(number)), range(40)))
    assert [text for text, _ in found] == [str(number**2) for number in range(40)]
    assert len({pid for _, pid in found}) == 40
    assert len(_servers()) == 1


def test_a_server_killed_again_and_again_costs_kernels_but_nobody_waits_for_ever(
    open_kernel: Any, tmp_path: Path, no_servers: None, run_folders: Any, gone: Any
) -> None:
    pids: set[int] = set()

    async def answer(number: int) -> str:
        try:
            async with open_kernel(tmp_path) as kernel:
                pids.add(kernel.pid)
                talk = asyncio.ensure_future(kernel.run(f"print({number})"))
                end = asyncio.ensure_future(kernel.manager.provisioner.process.wait())
                await asyncio.wait({talk, end}, return_when=asyncio.FIRST_COMPLETED)
                if talk.done():
                    end.cancel()
                    return talk.result()
                talk.cancel()
                assert kernel.manager.provisioner.process.lost
                return "lost"
        except KernelStartError:
            return "lost"

    def kill(number: int) -> None:
        time.sleep(0.2 + number * 0.03)
        with contextlib.suppress(KernelStartError):
            os.kill(fork_server().process.pid, signal.SIGKILL)

    with ThreadPoolExecutor(5) as threads:
        kills = [threads.submit(lambda: [kill(number) for number in range(4)])]
        found = list(threads.map(lambda number: asyncio.run(answer(number)), range(40)))
        kills[0].result()
    wrong = {text for number, text in enumerate(found) if text not in (str(number), "lost")}
    assert wrong == set()
    assert found.count("lost") < 30
    assert gone(pids) == set()
    stop_fork_servers()
    assert run_folders() == []


def test_two_hundred_kernels_leave_no_descriptor_process_or_file(
    open_kernel: Any, tmp_path: Path, no_servers: None, run_folders: Any
) -> None:
    from markbook.kernels.forked import ForkedKernelManager

    async def start_one() -> None:
        manager = ForkedKernelManager()
        await manager.start_kernel(cwd=str(tmp_path))
        await manager.shutdown_kernel()

    async def start(times: int) -> None:
        for _ in range(times // 4):
            await asyncio.gather(*(start_one() for _ in range(4)))
        async with open_kernel(tmp_path) as kernel:
            assert await kernel.run("print(1)") == "1"

    def counts() -> tuple[int, int, int, list[str]]:
        gc.collect()
        [server] = _servers()
        return (
            len(list(Path("/proc/self/fd").iterdir())),
            len(list(Path(f"/proc/{server}/fd").iterdir())),
            len(_children(server)),
            run_folders(),
        )

    asyncio.run(start(8))
    before, size = counts(), _resident(_servers()[0])
    asyncio.run(start(200))
    after = counts()
    # Other parts of the tests' process open a file of their own now and then (61 for 60 was seen);
    # a kernel that left one would leave 200.
    assert after[0] < before[0] + 10
    assert after[1:] == before[1:]
    assert before[2:] == (0, [])
    assert _resident(_servers()[0]) < size + 5_000_000
    assert list(tmp_path.iterdir()) == []


def _servers() -> list[int]:
    """Return this process's fork servers; pools of processes have one of another kind."""
    found = []
    for pid in _children(os.getpid()):
        if b"markbook.kernels.forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes():
            found.append(pid)
    return found


def _children(pid: int) -> list[int]:
    children = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended meanwhile
            children += [int(child) for child in (task / "children").read_text().split()]
    return children


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
