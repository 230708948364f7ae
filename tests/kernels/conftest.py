"""Forked kernels to talk to, and the processes of this machine to count."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator


class Conversation:
    """A kernel, and what it says to a cell."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager = manager
        self.client = client

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    async def run(self, code: str, *, seconds: float = 30.0) -> str:
        """Run a cell; returns what it printed, or ``name: value`` of its error at the end."""
        said: list[str] = []
        # Else a kernel refuses what arrives in the moment after an error: the next cell, too.
        sent = self.client.execute(code, stop_on_error=False)
        while True:
            message = await self.client.get_iopub_msg(timeout=seconds)
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                said.append(content["text"])
            elif kind == "error":
                said.append(f"{content['ename']}: {content['evalue']}")
            elif kind in {"execute_result", "display_data"}:
                said.append(" ".join(content["data"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(said).strip()


@contextlib.asynccontextmanager
async def forked_kernel(cwd: Path, **attributes: Any) -> AsyncIterator[Conversation]:
    from markbook.kernels.forked import ForkedKernelManager

    manager = ForkedKernelManager()
    for name, value in attributes.items():
        setattr(manager, name, value)
    await manager.start_kernel(cwd=str(cwd))
    client = manager.client()
    client.start_channels(hb=False)
    try:
        await client.get_iopub_msg(timeout=30)  # the welcome: this client hears IOPub
        yield Conversation(manager, client)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel()


@pytest.fixture
def open_kernel() -> Callable[..., contextlib.AbstractAsyncContextManager[Conversation]]:
    """The function that opens a forked kernel in a folder, for ``async with``."""
    return forked_kernel


@pytest.fixture
def run_folders(
    tmp_path: Path,  # made first: pytest asks for the place of temporary files as well
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], list[str]]]:
    """The function that lists kernels' folders; others' kernels have theirs elsewhere."""
    with tempfile.TemporaryDirectory(prefix="mbt-") as folder:  # tmp_path is too long for sockets
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield lambda: sorted(path.name for path in Path(folder).glob("mbk-*"))


@pytest.fixture
def no_servers() -> Iterator[None]:
    """Begin without fork servers, and leave none."""
    from markbook.kernels.forkowner import stop_fork_servers

    stop_fork_servers()
    yield
    stop_fork_servers()


@pytest.fixture
def gone() -> Callable[[Iterable[int]], set[int]]:
    """The function that waits for processes to end; returns those that still run."""
    return wait_for_end


def wait_for_end(pids: Iterable[int], seconds: float = 10.0) -> set[int]:
    left = set(pids)
    until = time.monotonic() + seconds
    while left and time.monotonic() < until:
        left = {pid for pid in left if _runs(pid)}
        time.sleep(0.01)
    return left


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # a zombie has ended; in a container nobody may be there to reap it
