"""The process in which test cells run, forked from the kernels' server and never seen by code.

Its owner (``owner.py``) sends tests over a socket, and a connection to a fresh copy of the
student's kernel with them; it answers with a test's outputs and with what is doubtful about them.
"""

from __future__ import annotations

import ast
import contextlib
import io
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markbook.kernels import forktree
from markbook.kernels.examiner import cells, stubs
from markbook.kernels.examiner.clean import Clean, CleanSide
from markbook.kernels.examiner.peer import UncrossableError
from markbook.kernels.examiner.wire import BrokenChannelError, Channel
from markbook.kernels.forkwire import receive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["examine_for"]

_LATE = "the test did not end in its time"
_START_SECONDS = 10.0  # for the kernel to fork a copy; it takes milliseconds
_MOST_TEXT = 2_000_000  # characters of a test's output


class _OutOfTimeError(BaseException):
    """A test's time is up."""


def examine_for(control: socket.socket) -> None:
    """Run the tests that are sent, until the owner is gone."""
    forktree.hide()
    signal.signal(signal.SIGALRM, _ring)
    sys.path.insert(0, str(Path.cwd()))  # the course's own modules
    examiner = _Examiner()
    answers = Channel(control)
    while (request := receive(control)) is not None:
        order, files = request
        answers.send(examiner.take(order, files))


_rang = False  # whether the time of this test was up, whatever it made of that


def _ring(number: int, frame: FrameType | None) -> None:
    global _rang
    _rang = True
    raise _OutOfTimeError


def _forget_ringing() -> None:
    global _rang
    _rang = False


class _Outputs(io.TextIOBase):
    """A stream whose text is an output of the cell."""

    def __init__(self, name: str, outputs: list[dict[str, Any]]) -> None:
        self.name = name
        self.outputs = outputs

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        last = self.outputs[-1] if self.outputs else {}
        if last.get("name") == self.name and len(last["text"]) < _MOST_TEXT:
            last["text"] += text[:_MOST_TEXT]
        elif last.get("name") != self.name and len(self.outputs) < 1000:
            self.outputs.append(
                {"output_type": "stream", "name": self.name, "text": text[:_MOST_TEXT]}
            )
        return len(text)

    def writable(self) -> bool:
        return True


class _Examiner:
    """The names of a notebook's test cells, and the side that they ask."""

    def __init__(self) -> None:
        self.names = Clean()
        self.doubts: list[str] = []
        self.channel: Channel | None = None
        self.stars: list[ast.stmt] = []

    def take(self, order: dict[str, Any], files: list[int]) -> dict[str, Any]:
        """Run one test cell; returns its ``outputs`` and ``doubts``."""
        _forget_ringing()
        self.doubts.clear()
        self.names.answers = frozenset(order["answers"])
        for source in order["course"]:
            self.provide(source, imports_only=False)
        for source in order["imports"]:
            self.provide(source, imports_only=True)
        outputs: list[dict[str, Any]] = []
        kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Outputs("stdout", outputs), _Outputs("stderr", outputs)
        try:
            if files:
                self.meet(files[0])
            with _alarm(order["seconds"]):
                self.run(order["source"], outputs)
        except _OutOfTimeError:  # between the test and the end of its time
            self.doubts.append(_LATE)
        finally:
            sys.stdout, sys.stderr = kept
        if not order["copy"] and self.channel is not None:
            self.channel.close()  # the kernel goes on
        if _rang and _LATE not in self.doubts:
            self.doubts.append(_LATE)
        return {"outputs": outputs, "doubts": self.doubts, "late": _rang or self.is_gone()}

    def is_gone(self) -> bool:
        """Tell whether the answer's process ended, or fell silent, in this test."""
        return self.names.side is not None and self.names.side.gone

    def provide(self, source: str, *, imports_only: bool) -> None:
        """Note what a cell of the course defines, for names that are needed."""
        try:
            tree = cells.plain_python(source)
        except SyntaxError:
            return
        for name, statement in cells.imports_of(tree):
            self.names.providers[name] = _once(lambda s=statement: self.execute([s]))
        stars = [s for name, s in cells.imports_of(tree) if name == "*"]
        if stars:
            self.stars += stars
            self.names.stars = _once(lambda: self.execute(self.stars))
        if imports_only:
            return
        rest = cells.without_imports(tree)
        run = _once(lambda: self.execute(rest.body))
        for name in cells.defined_names(rest):
            self.names.providers[name] = run

    def execute(self, statements: list[ast.stmt]) -> None:
        """Run a course's cell; what tests have defined since stays as it is."""
        before = dict.copy(self.names)
        try:
            cells.execute(ast.Module(statements, []), self.names)
        except Exception as error:  # noqa: BLE001  (then its names are asked for, like others)
            self.doubts.append(f"a cell of the course fails here ({type(error).__name__})")
        self.names.update(before)

    def meet(self, file: int) -> None:
        if self.channel is not None:
            self.channel.close()
        self.channel = Channel(socket.socket(fileno=file))
        side = CleanSide(self.channel, self.doubts, self.names)
        self.names.meet(side)
        try:
            with _alarm(_START_SECONDS):
                self.channel.receive()
        except (_OutOfTimeError, BrokenChannelError):
            self.doubts.append("the answer's process does not answer")
            self.names.side = None
            _forget_ringing()

    def run(self, source: str, outputs: list[dict[str, Any]]) -> None:
        def show(value: Any) -> None:
            if isinstance(type(value), stubs.StubType):
                self.doubts.append("its result is an object of the answer's")
            text = repr(value)
            outputs.append({"output_type": "execute_result", "data": {"text/plain": text[:1000]}})

        try:
            tree = cells.plain_python(source)
        except SyntaxError:
            self.doubts.append("the test is not plain Python")
            return
        try:
            cells.run_cell(tree, source, self.names, show)
        except _OutOfTimeError:
            self.doubts.append(_LATE)
        except UncrossableError:
            pass  # a doubt, and noted as one
        except BaseException as error:  # noqa: BLE001  (what a test does is its outcome)
            outputs.append(_error(error))


def _error(error: BaseException) -> dict[str, Any]:
    try:
        text = str(error)[:2000]
    except BaseException:  # noqa: BLE001
        text = ""
    name = type(error).__name__
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": []}


def _once(function: Any) -> Any:
    done: list[bool] = []

    def run() -> None:
        if not done:
            done.append(True)
            function()

    return run


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise ``_OutOfTimeError`` after so many seconds, again and again where it is swallowed."""
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
