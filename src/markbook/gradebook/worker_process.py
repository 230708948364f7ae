"""nbgrader's processes as their owner sees them: each request has one of its own.

On Linux they are forked from one that has imported nbgrader (``worker_server.py``): it is started
at the first request, kept while this process lives, and used by all of its threads. Elsewhere,
and wherever it does not come up, each is started fresh. A process forked from ours has a server
of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Worker", "start_worker", "stop_server"]

# Read by Python, or by a library while it is imported: with another value of one of these,
# another server is started. All other variables are each request's own.
_AT_IMPORT = (
    "HOME",
    "LANG",
    "LC_",
    "LD_",
    "TZ",
    "XDG_",
    "PYTHON",
    "JUPYTER",
    "IPYTHON",
    "NBGRADER",
)
_LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})
_PATIENCE = 10.0  # seconds for a server that was let go to end; it takes milliseconds


class Worker:
    """A process that does one request: its number, and the pipes to and from it."""

    def __init__(self, pid: int, stdin: IO[str], stdout: IO[str]) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout

    def poll(self) -> int | None:
        """Return the exit code, below zero for a signal; None while the process runs."""
        raise NotImplementedError

    def wait(self) -> int:
        """Wait for the end; return the exit code."""
        raise NotImplementedError

    def end(self) -> None:
        """Kill the process and its group, if it runs, and let go of it."""
        if self.poll() is None:
            self.kill()
        for stream in (self.stdin, self.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self.wait()

    def kill(self) -> None:
        """Kill the process and its group. Its number is its own until ``end``."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # just forked, and no group's leader yet
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class _FreshWorker(Worker):
    def __init__(self, root: Path, log: IO[bytes]) -> None:
        self._process = subprocess.Popen(
            # -I would hide the environment's own path settings, which kernels need
            [sys.executable, "-m", "markbook.gradebook.worker"],
            cwd=root,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        super().__init__(self._process.pid, self._process.stdin, self._process.stdout)

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self) -> int:
        return self._process.wait()


class _ForkedWorker(Worker):
    """``line`` is the socket on which the server will say how the process ended."""

    def __init__(self, pid: int, stdin: int, stdout: int, line: socket.socket) -> None:
        self._line = line
        self._code: int | None = None
        super().__init__(
            pid,
            open(stdin, "w", encoding="utf-8"),
            open(stdout, encoding="utf-8"),
        )

    def files(self) -> list[int]:
        """The descriptors that a process forked from ours must not keep open."""
        streams = [stream.fileno() for stream in (self.stdin, self.stdout) if not stream.closed]
        return [self._line.fileno(), *streams]

    def poll(self) -> int | None:
        return self._listen(socket.MSG_DONTWAIT)

    def wait(self) -> int:
        code = self._listen(0)
        assert code is not None
        return code

    def _listen(self, flags: int) -> int | None:
        if self._code is None:
            try:
                said = self._line.recv(16, flags)
            except BlockingIOError:
                return None
            except ConnectionError:
                said = b""
            if said:
                self._code = int(said)
            else:  # the server was lost: nobody will tell how this one ends
                self.kill()
                self._code = -signal.SIGKILL
        return self._code

    def end(self) -> None:
        super().end()
        self._line.close()


class _LostError(Exception):
    """The server is not there, or cannot fork."""


class _Server:
    """A process that imported nbgrader, and forks."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.stream, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.failed = False  # it can never fork: an import failed, or started a thread
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "markbook.gradebook.worker_server", str(theirs.fileno())],
                cwd=root,
                env=environment,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what is wrong with it a fresh process will say
                start_new_session=True,  # Ctrl-C at the terminal is for the owner
            )
        except BaseException:
            self.stream.close()
            raise
        finally:
            theirs.close()

    def fork(self, task: str, log: int) -> _ForkedWorker:
        """Fork a worker. Raises ``_LostError``, and was not asked for anything then."""
        ours, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stdin, to_worker = os.pipe()
        from_worker, stdout = os.pipe()
        try:
            pid = self._ask(task, [stdin, stdout, log, line.fileno()])
        except BaseException:
            ours.close()
            os.close(to_worker)
            os.close(from_worker)
            raise
        finally:
            line.close()
            os.close(stdin)
            os.close(stdout)
        return _ForkedWorker(pid, to_worker, from_worker, ours)

    def _ask(self, task: str, files: list[int]) -> int:
        try:
            socket.send_fds(self.stream, [task.encode()], files)
            said = self.stream.recv(4096)
        except OSError as error:
            raise _LostError(str(error)) from error
        except BaseException:  # Ctrl-C: its answer would be taken for that to the next request
            self.stream.close()
            raise
        if not said:
            raise _LostError("it ended")
        answer = json.loads(said)
        if "pid" not in answer:
            self.failed = "refused" in answer
            raise _LostError(said.decode())
        pid: int = answer["pid"]
        return pid

    @property
    def alive(self) -> bool:
        return self.stream.fileno() != -1 and self.process.poll() is None

    def retire(self) -> None:
        """Take no more requests; it ends when the last of its workers has."""
        self.stream.close()

    def end(self) -> None:
        self.retire()
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_Key = tuple[object, ...]


class _Kept:
    """The servers of this process: the one that is asked, and those that still have workers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.key: _Key = ()
        self.server: _Server | None = None
        self.retired: list[_Server] = []
        self.workers: weakref.WeakSet[_ForkedWorker] = weakref.WeakSet()

    def fork(self, root: Path, task: str, log: IO[bytes]) -> _ForkedWorker | None:
        """Fork a worker; None when there is no server that can."""
        environment = _environment()
        key = _key(environment)
        with self.lock:
            for _ in range(2):  # one that ended, after a long pause, is not known to have ended
                server = self._present(root, key, environment)
                if server.failed:
                    return None
                try:
                    worker = server.fork(task, log.fileno())
                except _LostError:
                    server.retire()
                    continue
                self.workers.add(worker)
                return worker
        return None

    def _present(self, root: Path, key: _Key, environment: dict[str, str]) -> _Server:
        self.retired = [old for old in self.retired if old.process.poll() is None]
        if (
            self.server is not None
            and key == self.key
            and (self.server.alive or self.server.failed)
        ):
            return self.server
        if self.server is not None:
            self.server.retire()
            self.retired.append(self.server)
        self.server = None
        self.server, self.key = _Server(root, environment), key
        return self.server

    def stop(self) -> None:
        with self.lock:
            servers = [*self.retired, *([self.server] if self.server else [])]
            self.server, self.retired = None, []
            for server in servers:
                server.end()

    def abandon(self) -> None:
        """In a process forked from ours: its copies would keep workers alive after our end."""
        servers = [*self.retired, *([self.server] if self.server else [])]
        files = [s.stream.fileno() for s in servers]
        files += [file for worker in list(self.workers) for file in worker.files()]
        _to_nowhere(file for file in files if file != -1)
        for server in servers:
            server.process.returncode = 0  # else Popen warns of a process that is not ours


def _to_nowhere(files: Iterable[int]) -> None:
    # not closed: their objects will do that, and another thread may have held their locks
    nowhere = os.open(os.devnull, os.O_RDWR)
    for file in files:
        os.dup2(nowhere, file, inheritable=False)
    os.close(nowhere)


_kept = _Kept()


def start_worker(root: Path, task: str, log: IO[bytes]) -> Worker:
    """Start a process that waits for a request; what it and its children print goes to ``log``.

    It is in a session and group of its own, in the folder ``root``, with this environment.
    """
    # Elsewhere a fork is not safe (macOS's frameworks start threads), or there is none.
    worker = _kept.fork(root, task, log) if sys.platform.startswith("linux") else None
    if worker is None:
        return _FreshWorker(root, log)
    birth = {"cwd": str(root), "environment": _environment()}
    with contextlib.suppress(BrokenPipeError):  # it died at once: its code will be looked at
        worker.stdin.write(json.dumps(birth) + "\n")
        worker.stdin.flush()
    return worker


def stop_server() -> None:
    """End the kept process, and with it nothing that runs: the next request starts another."""
    _kept.stop()


def _environment() -> dict[str, str]:
    """Return the environment with this Python's tools first: nbgrader calls ``alembic``."""
    folder = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    return os.environ | {"PATH": f"{folder}{os.pathsep}{path}", "PYTHONUNBUFFERED": "1"}


def _key(environment: dict[str, str]) -> _Key:
    """All that a fresh process would take from this one at its start, and a forked one cannot."""
    read = tuple(sorted(item for item in environment.items() if item[0].startswith(_AT_IMPORT)))
    limits = tuple(resource.getrlimit(number) for number in _LIMITS)
    return (sys.executable, _umask(), limits, read)


def _umask() -> str:
    with Path("/proc/self/status").open() as status:
        return next((line for line in status if line.startswith("Umask:")), "")


def _abandon() -> None:
    global _kept
    _kept.abandon()
    _kept = _Kept()  # another thread may have held the old one's lock


os.register_at_fork(after_in_child=_abandon)
atexit.register(stop_server)
