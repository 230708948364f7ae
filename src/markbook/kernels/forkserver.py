"""The process that kernels are forked from: ``python -m markbook.kernels.forkserver SOCKET``.

It imports what every kernel needs, makes IPython's shell, and then waits on one socket, whose
other end is its owner's (``forkowner.py``). It has one thread and never runs a student's code;
its children do. Requests, each a JSON object, and what is answered:

========================================= ==================================================
``{"do": "prepare", "preload": [names]}``  ``{}`` or ``{"module": name, "error": text}``
``{"do": "fork", ...}`` and three files    ``{"pid": number}`` or ``{"error": text}``
``{"do": "signal", "pid": n, "signal": s}`` ``{}``
``{"do": "leave", "room": name}``           ``{}``
========================================= ==================================================

The files of a fork are the kernel's stdout, its stderr and its *line*, a socket of packets on
which the kernel says ``{"ready": true}`` (or ``{"failed": text}``) and the server, at its end,
``{"exit": code}``, with ``"why"`` where it was a bound. An order with a ``"box"`` is for a kernel
that is locked up (``sandbox/``), and has more files. When the owner's end of the main socket is
shut, by whatever death, every kernel and all that descends from them is killed, and their folders
are removed.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import math
import os
import select
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markbook.kernels import forktree
from markbook.kernels.forkwire import receive, send
from markbook.kernels.sandbox import enter
from markbook.kernels.sandbox.watchdog import EVERY, Watchdog

__all__ = ["Birth", "main"]

# Libraries with thread pools of their own make them at import; a forking process has one thread.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Birth:
    """What a child has to become: the order for a kernel, and its files."""

    order: dict[str, Any]
    stdout: int
    stderr: int
    line: int
    parent: int
    more: list[int]  # what a sandbox takes in, and the kernel's listening sockets


def main() -> None:
    """Serve until the owner is gone; in each child, be a kernel."""
    owner = socket.socket(fileno=int(sys.argv[1]))
    owner.set_inheritable(False)
    if sys.path and sys.path[0] == str(Path.cwd()):
        del sys.path[0]  # what -m puts there
    forktree.adopt_orphans()
    birth = _Server(owner).serve() if _prepare(owner) else None
    if birth is None:
        os._exit(0)  # taking the interpreter down properly would be 0.1 s for nothing
    del owner
    from markbook.kernels.forkchild import become_kernel

    become_kernel(birth)


def _prepare(owner: socket.socket) -> bool:
    """Import everything that kernels need; says whether that went well, here and to the owner."""
    request = receive(owner)
    if request is None:
        return False
    order, _ = request
    # Should an import hang and the owner die, nobody would be there to end this process.
    signal.alarm(max(1, int(order["seconds"])))
    name = "markbook.kernels.forkchild"
    try:
        child = importlib.import_module(name)
        child.make_shell()
        os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
        before = dict(os.environ)
        for name in order["preload"]:
            importlib.import_module(name)
            _refuse_threads()
        child.take_over_environment(before)
        child.choose_backend()
        child.note_modules()
        enter.prepare()
    except BaseException as error:  # noqa: BLE001  (a library may well exit at import)
        send(owner, {"module": name, "error": f"{type(error).__name__}: {error}"})
        return False
    signal.alarm(0)
    gc.collect()
    gc.freeze()  # a child's collections then do not touch, and so copy, what is shared
    send(owner, {})
    return True


def _refuse_threads() -> None:
    count = len(os.listdir("/proc/self/task"))  # noqa: PTH208  (names are all that is needed)
    if count > 1:
        raise RuntimeError(f"it starts {count - 1} thread(s), and kernels could not be forked then")


class _Server:
    """Forks kernels, passes signals on, and reaps."""

    def __init__(self, owner: socket.socket) -> None:
        self.owner = owner
        self.lines: dict[int, socket.socket] = {}
        self.helpers = frozenset(forktree.children(os.getpid()))  # of preloaded modules
        self.folders: dict[int, str] = {}
        self.rooms = enter.Rooms()
        self.watchdog = Watchdog()
        self.reasons: dict[int, str] = {}  # of the ends of kernels, where it was a bound
        self.seconds: dict[int, float] = {}  # of processor time that each process may take
        self.over = False
        self.woken, self.waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> Birth | None:
        """Serve until the owner is gone (None), or for ever in a child, told what to become."""
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not self.over:
            patience = EVERY if self.watchdog else None
            ready, _, _ = select.select([self.owner.fileno(), self.woken], [], [], patience)
            for pid in self.watchdog.over():
                self.reasons[pid] = "memory"
                self._signal(pid, signal.SIGKILL)
            if self.woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.woken, 4096)
                self._reap()
            if self.owner.fileno() in ready:
                birth = self._answer()
                if birth is not None:
                    return birth
        self._end()
        return None

    def _stop(self, *_: object) -> None:
        self.over = True

    def _answer(self) -> Birth | None:
        try:
            request = receive(self.owner)
        except ConnectionError:
            request = None
        if request is None:
            self.over = True
            return None
        order, files = request
        birth = None
        if order["do"] == "fork":
            birth, reply = self._fork(order, files)
        elif order["do"] == "leave":
            self.rooms.leave(order["room"])
            reply = {}
        else:
            reply = self._signal(order["pid"], order["signal"])
        if birth is None:
            with contextlib.suppress(ConnectionError):  # said at the next receive
                send(self.owner, reply)
        return birth

    def _fork(self, order: dict[str, Any], files: list[int]) -> tuple[Birth | None, dict[str, Any]]:
        stdout, stderr, line, *more = files
        box = order.get("box")
        parent = os.getpid() if box is None else 0  # what a new process namespace shows of it
        try:
            pid = os.fork() if box is None else self._fork_apart(box)
        except OSError as error:
            for file in files:
                os.close(file)
            return None, {"error": f"fork: {error.strerror}"}
        if pid == 0:
            self._leave()
            return Birth(order, stdout, stderr, line, parent, more), {}
        for file in (stdout, stderr, *more):
            os.close(file)
        self.lines[pid] = socket.socket(fileno=line)
        self.folders[pid] = order["folder"]
        if box is not None:
            self.watchdog.add(pid, box)
            self.seconds[pid] = box["bounds"]["cpu_seconds"] or math.inf
        return None, {"pid": pid}

    def _fork_apart(self, box: dict[str, Any]) -> int:
        """Fork a child that is process 1 of a process namespace of its own."""
        self.rooms.open(box)
        self.rooms.new_processes()
        try:
            pid = os.fork()
        except OSError:
            self.rooms.own_processes()
            raise
        if pid != 0:
            self.rooms.own_processes()
        return pid

    def _leave(self) -> None:
        """In a child: let go of everything that is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.close(self.woken)
        os.close(self.waker)
        self.rooms.forget()
        self.owner.close()
        for line in self.lines.values():
            line.close()

    def _signal(self, pid: int, number: int) -> dict[str, Any]:
        if pid in self.lines:  # not reaped yet, so the number is nobody else's
            with contextlib.suppress(ProcessLookupError):  # no group before its setsid
                os.killpg(pid, number)
            if number == signal.SIGKILL:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        return {}

    def _reap(self) -> None:
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            line = self.lines.pop(pid, None)
            if line is None:
                continue
            self.folders.pop(pid, None)
            forktree.end_orphans(self.helpers.union(self.lines))
            self.watchdog.remove(pid)
            message: dict[str, Any] = {"exit": os.waitstatus_to_exitcode(status)}
            why = self.reasons.pop(pid, None)
            if used.ru_utime + used.ru_stime >= self.seconds.pop(pid, math.inf):
                why = why or "cpu"
            if why is not None:
                message["why"] = why
            with contextlib.suppress(OSError):  # whom it may concern is gone
                line.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)
            line.close()

    def _end(self) -> None:
        for pid in list(self.lines):
            self._signal(pid, signal.SIGKILL)
        folders = list(self.folders.values())
        until = time.monotonic() + 5
        while self.lines and time.monotonic() < until:
            self._reap()
            time.sleep(0.001)
        forktree.end_orphans(())
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    # Not this module's own copy: its name, __main__, belongs to a kernel's user.
    importlib.import_module("markbook.kernels.forkserver").main()
