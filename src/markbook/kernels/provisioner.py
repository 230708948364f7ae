"""Kernels forked from a process that is ready already, for everything that uses jupyter_client.

The kernelspec ``markbook-python3`` names this provisioner, so nbclient, papermill, nbgrader and
JupyterLab use it without knowing. A kernelspec of a course may set ``preload`` and ``memory``
in ``metadata.kernel_provisioner.config``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Enum, Float, Integer, List, Unicode

from markbook.kernels.forkowner import (
    ForkServer,
    KernelStartError,
    ServerLostError,
    fork_server,
    running_fork_server,
)
from markbook.kernels.manager import plain_environment
from markbook.kernels.sandbox.parcel import read_inputs
from markbook.kernels.sandbox.sockets import CHANNELS, listen, own_prefix, sweep

if TYPE_CHECKING:
    from markbook.kernels.forkprocess import ForkedProcess
    from markbook.kernels.sandbox.room import Room

__all__ = ["ForkProvisioner"]

_LONGEST = 80  # bytes of a folder's name; a UNIX socket's path ends at 107, ours need 20 more
_DEATH_SECONDS = 10.0  # for a process to be gone after SIGKILL; 4 GB take about 0.5 s to free


class ForkProvisioner(KernelProvisionerBase):
    """Starts kernels by forking. They are always killed, never asked to leave.

    Its kernels' sockets are files in a folder of this user's only, removed with the kernel.
    Memory and times are in bytes and seconds.
    """

    preload = List(
        Unicode(), help="Modules that every kernel finds imported already, in this order."
    ).tag(config=True)
    memory = Integer(
        None, allow_none=True, help="Bytes that a kernel's process may map beyond its own start."
    ).tag(config=True)
    start_seconds = Float(60.0, help="How long a kernel, and a server, may take to start.").tag(
        config=True
    )
    wrap = List(Unicode(), help="Words before the server's command: a sandbox.").tag(config=True)
    isolation = Enum(
        ["none", "auto", "bwrap"],
        "none",
        help="How a kernel is locked up; then it has copies of its inputs, and no other folder.",
    ).tag(config=True)
    inputs = List(
        Unicode(), help="Files and folders that a locked-up kernel gets, as seen from its folder."
    ).tag(config=True)

    control: int | None = None  # a socket for examiner.student, the last of the files
    room: Room | None = None  # the sandbox's, of who starts the kernel
    _own_room: Room | None = None  # made here, by what is configured
    process: ForkedProcess | None = None
    folder: Path | None = None
    pid: int | None = None
    code: int | None = None  # the last kernel's exit status
    lost = False  # the last kernel went down with its server, by nothing that it did itself

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel that was not yet seen to end."""
        return self.process is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the kernel's sockets, and write them down where clients look."""
        manager: Any = self.parent
        if self.isolation != "none" and self.room is None:
            self.room = self._own_room = _room(kwargs.get("cwd"), self.inputs, self.memory)
        if self._own_room is not None:  # nothing of ours that is secret
            kwargs["env"] = plain_environment()
        if self.folder is None:
            try:
                self.folder = Path(tempfile.mkdtemp(prefix=self._prefix(), dir=_short_folder()))
            except OSError as error:
                raise _not_started(str(error)) from error
        manager.transport = "ipc"
        manager.ip = str(self.folder / "k")
        for number, channel in enumerate(CHANNELS, start=1):
            setattr(manager, f"{channel}_port", number)
        if not manager.connection_file:
            manager.connection_file = str(self.folder / "connection.json")
        # The file itself is the manager's to write, once the kernel is there; ours needs none.
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        return await super().pre_launch(cmd=[], **kwargs)

    def _prefix(self) -> str:
        """Return how the name of the kernel's folder begins."""
        if self.room is None:
            return "mbk-"
        # The server of a locked-up kernel does not see the folder, so it cannot remove it.
        sweep(_short_folder())
        return own_prefix()

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork the kernel and wait until its sockets are there, so that clients connect at once.

        Raises ``KernelStartError`` (``PreloadError`` for a module) when it does not come up.
        """
        assert self.folder is not None
        try:
            self.process = await self._fork(kwargs)
            self.pid = self.process.pid
            await self._wait_for_sockets(self.process)
        except BaseException as error:
            await self.kill()
            await self.cleanup()
            if isinstance(error, OSError):
                raise _not_started(str(error)) from error
            raise
        return self.connection_info

    async def _fork(self, kwargs: dict[str, Any]) -> ForkedProcess:
        cwd = str(Path(kwargs.get("cwd") or "."))
        info: dict[str, Any] = dict(self.connection_info)
        manager: Any = self.parent
        environment = dict(kwargs["env"])
        order = {
            "cwd": os.path.abspath(cwd),  # noqa: PTH100  (links stay as the caller wrote them)
            "environment": environment,
            "connection": {**info, "key": info["key"].decode()},
            "connection_file": str(manager.connection_file),
            "folder": str(self.folder),
            "memory": self.memory,
        }
        stdout, stderr, opened = _outputs(kwargs.get("stdout"), kwargs.get("stderr"))
        more: list[int] = []
        try:
            if self.room is not None:
                order |= self._boxed(self.room, environment)
                opened += (sockets := self._listen(info))
                more = [*self.room.files(), *sockets]
            if self.control is not None:
                order["control"] = True
                more = [*more, self.control]
            try:
                server = await self._server()
                process = server.fork(order, stdout, stderr, more)
            except ServerLostError:  # what killed it, the last kernel's code say, is no reason here
                server = await self._server()
                process = server.fork(order, stdout, stderr, more)
        finally:
            for file in opened:
                os.close(file)
        if self.room is not None:
            self.room.known_to(server)
        return process

    def _boxed(self, room: Room, environment: dict[str, str]) -> dict[str, Any]:
        """Return what is different in the order for a kernel in a sandbox's room."""
        inside = room.environment(environment)
        return {
            "box": room.order() | {"files": len(room.files())},
            "cwd": room.cwd,
            "environment": inside,
            "folder": inside["IPYTHONDIR"],
        }

    def _listen(self, info: dict[str, Any]) -> list[int]:
        """Bind the kernel's sockets in its stead: it will not see the folder they are in."""
        found: list[int] = []
        try:
            for name in CHANNELS:
                found.append(listen(f"{info['ip']}-{info[f'{name}_port']}").detach())
        except BaseException:
            for file in found:
                os.close(file)
            raise
        return found

    async def _server(self) -> ForkServer:
        preload = tuple(self.preload)
        wrap = tuple(self.wrap) if self.room is None else self.room.wrap
        server = running_fork_server(preload, wrap)
        if server is None:  # takes a second: other work of this loop goes on
            server = await asyncio.to_thread(
                fork_server, preload, wrap=wrap, seconds=self.start_seconds
            )
        return server

    async def _wait_for_sockets(self, process: ForkedProcess) -> None:
        until = time.monotonic() + self.start_seconds
        while not process.ready:
            left = until - time.monotonic()
            if left <= 0 or not await process.news(left):
                what = f"not ready after {self.start_seconds:.0f} s"
            elif process.failure is not None:
                what = process.failure
            elif process.code is not None and not process.ready:
                what = f"its process ended ({process.code}) before it was ready"
            else:
                continue
            raise _not_started(what)

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else its exit status (negative: the signal)."""
        return 0 if self.process is None else self.process.poll()

    async def wait(self) -> int | None:
        """Wait for the kernel's end; returns its exit status."""
        if self.process is None:
            return 0
        code = await self.process.wait()
        self._let_go()
        return code

    def _let_go(self) -> None:
        if self.process is not None:
            self.code, self.lost = self.process.poll(), self.process.lost
            self.process.close()
            self.process = None

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group."""
        if self.process is not None:
            self.process.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and all that descends from it; returns when it is gone."""
        if self.process is not None:
            self.process.signal(signal.SIGKILL)
            await self.process.wait(_DEATH_SECONDS)

    async def terminate(self, restart: bool = False) -> None:
        """Kill the kernel: it has nothing of its own to save."""
        await self.kill(restart=restart)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Kill the kernel instead of waiting for it to leave."""
        await self.kill(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove what the kernel had: its line, and, when it is not to come back, its folder."""
        self._let_go()
        if self.folder is not None and not restart:
            shutil.rmtree(self.folder, ignore_errors=True)
            manager: Any = self.parent
            if Path(manager.connection_file).parent == self.folder:
                manager.connection_file = ""
            self.folder = None
        if self._own_room is not None and not restart:
            self._own_room.close()
            self.room = self._own_room = None


def _room(cwd: Any, inputs: list[str], memory: int | None) -> Room:
    """Make a room with copies of the inputs; raises ``IsolationError``, ``KernelStartError``."""
    from markbook.kernels.sandbox.bounds import Bounds
    from markbook.kernels.sandbox.probe import require_isolation
    from markbook.kernels.sandbox.room import Room

    require_isolation()
    try:
        files = read_inputs(Path(cwd or "."), inputs)
    except OSError as error:
        raise _not_started(f"its inputs cannot be read: {error}") from error
    return Room(files, bounds=Bounds(memory=memory) if memory is not None else None)


def _not_started(why: str) -> KernelStartError:
    return KernelStartError(
        f"A kernel did not start: {why.strip().rstrip('.')}.", hint="Its log may say more."
    )


def _short_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= _LONGEST else "/tmp"


def _is_open(file: int) -> bool:
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def _outputs(stdout: Any, stderr: Any) -> tuple[int, int, list[int]]:
    """Return descriptors for what ``Popen`` would take as stdout and stderr, and those opened."""
    opened: list[int] = []

    def descriptor(value: Any, default: int) -> int:
        if value is None and _is_open(default):
            return default
        if value in (None, subprocess.DEVNULL, subprocess.PIPE):
            opened.append(os.open(os.devnull, os.O_WRONLY))
            return opened[-1]
        return value if isinstance(value, int) else int(value.fileno())

    out = descriptor(stdout, 1)
    return out, out if stderr == subprocess.STDOUT else descriptor(stderr, 2), opened
