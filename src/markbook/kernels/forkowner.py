"""The owner's side of a fork server: starting it, asking it, and outliving it.

One server for each set of preloaded modules, started when it is first needed, shared by all
threads of the process, and gone with the process. It is started anew when it was lost.
"""

from __future__ import annotations

import atexit
import contextlib
import copy
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from markbook.errors import MarkbookError
from markbook.kernels import forktree
from markbook.kernels.forkprocess import ForkedProcess
from markbook.kernels.forkwire import receive, send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ForkServer",
    "KernelStartError",
    "PreloadError",
    "ServerLostError",
    "fork_server",
    "running_fork_server",
    "stop_fork_servers",
]

# What a server keeps of its owner's environment: homes of caches, language, clock, libraries.
# /proc/PID/environ of each kernel shows it, so nothing else belongs there.
_KEPT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "MPLCONFIGDIR",
    "PYTHONNOUSERSITE",
    "PYTHONUSERBASE",
    "TMPDIR",
    "TZ",
    "XDG_CACHE_HOME",
)
# By it a lost server's processes are found, those that left their session and group as well.
MARK = "MARKBOOK_KERNELS"
_QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # debugpy's advice on frozen modules, on stderr
_FORK_SECONDS = 30.0  # a fork takes milliseconds; on a machine that swaps, seconds
_SIGNAL_SECONDS = 10.0
_PAUSE = 5.0  # before a failed import is tried again: a class asks a thousand times
_SAID = 4000  # characters of a server's stderr that an error repeats


class KernelStartError(MarkbookError):
    """A kernel did not come up: the machine's or the course's doing, not a notebook's."""


class ServerLostError(KernelStartError):
    """A kernel server died, or does not answer."""


class PreloadError(KernelStartError):
    """The kernel server could not import ``module``."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(
            f"Kernels cannot be prepared: importing {module!r} failed: {reason}.",
            hint="Mend or install it, or take it out of 'c.Markbook.preload'.",
        )
        self.module = module


class ForkServer:
    """A server process. Start it with ``fork_server``; safe to use from several threads.

    ``wrap`` is put before the command line: a sandbox to start the server in.
    """

    def __init__(self, preload: tuple[str, ...], wrap: tuple[str, ...], seconds: float) -> None:
        self.preload = preload
        self.wrap = wrap
        self._lock = threading.Lock()
        self.mark = f"{MARK}={secrets.token_hex(8)}"
        self._errors: IO[bytes] = tempfile.TemporaryFile(prefix="markbook-")
        self._stream, theirs = socket.socketpair()
        _servers.add(self)
        try:
            self.process = self._launch(theirs)
        except OSError as error:
            self._stream.close()
            self._errors.close()
            raise KernelStartError(
                f"The kernel server cannot be started: {self.command(0)[0]}: {error.strerror}.",
                hint="Is it there, and may it be run?",
            ) from error
        finally:
            theirs.close()
        self._prepare(seconds)

    def command(self, descriptor: int) -> list[str]:
        """Return the server's command line; ``descriptor`` is its end of the socket."""
        module = "markbook.kernels.forkserver"
        return [*self.wrap, sys.executable, "-m", module, str(descriptor)]

    def _launch(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(theirs.fileno()),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=_environment() | {MARK: self.mark.partition("=")[2]},
            cwd="/",
            start_new_session=True,  # Ctrl-C at the terminal is for the owner
        )

    def _prepare(self, seconds: float) -> None:
        order = {"do": "prepare", "preload": list(self.preload), "seconds": seconds}
        try:
            reply = self._ask(order, (), seconds)
        except KernelStartError:
            self.close()
            raise
        if "module" in reply:
            self.close()
            if reply["module"] in self.preload:
                raise PreloadError(reply["module"], reply["error"])
            raise KernelStartError(
                f"Kernels cannot be prepared: {reply['error']}.",
                hint="Is ipykernel installed, and whole?",
            )

    @property
    def alive(self) -> bool:
        """Whether the server can be asked for kernels."""
        return self._stream.fileno() != -1 and self.process.poll() is None

    def fork(
        self, order: Mapping[str, Any], stdout: int, stderr: int, more: Sequence[int] = ()
    ) -> ForkedProcess:
        """Fork a kernel. Raises ``ServerLostError``, or ``KernelStartError`` if it cannot.

        ``more`` are a sandbox's files, see ``forkserver``.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            files = (stdout, stderr, theirs.fileno(), *more)
            reply = self._ask({"do": "fork", **order, "mark": self.mark}, files, _FORK_SECONDS)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        if "error" in reply:
            ours.close()
            raise KernelStartError(
                f"A kernel could not be started: {reply['error']}.",
                hint="The machine is out of processes or memory: run fewer at once.",
            )
        return ForkedProcess(self, reply["pid"], ours)

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to a kernel's process group, if the server, and so it, is still there."""
        with contextlib.suppress(KernelStartError):
            self._ask({"do": "signal", "pid": pid, "signal": int(number)}, (), _SIGNAL_SECONDS)

    def leave(self, room: str) -> None:
        """Throw away what a sandbox's room holds; its kernels have ended."""
        with contextlib.suppress(KernelStartError):
            self._ask({"do": "leave", "room": room}, (), _SIGNAL_SECONDS)

    def end_remains(self) -> None:
        """Kill what a lost server's kernels had started; the kernels died with it."""
        forktree.end_marked(self.mark)

    def _ask(
        self, order: Mapping[str, Any], files: tuple[int, ...], seconds: float
    ) -> dict[str, Any]:
        with self._lock:
            try:
                self._stream.settimeout(seconds)
                send(self._stream, order, files)
                answer = receive(self._stream)
            except TimeoutError:
                raise self._lost(f"it did not answer within {seconds:.0f} s") from None
            except OSError:
                answer = None
            if answer is None:
                raise self._lost("it ended") from None
        return answer[0]

    def _lost(self, how: str) -> ServerLostError:
        self._stream.close()
        self._kill()
        said = self._said()
        self.end_remains()
        return ServerLostError(
            f"The kernel server was lost: {how}.{said}", hint="It is started again when needed."
        )

    def _kill(self) -> None:
        """Kill the server, and the sandbox around it: they have a session of their own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def _said(self) -> str:
        try:
            self._errors.seek(0)
            text = self._errors.read()[-_SAID:].decode("utf-8", "replace").strip()
        except (OSError, ValueError):
            return ""
        return f" It said: {text}" if text else ""

    def close(self) -> None:
        """End the server and its kernels."""
        with self._lock:
            self._stream.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self._kill()
            self._errors.close()

    def abandon(self) -> None:
        """Let go without ending it: it belongs to the process that this one was forked from."""
        self._stream.close()
        self._errors.close()
        with contextlib.suppress(AttributeError):  # not launched yet
            self.process.returncode = 0  # else Popen warns of a process that is not ours


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return {"LANG": "C.UTF-8", **kept, "PATH": path, "PYTHONHASHSEED": "0", **_QUIET}


class _Slot:
    """One key's server, and the lock that lets one thread start it while the others wait."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.server: ForkServer | None = None
        self.refused: PreloadError | None = None
        self.refused_at = 0.0


_servers: weakref.WeakSet[ForkServer] = weakref.WeakSet()  # those being started as well
_slots: dict[tuple[tuple[str, ...], tuple[str, ...]], _Slot] = {}
_slots_lock = threading.Lock()


def fork_server(
    preload: tuple[str, ...] = (), *, wrap: tuple[str, ...] = (), seconds: float = 60.0
) -> ForkServer:
    """Return this process's server for ``preload``, started when there is none or it was lost.

    ``seconds`` bounds a start. Raises ``PreloadError`` when a module cannot be imported, and
    ``KernelStartError`` when the server does not come up.
    """
    if not sys.platform.startswith("linux"):
        raise KernelStartError(
            f"Forked kernels need Linux; this is {sys.platform}.", hint="Use '--engine nbgrader'."
        )
    with _slots_lock:
        slot = _slots.setdefault((preload, wrap), _Slot())
    with slot.lock:
        if slot.server is None or not slot.server.alive:
            if slot.server is not None:
                slot.server.close()
            slot.server = None
            if slot.refused is not None and time.monotonic() < slot.refused_at + _PAUSE:
                raise copy.copy(slot.refused)
            try:
                slot.server = ForkServer(preload, wrap, seconds)
            except PreloadError as error:
                slot.refused, slot.refused_at = error, time.monotonic()
                raise
        return slot.server


def running_fork_server(preload: tuple[str, ...], wrap: tuple[str, ...] = ()) -> ForkServer | None:
    """Return this process's server for ``preload`` if it is there, without waiting."""
    slot = _slots.get((preload, wrap))
    server = slot.server if slot is not None else None
    return server if server is not None and server.alive else None


def stop_fork_servers() -> None:
    """End all servers of this process, and their kernels. The next kernel starts a new one."""
    with _slots_lock:
        slots = list(_slots.values())
        _slots.clear()
    for slot in slots:
        with slot.lock:
            if slot.server is not None:
                slot.server.close()
                slot.server = None


def _forget_servers() -> None:
    """After a fork of the owner: its servers are not the child's."""
    global _slots_lock  # another thread may have held the old one
    _slots_lock = threading.Lock()
    for server in list(_servers):
        server.abandon()
    _servers.clear()
    _slots.clear()


os.register_at_fork(after_in_child=_forget_servers)
atexit.register(stop_fork_servers)
