"""One run's tests in a clean process: when it is started, and when it needs a new copy."""

from __future__ import annotations

import contextlib
import signal
import socket
from typing import TYPE_CHECKING

from markbook.kernels.examiner.owner import Examiner, Verdict
from markbook.kernels.forkowner import KernelStartError
from markbook.kernels.forkwire import send

if TYPE_CHECKING:
    from markbook.kernels.channels import Channels
    from markbook.kernels.client import KernelSettings
    from markbook.kernels.examiner.owner import Examining

__all__ = ["Examination"]

_LONGEST = 3600.0  # seconds of a test where there is no limit
_ANSWER_SECONDS = 60  # of the copy's processor on one question, before it is ended


class Examination:
    """The examination of one run. ``theirs`` is the kernel's end of what asks it for copies."""

    def __init__(self, plan: Examining, settings: KernelSettings) -> None:
        self.plan = plan
        self.settings = settings
        self.verdicts: dict[int, Verdict] = {}
        self._ours, self.theirs = socket.socketpair()
        self._examiner: Examiner | None = None
        self._copied = False  # whether a copy of the kernel is as the kernel is

    def close(self) -> None:
        """End the clean process; its copies of the kernel go with it, or with the kernel."""
        self._ours.close()
        self.theirs.close()
        if self._examiner is not None:
            self._examiner.close()

    def ran(self, cell_index: int) -> None:
        """Note that a cell is about to run in the kernel: tests ran in the copy, too."""
        self._copied = self._copied and cell_index in self.plan.tests

    def examine(self, cell_index: int, channels: Channels, seconds: float) -> None:
        """Run a test in the clean process, started when it is first needed."""
        self.verdicts[cell_index] = self._verdict(cell_index, channels, seconds)

    def _verdict(self, cell_index: int, channels: Channels, seconds: float) -> Verdict:
        self.theirs.close()  # the kernel has it
        if channels.end() is not None:
            return Verdict(doubts=("the answer's process has ended",), late=True)
        try:
            examiner = self._examiner = self._examiner or self._start()
        except (KernelStartError, OSError):
            return Verdict(doubts=("no clean process could be started",))

        verdict = examiner.examine(
            self.plan.tests[cell_index],
            max(1.0, min(seconds, _LONGEST)),
            None if self._copied else self._converse,
        )
        self._copied = self.plan.copies and not verdict.doubts
        if verdict.late and not self.plan.copies:  # it may still be at it
            channels.process.signal(signal.SIGINT)
        return verdict

    def _converse(self, file: int) -> None:
        self._ours.settimeout(1)
        order = {"copy": self.plan.copies, "seconds": _ANSWER_SECONDS}
        with contextlib.suppress(OSError):  # then an answer is missed over there
            send(self._ours, order, [file])

    def _start(self) -> Examiner:
        settings = self.settings
        examiner = Examiner.start(
            self.plan.place,
            preload=settings.preload,
            environment=settings.environment or {},
            memory=settings.limits.memory,
            seconds=settings.limits.start_seconds,
        )
        examiner.copies = self.plan.copies
        return examiner
