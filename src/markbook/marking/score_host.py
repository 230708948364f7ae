"""One process that learns scores for all desks of a server, and the thread that speaks with it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from markbook.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[dict[str, Any]], dict[str, Any]]

__all__ = ["ScoreHost", "Waiting"]

_COMMAND = (sys.executable, "-P", "-m", "markbook.marking.score_process")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PATIENCE = 5.0  # seconds for the process to end by itself; it may be in the middle of a question
_LEAST, _MOST = 0.25, 0.5  # seconds of rest: a mark still counts within a second
_STARTS = 3  # a process that dies again and again (too little memory, say) is given up


class Waiting(Protocol):
    """What has something to ask; ``ask_scores`` runs in the host's thread, one at a time."""

    def ask_scores(self, ask: Ask) -> None: ...


class ScoreHost:
    """Asks the process on behalf of whoever wants; never makes anybody wait.

    The process starts when something is wanted for the first time. When it dies or cannot be
    started it is tried anew with the next wish, three times at most: without it the page shows
    what the last run of the graders expected.
    """

    def __init__(self, command: tuple[str, ...] = _COMMAND) -> None:
        self._command = command
        self._wishes: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._starts = 0
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    def want(self, waiting: Waiting) -> None:
        """Let ``waiting`` ask soon; wishes that it has made already are one."""
        with self._changed:
            if self._closed or waiting in self._wishes:
                return
            self._wishes.append(waiting)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="scores")
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """End the process and the thread."""
        with self._changed:
            self._closed = True
            self._wishes.clear()
            self._changed.notify()
        process = self._process
        if process is not None:
            process.kill()  # it holds nothing that could be lost
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wishes and not self._closed:
                    self._changed.wait()
                if self._closed:
                    break
                waiting = self._wishes.popleft()
            # Scores are a help: whatever fails here must not end the thread for other questions.
            began = time.monotonic()
            with contextlib.suppress(Exception):
                waiting.ask_scores(self._ask)
            # Who marks faster than this shares the processors with the page, half and half.
            self._rest(time.monotonic() - began)
        self._end()

    def _rest(self, worked: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, min(max(worked, _LEAST), _MOST))

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, ValueError):
            line = ""
        if not line:
            self._end()
            raise InternalError("The process that learns scores has ended.")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            if self._ended() or self._starts >= _STARTS:
                raise InternalError("The process that learns scores does not run.")
            self._starts += 1
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="ascii",
                env=os.environ | _ONE_THREAD,
            )
            self._process = process
            if self._ended():  # while it was being started
                process.kill()
        assert self._process is not None
        return self._process

    def _ended(self) -> bool:
        with self._changed:
            return self._closed

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()
