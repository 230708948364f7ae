"""nbclient's notebook client on a forked kernel, within limits.

Which message becomes which output is nbclient's own code, unchanged. What is ours is what lies
between: no event loop's tasks for each message, no second for a kernel that is known to be
ready, no polling for one that died, and bounds of time and bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import time
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from nbclient import NotebookClient
from nbclient.client import timestamp
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbformat import ValidationError
from nbformat import from_dict as _from_dict

from markbook.kernels.channels import Channels
from markbook.kernels.examination import Examination
from markbook.kernels.forked import ForkedKernelManager
from markbook.kernels.forkowner import KernelStartError, fork_server
from markbook.kernels.limits import Limits, Stopped
from markbook.kernels.logs import open_log, read_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from nbformat import NotebookNode

    from markbook.kernels.examiner.owner import Examining
    from markbook.kernels.sandbox.room import Room

__all__ = ["ForkedClient", "KernelSettings"]

from_dict: Callable[..., NotebookNode] = _from_dict  # nbformat has no types

_WELCOME = 0.5  # seconds; ipykernel before 7 does not say that a subscription arrived: ask then

# What nbclient's own code raises at messages that a kernel never sends of itself.
_FORGED = (
    ValidationError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    AssertionError,
)

_language_info: dict[str, Any] | None = None  # of this interpreter's IPython; asked for once


class KernelSettings:
    """How a client's kernel is started and how far it may go.

    ``environment`` is all of the kernel's, None this process's. What its process writes outside
    of cells is kept, or else goes where this process's own output goes. With a ``room`` the
    kernel is locked up in it, and its folder is that one's.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        cwd: Path,
        preload: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        keeps_log: bool = True,
        room: Room | None = None,
    ) -> None:
        self.examining: Examining | None = None
        self.room = room
        self.limits = limits
        self.cwd = cwd
        self.preload = preload
        self.environment = dict(environment) if environment is not None else None
        self.keeps_log = keeps_log


class ForkedClient(NotebookClient):
    """A notebook client with a forked kernel of its own. Call it where no event loop runs.

    ``stopped`` says which limit ended the run, if one did; the exception is nbclient's own
    ``DeadKernelError`` or ``CellTimeoutError``. ``log`` is what the kernel's process wrote
    outside of cells. What a cell's code forged so that it is no output is an exception, as with
    nbclient, or, with ``keep_forged``, put among the outputs as it is.
    """

    keep_forged = False

    def __init__(self, notebook: NotebookNode, settings: KernelSettings, **options: Any) -> None:
        super().__init__(notebook, **options)
        self._begin(settings)

    def _begin(self, settings: KernelSettings) -> None:
        self.settings = settings
        self.stopped: Stopped | None = None
        self.lost = False
        self.log_text = ""
        self.language_info: dict[str, Any] = {}
        self._ends = math.inf
        self._cell_index = 0
        self.examination: Examination | None = None
        self._loop: asyncio.AbstractEventLoop
        self._channels: Channels

    @contextmanager
    def setup_kernel(self, **_: Any) -> Iterator[None]:
        """Start a kernel, and kill it at the end. Raises ``KernelStartError``."""
        limits = self.settings.limits
        self._loop = asyncio.new_event_loop()
        with contextlib.ExitStack() as stack:
            stack.callback(self._close_loop)
            log = stack.enter_context(open_log(locked_up=self.settings.room is not None))
            stack.callback(self._read_log, log)
            if self.settings.examining is not None:
                self.examination = Examination(self.settings.examining, self.settings)
                stack.callback(self.examination.close)
            manager = self._start(log)
            stack.callback(self._end_kernel, manager)
            self._channels = Channels(manager, limits.output, limits.messages)
            stack.callback(self._channels.close)
            courier: Any = _Courier(self._channels)
            self.km, self.kc = manager, courier
            self._meet(limits.start_seconds)
            if limits.total_seconds is not None:
                self._ends = time.monotonic() + limits.total_seconds
            yield

    def _close_loop(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self.km = self.kc = None

    def _start(self, log: IO[bytes]) -> ForkedKernelManager:
        settings = self.settings
        # Here and not in the loop, which would need a thread for it.
        wrap = settings.room.wrap if settings.room is not None else ()
        fork_server(settings.preload, wrap=wrap, seconds=settings.limits.start_seconds)
        manager = ForkedKernelManager()
        manager.room = settings.room
        if self.examination is not None:
            manager.control = self.examination.theirs.fileno()
        manager.environment = settings.environment
        manager.preload = settings.preload
        manager.memory = settings.limits.memory
        manager.start_seconds = settings.limits.start_seconds
        outputs = {"stdout": log, "stderr": log} if settings.keeps_log else {}
        self._loop.run_until_complete(manager.start_kernel(cwd=str(settings.cwd), **outputs))
        return manager

    def examine(self, cell: NotebookNode, cell_index: int) -> None:
        """Have a test run in a clean process, if that is wanted, before it runs in the kernel."""
        if self.examination is not None and cell_index in self.examination.plan.tests:
            own = self._get_timeout(cell) or math.inf
            self.examination.examine(
                cell_index, self._channels, min(own, self._ends - time.monotonic())
            )

    def _end_kernel(self, manager: ForkedKernelManager) -> None:
        # Ctrl-C is raised by the task that it hit, and once more by the one that waits for that:
        # there, it would end the end.
        with contextlib.suppress(KeyboardInterrupt):
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(manager.shutdown_kernel())

    def _read_log(self, log: IO[bytes]) -> None:
        self.log_text = read_log(log)

    def _meet(self, seconds: float) -> None:
        """Wait until this client hears IOPub, and know the kernel's language."""
        global _language_info
        until = time.monotonic() + seconds
        asked = _language_info is None
        if asked:
            self._channels.send("kernel_info_request", {})
        heard, ask_at = False, time.monotonic() + _WELCOME
        while not heard or _language_info is None:
            self._channels.wait(min(until, ask_at) - time.monotonic())
            heard = any([True for _ in self._channels.published()]) or heard
            for reply in self._channels.replies():
                if reply["msg_type"] == "kernel_info_reply":
                    _language_info = reply["content"]["language_info"]
            if self._channels.end() is not None or time.monotonic() > until:
                raise KernelStartError(
                    "A kernel did not start: it does not answer.", hint="Its log may say more."
                )
            if time.monotonic() > ask_at:
                self._channels.send("kernel_info_request", {})
                asked, ask_at = True, time.monotonic() + _WELCOME
        self._channels.count = self._channels.number = 0
        self.language_info = deepcopy(_language_info)

    def execute_cell(self, cell: NotebookNode, cell_index: int, **options: Any) -> NotebookNode:
        """Run one cell, as nbclient's method of that name. Raises its exceptions."""
        self._cell_index = cell_index
        if self.examination is not None:
            self.examination.ran(cell_index)
        return self._loop.run_until_complete(self.async_execute_cell(cell, cell_index, **options))

    def wait_for_reply(self, msg_id: str, cell: NotebookNode | None = None) -> Any:
        """Return what kernels of this interpreter say of themselves; it was asked before."""
        return {"content": {"language_info": deepcopy(self.language_info)}}

    # nbclient makes tasks of these three for each cell. The last one does the work of all.

    async def _async_poll_kernel_alive(self) -> None:
        pass

    async def _async_poll_output_msg(
        self, parent_msg_id: str, cell: NotebookNode, cell_index: int
    ) -> None:
        pass

    async def _async_poll_for_reply(
        self,
        msg_id: str,
        cell: NotebookNode,
        timeout: float | None,
        task_poll_output_msg: asyncio.Future[Any],
        task_poll_kernel_alive: asyncio.Future[Any],
    ) -> dict[str, Any]:
        """Take in a cell's messages until it replied and is idle."""
        turn = _Turn(msg_id, cell, timeout, self.iopub_timeout)
        while not (turn.idle and turn.reply):
            self._channels.wait(min(turn.deadline, self._ends) - time.monotonic())
            self._listen(turn)
            if not (turn.idle and turn.reply):
                self._look_at_limits(turn)
        return turn.reply

    def _listen(self, turn: _Turn) -> None:
        for message in self._channels.published():
            if message["parent_header"].get("msg_id") != turn.msg_id:
                continue
            turn.heard()
            try:
                if message["deep"]:
                    raise ValueError("An output is nested too deeply to be kept in a notebook.")
                self.process_message(message, turn.cell, self._cell_index)
            except CellExecutionComplete:
                turn.idle = True
            except _FORGED:
                if not self.keep_forged:
                    raise
                turn.cell.outputs.append(_as_it_is(message))
        for message in self._channels.replies():
            if message["parent_header"].get("msg_id") == turn.msg_id and turn.reply is None:
                turn.replied(message)
                self._stamp(turn, message)

    def _stamp(self, turn: _Turn, reply: dict[str, Any]) -> None:
        if self.record_timing:
            turn.cell["metadata"]["execution"]["shell.execute_reply"] = timestamp(reply)

    def _look_at_limits(self, turn: _Turn) -> None:
        end = self._channels.end()
        if end is not None:
            self._listen(turn)
            if turn.idle and turn.reply and end is Stopped.DIED:
                return  # at the end of the cell: the next one will see it
            self._stop(end, turn)
        now = time.monotonic()
        if now >= self._ends:
            self._stop(Stopped.TIME, turn)
        if now >= turn.deadline:
            if turn.reply is None:
                self._time_out(turn)
            elif turn.moves and not self.raise_on_iopub_timeout:
                self.log.warning("Timeout waiting for IOPub output")
                turn.idle = True
            else:
                self._stop(Stopped.UNRESPONSIVE, turn)

    def _time_out(self, turn: _Turn) -> None:
        self.log.error("Timeout waiting for execute reply (%ss).", turn.timeout)
        if not self.interrupt_on_timeout:
            raise _timed_out("Cell execution timed out", turn.timeout, turn.cell)
        self.log.error("Interrupting kernel")
        self._channels.process.signal(signal.SIGINT)
        if self.error_on_timeout:
            turn.interrupted({"content": {**self.error_on_timeout, "status": "error"}})
            self._stamp(turn, {"header": {"date": datetime.now(UTC)}})
        elif turn.patience:
            turn.patience = False
            turn.deadline = time.monotonic() + turn.grace
        else:
            self._stop(Stopped.UNRESPONSIVE, turn)

    def _stop(self, reason: Stopped, turn: _Turn) -> None:
        self.lost = self._channels.process.lost
        if reason is Stopped.DIED:
            self.stopped = self._cause()
            raise DeadKernelError("Kernel died")
        self.stopped = reason
        if reason in (Stopped.OUTPUT, Stopped.MESSAGES):
            raise DeadKernelError(f"Kernel killed: {reason}")
        limits = self.settings.limits
        seconds = limits.total_seconds if reason is Stopped.TIME else turn.timeout
        raise _timed_out(f"Kernel killed: {reason}", seconds, turn.cell)

    def _cause(self) -> Stopped:
        """Say what a kernel died of that was not asked to."""
        room, why = self.settings.room, self._channels.process.why
        if why == "memory" or (room is not None and room.out_of_memory()):
            return Stopped.MEMORY
        return Stopped.CPU if why == "cpu" else Stopped.DIED

    def _get_timeout(self, cell: NotebookNode | None) -> float | None:  # type: ignore[override]
        seconds = self.settings.limits.cell_seconds
        own: float | None = super()._get_timeout(cell)
        return own if own is not None else seconds


def _as_it_is(message: dict[str, Any]) -> NotebookNode:
    kind = message["msg_type"].replace("update_display_data", "display_data")
    keep = isinstance(message["content"], dict) and not message["deep"]
    content = message["content"] if keep else {}
    content = {key: value for key, value in content.items() if key != "transient"}
    return from_dict({**content, "output_type": kind})


def _timed_out(what: str, seconds: Any, cell: NotebookNode) -> CellTimeoutError:
    return CellTimeoutError.error_from_timeout_and_cell(what, seconds, cell)


class _Turn:
    """One cell's execution, as far as it got. Times are of ``time.monotonic``, in seconds."""

    def __init__(
        self, msg_id: str, cell: NotebookNode, timeout: float | None, grace: float
    ) -> None:
        self.msg_id = msg_id
        self.cell = cell
        self.timeout = timeout
        self.grace = grace  # after an interrupt, and for outputs after a reply
        self.deadline = math.inf if timeout is None else time.monotonic() + timeout
        self.reply: dict[str, Any] | None = None
        self.idle = False
        self.patience = True  # one more wait, after an interrupt, for the kernel's own reply
        self.moves = False  # whether each output gives the next one as much time

    def replied(self, reply: dict[str, Any]) -> None:
        self.reply, self.moves = reply, True
        self.heard()

    def interrupted(self, reply: dict[str, Any]) -> None:
        # A loop that prints at each interrupt would otherwise go on for ever.
        self.reply, self.moves = reply, False
        self.deadline = time.monotonic() + self.grace

    def heard(self) -> None:
        if self.moves:
            self.deadline = time.monotonic() + self.grace


class _Courier:
    """What nbclient asks of a kernel's client besides: requests, and messages of widgets."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self.session = channels.session
        self.shell_channel = self
        self.allow_stdin = False

    def send(self, message: dict[str, Any]) -> None:
        self._channels.send_message(message)

    def execute(self, code: str, *, store_history: bool, stop_on_error: bool) -> str:
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        return self._channels.send("execute_request", content)

    def kernel_info(self) -> str:
        return ""  # asked at the start; see wait_for_reply
