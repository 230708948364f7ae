"""Markbook's own manager of forked kernels."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="kernels fork on Linux"
)


def test_a_restarted_kernel_keeps_what_its_manager_was_told(
    open_kernel: Any, tmp_path: Path
) -> None:
    code = "import os; print(os.environ['MINE'], os.getcwd()); x = 1"
    log = tmp_path / "kernel.log"

    async def talk() -> list[str]:
        environment = {"PATH": os.environ["PATH"], "MINE": "1"}
        async with open_kernel(tmp_path, environment=environment, log_file=log) as kernel:
            first = kernel.pid, await kernel.run(code)
            await kernel.manager.restart_kernel()
            await kernel.client.wait_for_ready(timeout=30)
            assert kernel.pid != first[0]
            again = await kernel.run("print('x' in globals())")
            await kernel.run("import sys; print('logged', file=sys.__stderr__, flush=True)")
            return [first[1], again, await kernel.run(code)]

    first, again, second = asyncio.run(talk())
    assert first == second == f"1 {tmp_path}"
    assert again == "False"
    assert "logged" in log.read_text()


def test_installed_kernelspecs_are_not_looked_at(
    open_kernel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    def refuse(*_: Any) -> None:
        raise AssertionError("a kernelspec was looked up")

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", refuse)

    async def talk() -> str:
        async with open_kernel(tmp_path) as kernel:
            found = str(await kernel.run("import sys; print(sys.executable)"))
            await kernel.manager.interrupt_kernel()  # whenever it arrives: nothing runs any more
            return found

    assert asyncio.run(talk()) == sys.executable


def test_each_kernel_has_a_session_and_a_key_of_its_own(open_kernel: Any, tmp_path: Path) -> None:
    code = "s = get_ipython().kernel.session; print(s.session, s.pid, s.key.decode(), s.username)"

    async def talk() -> tuple[list[str], str]:
        async with open_kernel(tmp_path) as kernel:
            said = await kernel.run(f"import os; {code}; print(os.getpid())")
            return said.split(), kernel.manager.session.key.decode()

    (one, pid, key, _, own_pid), given = asyncio.run(talk())
    (other, _, other_key, _, _), other_given = asyncio.run(talk())
    assert one != other
    assert pid == own_pid
    assert (key, other_key) == (given, other_given)
    assert given != other_given


def test_what_was_imported_before_the_fork_is_no_code_of_the_user(
    open_kernel: Any, tmp_path: Path
) -> None:
    code = (
        "import sys, ipykernel.ipkernel; shell = get_ipython();"
        "files = shell.kernel.debugger.kernel_modules;"
        "print(sys.modules['IPython'].__file__ in files, len(files) > 500,"
        " len(set(sys.modules) - shell._sys_modules_keys) < 5, ipykernel.ipkernel.sys is sys)"
    )

    async def talk() -> str:
        async with open_kernel(tmp_path) as kernel:
            return str(await kernel.run(code))

    assert asyncio.run(talk()).split() == ["True"] * 4
