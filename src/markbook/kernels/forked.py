"""A manager of forked kernels for Markbook's own runs: no kernelspec, no file, no waiting.

Imported late: jupyter_client costs more than a whole ``markbook --help``.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from markbook.kernels.provisioner import ForkProvisioner

if TYPE_CHECKING:
    from pathlib import Path

    from markbook.kernels.sandbox.room import Room

__all__ = ["ForkedKernelManager"]


class ForkedKernelManager(AsyncKernelManager):
    """Starts kernels of the interpreter that runs Markbook, whatever kernels are installed.

    Set the attributes on an instance or a subclass, then ``await start_kernel(cwd=...)``. When
    that returns, the kernel's sockets are there: a client may start its channels at once and
    need not ``wait_for_ready`` (it has to wait for the ``iopub_welcome`` message, or its own
    first ``status``, before it relies on IOPub). Raises ``KernelStartError`` or ``PreloadError``.
    """

    environment: dict[str, str] | None = None  # all of it; None is this process's own
    log_file: Path | None = None  # where the kernel's own stdout and stderr go
    preload: tuple[str, ...] = ()
    memory: int | None = None  # bytes beyond what a kernel maps at its start
    start_seconds: float = 60.0
    wrap: tuple[str, ...] = ()  # words before the server's command: a sandbox
    control: int | None = None  # a socket by which copies of the kernel are asked for
    room: Room | None = None  # in our own sandbox; its folder and files take the place of ``cwd``

    @property
    def kernel_spec(self) -> KernelSpec:
        """What nbclient asks of a kernelspec; none is looked up."""
        if self._kernel_spec is None:
            self._kernel_spec = KernelSpec(
                argv=[],
                language="python",
                display_name="Python 3 (Markbook)",
                interrupt_mode="message",
            )
        return self._kernel_spec

    async def start_kernel(self, **arguments: Any) -> None:  # type: ignore[override]
        """Start the kernel; takes ``cwd``, ``env``, ``stdout`` and ``stderr`` as ``Popen`` does."""
        self.shutting_down = False
        self._attempted_start = True
        self.kernel_id = self.kernel_id or arguments.pop("kernel_id", str(uuid.uuid4()))
        self._launch_args = dict(arguments)
        if self.environment is not None:
            arguments["env"] = dict(self.environment)
        if self.provisioner is None:
            self.provisioner = ForkProvisioner(
                parent=self,
                kernel_id=self.kernel_id,
                kernel_spec=self.kernel_spec,
                preload=list(self.preload),
                memory=self.memory,
                start_seconds=self.start_seconds,
                wrap=list(self.wrap),
            )
            self.provisioner.room = self.room
            self.provisioner.control = self.control
        arguments = await self.provisioner.pre_launch(**arguments)
        command = arguments.pop("cmd")
        if self.log_file is None:
            await self.provisioner.launch_kernel(command, **arguments)
            return
        with self.log_file.open("ab") as log:
            arguments |= {"stdout": log, "stderr": log}
            await self.provisioner.launch_kernel(command, **arguments)

    async def shutdown_kernel(  # type: ignore[override]
        self, now: bool = False, restart: bool = False
    ) -> None:
        """Kill the kernel, at once in any case, and remove its files."""
        self.shutting_down = True
        if self.provisioner is not None and self.provisioner.has_process:
            await self.provisioner.kill(restart=restart)
            await self.provisioner.wait()
        await self.cleanup_resources(restart=restart)

    # Under these names jupyter_client's own restart calls them.
    _async_start_kernel = start_kernel
    _async_shutdown_kernel = shutdown_kernel
