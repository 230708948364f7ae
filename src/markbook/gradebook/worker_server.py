"""The process that nbgrader's processes are forked from: ``python -m ...worker_server SOCKET``.

It imports nbgrader once and waits on one socket of packets, whose other end is its owner's
(``worker_process.py``). It has one thread, and never opens a course; its children do, each for
one request. A packet names the request's task and brings four files: the child's stdin, stdout
and stderr, and its *line*. The answer is ``{"pid": number}``, ``{"error": text}`` where it could
not fork just now, or ``{"refused": text}`` where it never will.

On the line the server says how the child ended, by its exit code. The child is reaped when the
owner's end of the line is shut, so its number is nobody else's before; a child that still runs
then is killed, with its group. So nothing outlives the owner, by whatever death that goes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from markbook.startup import skip_slow_imports

__all__ = ["main"]

_IDLE = 600.0  # seconds: 115 MB are not kept for a page that stays open over the weekend
_IMPORT = 300  # seconds; should an import hang and the owner die, nobody would end this process


def main() -> None:
    """Serve until the owner is gone; in each child, do its request."""
    skip_slow_imports()
    owner = socket.socket(fileno=int(sys.argv[1]))
    owner.set_inheritable(False)
    here = sys.path.pop(0) if not sys.flags.safe_path else None  # what -m puts there
    os.chdir("/")  # noqa: TID251  (a course's disk may be taken away)
    files = _Server(owner).serve()
    if files is None:
        os._exit(0)  # taking the interpreter down properly would be 0.1 s for nothing
    del owner
    _be_worker(files, on_path=here is not None)


def _be_worker(files: list[int], *, on_path: bool) -> NoReturn:
    """Take on the identity of a process of its own, and do what stdin says."""
    from markbook.gradebook import worker

    code = 1
    try:
        os.setsid()
        for target, file in enumerate(files):
            os.dup2(file, target)
            os.close(file)
        birth = json.loads(sys.stdin.readline() or "null")
        if birth is None:
            os._exit(70)  # who asked is gone already
        os.chdir(birth["cwd"])  # noqa: TID251  (this process is the worker)
        os.environ.clear()
        os.environ.update(birth["environment"])
        time.tzset()
        tempfile.tempdir = None  # found anew, from this environment
        if on_path:
            sys.path.insert(0, birth["cwd"])  # a course's configuration may import from its root
        sys.argv = [worker.__file__]
        worker.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:  # noqa: BLE001  (what Python itself would do)
        traceback.print_exc()
    worker.leave(code)


class _Server:
    """Forks workers, says how they ended, and reaps."""

    def __init__(self, owner: socket.socket) -> None:
        self.owner: socket.socket | None = owner
        self.lines: dict[int, socket.socket] = {}
        self.ended: set[int] = set()  # told of, and not reaped yet
        self.left: set[int] = set()  # by the owner
        self.interrupted: Any = None  # what Ctrl-C does in a fresh process here
        self.woken, self.waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> list[int] | None:
        """Serve until the owner is gone (None), or in a child: return its files."""
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
        while self.owner is not None or self.lines:
            files = [self.woken] if self.owner is None else [self.woken, self.owner.fileno()]
            files += [line.fileno() for pid, line in self.lines.items() if pid not in self.left]
            ready, _, _ = select.select(files, [], [], None if self.lines else _IDLE)
            if not ready:
                return None
            with contextlib.suppress(BlockingIOError):
                os.read(self.woken, 4096)
            self._let_go([pid for pid, line in self.lines.items() if line.fileno() in ready])
            self._reap()
            if self.owner is not None and self.owner.fileno() in ready:
                streams = self._answer(self.owner)
                if streams is not None:
                    return streams
        return None

    def _answer(self, owner: socket.socket) -> list[int] | None:
        try:
            task, files, _, _ = socket.recv_fds(owner, 256, 4)
        except ConnectionError:
            task, files = b"", []
        if not task:
            owner.close()
            self.owner = None
            return None
        *streams, line = files
        try:
            reason = "refused"
            self._prepare(task.decode())
            reason = "error"
            pid = os.fork()
        except Exception as error:  # noqa: BLE001  (the owner starts a fresh process, which says it)
            for file in files:
                os.close(file)
            reply: dict[str, int | str] = {reason: f"{type(error).__name__}: {error}"}
        else:
            if pid == 0:
                os.close(line)
                self._leave()
                return streams
            for file in streams:
                os.close(file)
            self.lines[pid] = socket.socket(fileno=line)
            reply = {"pid": pid}
        with contextlib.suppress(ConnectionError):  # said at the next packet
            owner.send(json.dumps(reply).encode())
        return None

    def _prepare(self, task: str) -> None:
        """Import what the task needs, where that is not done yet."""
        from markbook.gradebook import worker

        before = len(sys.modules)
        signal.alarm(_IMPORT)
        worker.prepare(task)
        signal.alarm(0)
        threads = len(list(Path("/proc/self/task").iterdir()))
        if threads > 1:
            raise RuntimeError(
                f"an import started {threads - 1} thread(s), which forks do not have"
            )
        if len(sys.modules) > before:
            gc.collect()
            gc.freeze()  # a child's collections then do not touch, and so copy, what is shared

    def _leave(self) -> None:
        """In a child: let go of everything that is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, self.interrupted)
        os.close(self.woken)
        os.close(self.waker)
        if self.owner is not None:
            self.owner.close()
        for line in self.lines.values():
            line.close()

    def _let_go(self, pids: list[int]) -> None:
        """End those whose owner's end is shut: nobody waits for them any more."""
        for pid in pids:
            self.left.add(pid)
            if pid in self.ended:
                continue
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:  # before its setsid
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        for pid, line in list(self.lines.items()):
            if pid not in self.ended:
                found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is None:
                    continue
                self.ended.add(pid)
                exited = found.si_code == os.CLD_EXITED
                with contextlib.suppress(OSError):  # whom it may concern is gone
                    line.send(str(found.si_status if exited else -found.si_status).encode())
            if pid in self.left:
                os.waitpid(pid, 0)
                self.lines.pop(pid).close()
                self.left.discard(pid)
                self.ended.discard(pid)


if __name__ == "__main__":
    # Not this module's own copy: its name, __main__, belongs to nobody here.
    importlib.import_module("markbook.gradebook.worker_server").main()
