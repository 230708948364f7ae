"""The grader's end: starting the process in which test cells run, and having it run them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markbook.kernels.examiner.wire import BrokenChannelError, Channel
from markbook.kernels.forkowner import fork_server
from markbook.kernels.forkwire import send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from markbook.kernels.forkprocess import ForkedProcess
    from markbook.kernels.sandbox.room import Room

__all__ = ["Examiner", "Examining", "TestCell", "Verdict"]

_LEAVE_SECONDS = 0.1  # for a process that was told to leave, before it is killed
_GRACE = 5.0  # seconds for a process whose test's time is up to say so
_GONE = "the clean process could not run the test"


@dataclass(frozen=True, slots=True)
class TestCell:
    """A test as it goes to the clean process.

    ``course`` are sources of the course's cells before it since the test before, ``imports``
    sources of answer cells as released, of which only the imports count. ``answers`` are names
    that the release leaves to answers.
    """

    __test__ = False

    source: str
    course: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    answers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test came to in a clean process: a cell's outputs, and why they may mean nothing.

    A ``late`` one did not come to its end in time, or the answer's process had its own before.
    """

    outputs: tuple[dict[str, Any], ...] = ()
    doubts: tuple[str, ...] = ()
    late: bool = False


@dataclass(frozen=True, slots=True)
class Examining:
    """The tests of a notebook by cell index, and where they run.

    ``place`` is the clean process's folder, of the course's files only, or its own room in the
    sandbox. With ``copies`` the kernel's process is copied to be asked, so that asking it changes
    nothing in it; that takes ten milliseconds for each test.
    """

    tests: Mapping[int, TestCell]
    place: Path | Room
    copies: bool = False


@dataclass(slots=True)
class Examiner:
    """A clean process. Close it at the end."""

    process: ForkedProcess
    control: socket.socket
    copies: bool = False
    broken: bool = False

    @classmethod
    def start(
        cls,
        place: Path | Room,
        *,
        preload: tuple[str, ...],
        environment: Mapping[str, str],
        memory: int | None,
        seconds: float,
    ) -> Examiner:
        """Fork a clean process from the server that kernels come from."""
        room = None if isinstance(place, Path) else place
        server = fork_server(preload, wrap=room.wrap if room else (), seconds=seconds)
        ours, theirs = socket.socketpair()
        nowhere = os.open(os.devnull, os.O_RDWR)
        order: dict[str, Any] = {"become": "examiner", "control": True, "memory": memory,
                                 "connection_file": "none"}  # fmt: skip
        files: list[int] = []
        try:
            if room is None:
                order |= {"cwd": str(place), "folder": str(place),
                          "environment": dict(environment)}  # fmt: skip
            else:
                inside = room.environment(environment)
                files = room.files()
                order |= {"box": room.order() | {"files": len(files)}, "cwd": room.cwd,
                          "folder": inside["IPYTHONDIR"], "environment": inside}  # fmt: skip
            process = server.fork(order, nowhere, nowhere, [*files, theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(nowhere)
        if room is not None:
            room.known_to(server)
        return cls(process, ours)

    def examine(
        self, test: TestCell, seconds: float, snapshot: Callable[[int], None] | None
    ) -> Verdict:
        """Run a test; ``snapshot`` is given one end of a new conversation, for the kernel."""
        if self.broken:
            return Verdict(doubts=(_GONE,))
        files: list[int] = []
        with contextlib.ExitStack() as stack:
            if snapshot is not None:
                clean, students = (stack.enter_context(end) for end in socket.socketpair())
                snapshot(students.fileno())
                students.close()  # so that each side hears the end of the other
                files.append(clean.fileno())
            order = {
                "source": test.source,
                "course": test.course,
                "imports": test.imports,
                "answers": sorted(test.answers),
                "seconds": seconds,
                "copy": self.copies,
            }
            return self._ask(order, files, seconds)

    def _ask(self, order: dict[str, Any], files: Sequence[int], seconds: float) -> Verdict:
        try:
            self.control.settimeout(seconds + _GRACE)
            send(self.control, order, files)
            answer = Channel(self.control).receive()
            outputs = tuple(dict(output) for output in answer["outputs"])
            return Verdict(outputs, tuple(map(str, answer["doubts"])), bool(answer["late"]))
        except (OSError, BrokenChannelError, KeyError, TypeError, ValueError):
            self.broken = True
            return Verdict(doubts=(_GONE,))

    def close(self) -> None:
        """End the process."""
        self.control.close()  # it leaves by itself, unless a test keeps it
        if not self._ends(_LEAVE_SECONDS):
            self.process.signal(signal.SIGKILL)
            self._ends(_GRACE)
        self.process.close()

    def _ends(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.0005)
        return self.process.poll() is not None
