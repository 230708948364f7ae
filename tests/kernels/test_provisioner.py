"""The kernelspec ``markbook-python3``, used by those who know nothing of Markbook."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from nbformat.v4 import new_code_cell, new_notebook

from markbook.kernels.forkowner import KernelStartError, PreloadError
from markbook.kernels.provisioner import ForkProvisioner

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="kernels fork on Linux"
)

KERNEL = "markbook-python3"
SPEC = Path(__file__).parents[2] / "src/markbook/kernels/kernelspec/kernel.json"


@pytest.fixture(autouse=True)
def nothing_stays(run_folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """No run folder, and no connection file in Jupyter's own, is left by any test here."""
    runtime = tmp_path / "runtime"
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    yield
    assert run_folders() == []
    assert not runtime.exists() or list(runtime.iterdir()) == []


def test_the_installed_kernelspec_is_the_one_in_the_source() -> None:
    spec = KernelSpecManager().get_kernel_spec(KERNEL)
    written = json.loads(SPEC.read_text())
    assert spec.display_name == written["display_name"]
    assert spec.metadata == written["metadata"]
    assert spec.interrupt_mode == "message"


def _notebook(*cells: str) -> Any:
    return new_notebook(
        cells=[new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": KERNEL, "display_name": "x", "language": "python"}},
    )


CELLS = ("x = 6", "print(x)", "x * 7", "import os; os.getcwd()", "1 / 0", "x + 1")


PROGRAM = """
import os, sys, warnings
import nbclient, nbformat, papermill
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nbgrader's own, at its import
    from nbgrader.preprocessors import Execute
folder = sys.argv[1]
place = {"metadata": {"path": folder}}

notebook = nbformat.read("nbclient.ipynb", 4)
nbclient.NotebookClient(notebook, allow_errors=True, resources=place).execute()
nbformat.write(notebook, "nbclient.ipynb")

notebook = nbformat.read("nbgrader.ipynb", 4)
Execute().preprocess(notebook, place)
nbformat.write(notebook, "nbgrader.ipynb")

try:
    papermill.execute_notebook("papermill.ipynb", "papermill.ipynb", cwd=folder, progress_bar=False)
except papermill.PapermillExecutionError as error:
    print(error.ename)
"""


def test_those_who_only_know_the_kernels_name_run_notebooks_without_a_warning(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("nbclient", "papermill", "nbgrader"):
        nbformat.write(_notebook(*CELLS), tmp_path / f"{name}.ipynb")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(folder)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ZeroDivisionError\n", "")
    expected = ["6\n", "42", repr(str(folder)), "ZeroDivisionError", "7"]
    assert _outputs(tmp_path / "nbclient.ipynb") == expected
    assert _outputs(tmp_path / "nbgrader.ipynb") == expected
    # papermill stops at the error, and says so in cells of its own.
    assert [o for o in _outputs(tmp_path / "papermill.ipynb") if o in expected] == expected[:4]
    assert list(folder.iterdir()) == []


def _outputs(path: Path) -> list[str]:
    return [
        output.get("text") or output.get("ename") or next(iter(output["data"].values()))
        for cell in nbformat.read(path, 4).cells
        for output in cell.get("outputs", [])
    ]


async def _started(**arguments: Any) -> AsyncKernelManager:
    manager = AsyncKernelManager(kernel_name=KERNEL)
    await manager.start_kernel(**arguments)
    return manager


async def _client(manager: AsyncKernelManager) -> Any:
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=30)
    return client


async def _said(client: Any, code: str, seconds: float = 30) -> list[str]:
    said: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        content = message["content"]
        said.extend(str(content[key]) for key in ("text", "ename") if key in content)

    await client.execute_interactive(code, timeout=seconds, output_hook=hear, stop_on_error=False)
    return said


class Session:
    """A plain manager's kernel for ``async with``."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    async def __aenter__(self) -> tuple[AsyncKernelManager, Any]:
        self.manager = await _started(**self.arguments)
        self.client = await _client(self.manager)
        return self.manager, self.client

    async def __aexit__(self, *_: object) -> None:
        self.client.stop_channels()
        await self.manager.shutdown_kernel(now=True)


def test_a_plain_managers_kernel_has_its_environment_and_its_import_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "from_pythonpath.py").write_text("answer = 42")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    monkeypatch.setenv("COURSE", "web")

    async def talk() -> list[str]:
        async with Session(cwd=str(tmp_path)) as (_, client):
            code = "import os, from_pythonpath as f; print(f.answer, os.environ['COURSE'])"
            return await _said(client, code)

    assert asyncio.run(talk()) == ["42 web\n"]


@pytest.mark.parametrize("how", ["message", "signal"])
def test_an_interrupt_ends_the_cell_and_not_the_kernel(how: str) -> None:
    async def talk() -> list[str]:
        async with Session() as (manager, client):
            # Else a kernel refuses what arrives in the moment after an error: the next cell, too.
            code = "import time; print('in it'); time.sleep(60)"
            client.execute(code, stop_on_error=False)
            while (await client.get_iopub_msg(timeout=10))["msg_type"] != "stream":
                pass
            if how == "message":
                await manager.interrupt_kernel()
            else:
                await manager.signal_kernel(signal.SIGINT)
            while True:
                message = await client.get_iopub_msg(timeout=10)
                if message["msg_type"] == "error":
                    break
            await client.get_shell_msg(timeout=10)
            return [message["content"]["ename"], *await _said(client, "print(1)")]

    assert asyncio.run(talk()) == ["KeyboardInterrupt", "1\n"]


def test_a_polite_shutdown_of_a_kernel_that_does_not_listen_takes_no_time() -> None:
    code = (
        "import signal\n"
        "for s in (signal.SIGTERM, signal.SIGINT): signal.signal(s, signal.SIG_IGN)\n"
        "print('deaf')\nwhile True: pass"
    )

    async def talk() -> float:
        manager = await _started()
        client = await _client(manager)
        client.execute(code)
        while (await client.get_iopub_msg(timeout=10))["msg_type"] != "stream":
            pass
        started = time.monotonic()
        await manager.shutdown_kernel()
        seconds = time.monotonic() - started
        client.stop_channels()
        assert not await manager.is_alive()
        return seconds

    assert asyncio.run(talk()) < 1.0  # jupyter_client's own way would be 5 s


@pytest.mark.parametrize("died", [False, True])
def test_a_restarted_kernel_is_a_fresh_one_at_the_same_address(died: bool) -> None:
    async def talk() -> list[str]:
        async with Session() as (manager, client):
            assert await _said(client, "x = 1; print(x)") == ["1\n"]
            first = manager.provisioner.pid
            if died:
                client.execute("import os; os._exit(1)")
                await manager.provisioner.wait()
            await manager.restart_kernel(now=died)
            await client.wait_for_ready(timeout=30)
            assert manager.provisioner.pid != first
            return await _said(client, "print(x)")

    assert asyncio.run(talk()) == ["NameError"]


def test_jupyterlabs_way_of_managing_many_kernels_works(tmp_path: Path) -> None:
    connections = tmp_path / "connections"
    connections.mkdir()

    async def talk() -> None:
        kernels = AsyncMultiKernelManager(
            connection_dir=str(connections), default_kernel_name=KERNEL
        )
        ids = [await kernels.start_kernel() for _ in range(2)]
        assert sorted(p.name for p in connections.iterdir()) == sorted(
            f"kernel-{i}.json" for i in ids
        )
        for number, kernel in enumerate(ids):
            manager = kernels.get_kernel(kernel)
            connection = json.loads(Path(manager.connection_file).read_text())
            assert connection["transport"] == "ipc"
            assert oct(Path(connection["ip"]).parent.stat().st_mode & 0o777) == "0o700"
            client = await _client(manager)
            assert await _said(client, f"print({number})") == [f"{number}\n"]
            client.stop_channels()
        await kernels.shutdown_all()

    asyncio.run(talk())
    assert list(connections.iterdir()) == []


def test_the_kernels_own_output_goes_where_popen_would_put_it(tmp_path: Path) -> None:
    log = tmp_path / "kernel.log"

    async def talk() -> None:
        with log.open("wb") as stream:
            async with Session(stdout=stream, stderr=subprocess.STDOUT) as (_, client):
                await _said(
                    client, "import sys; print('to the log', file=sys.__stdout__, flush=True)"
                )

    asyncio.run(talk())
    assert log.read_text() == "to the log\n"


def test_a_kernelspec_may_name_modules_and_a_bound_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = json.loads(SPEC.read_text())
    config = spec["metadata"]["kernel_provisioner"]["config"]
    config.update(preload=["csv"], memory=200_000_000)
    folder = tmp_path / "kernels" / "course"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    async def talk() -> list[str]:
        manager = AsyncKernelManager(kernel_name="course")
        await manager.start_kernel()
        client = await _client(manager)
        said = await _said(client, "import sys; print('csv' in sys.modules)")
        said += await _said(client, "bytearray(10**9)")
        client.stop_channels()
        await manager.shutdown_kernel()
        return said

    assert asyncio.run(talk()) == ["True\n", "MemoryError"]
    config["preload"] = ["no_such_module"]
    (folder / "kernel.json").write_text(json.dumps(spec))
    with pytest.raises(PreloadError, match="no_such_module"):
        asyncio.run(AsyncKernelManager(kernel_name="course").start_kernel())


def test_a_kernelspec_may_have_its_kernels_locked_up_with_copies_of_what_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bubblewrap: str
) -> None:
    spec = json.loads(SPEC.read_text())
    config = spec["metadata"]["kernel_provisioner"]["config"]
    config.update(isolation="bwrap", inputs=["data.csv"])
    folder = tmp_path / "kernels" / "locked"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("TOKEN", "a secret of ours")
    work = tmp_path / "work"
    work.mkdir()
    (work / "data.csv").write_text("1,2")
    (work / "tests.ipynb").write_text("hidden")

    async def talk() -> list[str]:
        manager = AsyncKernelManager(kernel_name="locked")
        await manager.start_kernel(cwd=str(work))
        client = await _client(manager)
        said = await _said(client, "import os; print(os.listdir(), open('data.csv').read())")
        said += await _said(client, f"print('TOKEN' in os.environ, os.path.exists({str(work)!r}))")
        await manager.restart_kernel()
        client.stop_channels()
        client = await _client(manager)
        said += await _said(client, "import os; print(os.listdir())")
        client.stop_channels()
        await manager.shutdown_kernel()
        return said

    assert asyncio.run(talk()) == ["['data.csv'] 1,2\n", "False False\n", "['data.csv']\n"]
    config["inputs"] = ["gone.csv"]
    (folder / "kernel.json").write_text(json.dumps(spec))
    with pytest.raises(KernelStartError, match=r"inputs cannot be read.*gone\.csv"):
        asyncio.run(AsyncKernelManager(kernel_name="locked").start_kernel(cwd=str(work)))


def test_a_long_folder_for_temporary_files_does_not_make_sockets_impossible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))

    async def talk() -> list[str]:
        async with Session() as (_, client):
            return await _said(client, "print(1)")

    assert asyncio.run(talk()) == ["1\n"]


def test_a_full_disk_for_the_sockets_is_a_named_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(KernelStartError, match="gone"):
        asyncio.run(_started())


def test_closed_standard_streams_are_no_reason_not_to_start() -> None:
    program = """
import asyncio, os
for file in (0, 1, 2): os.close(file)
from markbook.kernels.forked import ForkedKernelManager
async def main():
    manager = ForkedKernelManager()
    await manager.start_kernel()
    await manager.shutdown_kernel()
asyncio.run(main())
os._exit(17)
"""
    ran = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ran.returncode == 17


def test_the_provisioner_is_found_by_its_name() -> None:
    from importlib.metadata import entry_points

    [entry] = entry_points(group="jupyter_client.kernel_provisioners", name="markbook-fork")
    assert entry.load() is ForkProvisioner
