"""The student's side: the kernel, or a copy of its process, answers what a clean process asks.

All of it runs amid the student's code, which may have replaced whatever it likes: it only ever
returns values, and those are the student's anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import resource
import signal
import socket
import sys
import warnings
from typing import Any

from markbook.kernels import forktree
from markbook.kernels.examiner.peer import Peer
from markbook.kernels.examiner.wire import BrokenChannelError, Channel
from markbook.kernels.forkwire import receive

__all__ = ["StudentSide"]

_MISSING = object()


class StudentSide:
    """What a kernel answers with; ``control`` brings the socket of each conversation.

    An order says whether the kernel itself answers, which is quick, or a copy of it, in which
    what is done is not done in the kernel.
    """

    def __init__(self, control: int, shell: Any) -> None:
        self.control = socket.socket(fileno=control)
        self.shell = shell
        self.children: list[int] = []

    def attend(self) -> None:
        """Answer whenever the kernel has nothing to run. Before its loop starts."""
        asyncio.get_event_loop().add_reader(self.control, self.converse)

    def converse(self) -> None:
        """Take an order, and answer until the other side is gone."""
        self.control.settimeout(1)
        request = receive(self.control)
        if request is None:  # the grader has ended, and so will this process
            asyncio.get_event_loop().remove_reader(self.control)
            return
        order, (theirs,) = request
        if order["copy"]:
            self._copy(theirs, int(order["seconds"]))
            return
        figures = _figures()
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        channel = Channel(socket.socket(fileno=theirs))
        try:
            serve(channel, self.shell, 0)
        except (BrokenChannelError, KeyboardInterrupt):
            pass  # the test is over, or out of time
        finally:
            signal.signal(signal.SIGINT, handler)
            channel.close()
            _close_figures(figures)

    def _copy(self, theirs: int, seconds: int) -> None:
        kernel = os.getpid()
        self._reap()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads: they stay behind, and are not used
            pid = os.fork()
        if pid:
            os.close(theirs)
            self.children.append(pid)
            return
        try:
            _become_quiet(kernel)
            serve(Channel(socket.socket(fileno=theirs)), self.shell, seconds)
        finally:
            os._exit(0)

    def _reap(self) -> None:
        left = []
        for pid in self.children:
            with contextlib.suppress(OSError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    left.append(pid)
        self.children = left


def _figures() -> set[int]:
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot is not None else set()


def _close_figures(before: set[int]) -> None:
    """Close what the test has drawn: it will be drawn again, and shown, when its cell runs."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    for number in _figures() - before:
        pyplot.close(number)


def _become_quiet(kernel: int) -> None:
    """Leave the kernel's sockets, outputs and signals alone."""
    forktree.die_with_parent(kernel)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the kernel's cells are interrupted, not this
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    from ipykernel.iostream import IOPubThread, OutStream
    from jupyter_client.session import Session

    def nothing(*_: Any, **__: Any) -> None:
        return None

    for kind, name in ((IOPubThread, "schedule"), (IOPubThread, "send_multipart"),
                       (Session, "send"), (OutStream, "flush")):  # fmt: skip
        setattr(kind, name, nothing)
    setattr(OutStream, "write", _write)  # noqa: B010   logs hold on to the kernel's streams


def _write(stream: Any, text: str) -> int:
    current = sys.stderr if stream.name == "stderr" else sys.stdout
    if current is not stream:
        current.write(text)
    return len(text)


class _Student(Peer):
    """The side that has the student's names."""

    def __init__(self, channel: Channel, shell: Any) -> None:
        super().__init__(channel)
        self.shell = shell

    def perform(
        self, request: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if request["do"] == "name":
            value = self.shell.user_ns.get(request["name"], _MISSING)
            return (False, None) if value is _MISSING else (True, value)
        return super().perform(request, args, kwargs)

    def function(self, node: list[Any]) -> Any:
        """Return the kernel's own function of that name."""
        return getattr(importlib.import_module(node[1]), node[2])


def serve(channel: Channel, shell: Any, seconds: int) -> None:
    """Answer until the other side is gone, or one answer took longer than ``seconds`` (0: any)."""
    student = _Student(channel, shell)
    channel.send({"ready": True})
    while True:
        request = channel.receive()
        signal.alarm(seconds)
        student.answer(request)
        signal.alarm(0)
