"""What this machine can do to lock up student code, and what is missing."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markbook.errors import IsolationError
from markbook.kernels.sandbox import bwrap, cgroup, landlock, seccomp, syscalls
from markbook.kernels.sandbox.room import wrap_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Ability", "abilities", "require_isolation"]

_ALLOW_NONE = "or run it unprotected, as yourself, with '--isolation none'"
_INSTALL = "Install bubblewrap (on Debian and Ubuntu: 'sudo apt-get install bubblewrap')"
_SECONDS = 30.0
_SYSCTLS = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "0",
        (
            "AppArmor keeps programs from user namespaces: set the sysctl"
            " kernel.apparmor_restrict_unprivileged_userns to 0, or give bwrap a profile that has"
            " 'userns'"
        ),
    ),
    (
        "kernel/unprivileged_userns_clone",
        "1",
        "Set the sysctl kernel.unprivileged_userns_clone to 1",
    ),
)


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing that isolation uses. ``how`` says how to get it, where it is not there.

    ``needed`` ones have to be there; without the others there is a second best.
    """

    name: str
    there: bool
    detail: str
    how: str = ""
    needed: bool = True


def require_isolation() -> None:
    """Raise ``IsolationError`` where student code cannot be locked up. Takes a moment, once."""
    trouble = _trouble()
    if trouble is not None:
        what, how = trouble
        raise IsolationError(
            f"Student code cannot be locked up on this machine, so none is run: {what}.",
            hint=f"{how}, {_ALLOW_NONE}. 'markbook doctor --isolation' tells more.",
        )


@cache
def _trouble() -> tuple[str, str] | None:
    """Return what is missing and how to get it, None where a sandbox can be made."""
    if not sys.platform.startswith("linux"):
        return f"it takes Linux, and this is {sys.platform}", "Grade on Linux"
    program = bwrap.find_bwrap()
    if program is None:
        return "bubblewrap (the program bwrap) is not installed", _INSTALL
    said = _try_it()
    return None if said is None else (f"bubblewrap says {said!r}", _advice())


def _try_it() -> str | None:
    """Make a sandbox around nothing; returns what was said against it."""
    try:
        ran = subprocess.run(
            [*wrap_of(), "/bin/sh", "-c", "exit 0"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            env={"PATH": os.defpath},
            cwd="/",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if ran.returncode == 0:
        return None
    lines = ran.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else f"nothing, and ended with {ran.returncode}"


def _advice() -> str:
    for name, wanted, advice in _SYSCTLS:
        try:
            value = Path(f"/proc/sys/{name}").read_text().strip()
        except OSError:
            continue
        if value != wanted and os.getuid() != 0:
            return advice
    if _in_container():
        return (
            "In a container, start it with the right to make namespaces (Docker: '--cap-add"
            " SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
            " --security-opt systempaths=unconfined')"
        )
    return "Let this user make user namespaces (sysctl user.max_user_namespaces), or be root"


def _in_container() -> bool:
    return any(Path(p).exists() for p in ("/.dockerenv", "/run/.containerenv"))


def abilities() -> tuple[Ability, ...]:
    """Return everything that isolation uses on this machine, the decisive ones tried for real."""
    return tuple(_abilities())


def _abilities() -> Iterator[Ability]:
    linux = sys.platform.startswith("linux")
    yield Ability("Linux", linux, platform.release(), "Grade on Linux.")
    program = bwrap.find_bwrap()
    yield Ability("bubblewrap", program is not None, program or "", f"{_INSTALL}.")
    said = _try_it() if linux and program else "not tried"
    yield Ability("namespaces", said is None, said or "made one", f"{_advice()}.")
    told = _try_kernel() if said is None else "not tried"
    yield Ability(
        "a kernel locked up", told is None, told or "ran a cell",
        "Report this, with the lines above.",
    )  # fmt: skip
    code = seccomp.program(syscalls.machine(), shared_memory=True) if linux else None
    yield Ability(
        "seccomp filter", code is not None, syscalls.machine(),
        "There is one for x86_64 and aarch64; elsewhere system calls are not filtered.",
        needed=False,
    )  # fmt: skip
    version = landlock.version() if linux else 0
    yield Ability(
        "Landlock", version > 0, f"version {version}" if version else "",
        "Linux 5.13 or later, started with lsm=landlock; without it the mounts alone say what"
        " may be opened.",
        needed=False,
    )  # fmt: skip
    group = linux and cgroup.can_make()
    yield Ability(
        "control groups", group, "memory of all processes counted by Linux" if group else "",
        "As root, or inside 'systemd-run --user --scope -p Delegate=yes'; without them memory is"
        " counted twenty times in a second.",
        needed=False,
    )  # fmt: skip


def _try_kernel() -> str | None:
    """Run a cell in a locked-up kernel; returns what went wrong."""
    from nbformat.v4 import new_code_cell, new_notebook

    from markbook.kernels.execute import execute
    from markbook.kernels.limits import Limits
    from markbook.kernels.sandbox.room import Room

    cell = new_code_cell("import os; print(os.getpid())")  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    with Room() as room:
        ran = execute(notebook, limits=Limits(start_seconds=_SECONDS), cwd=room)
    if ran.stopped is not None:
        return f"{ran.stopped}: {ran.log.strip()[-500:]}"
    said = "".join(output.get("text", "") for output in cell.outputs).strip()
    return None if said == "1" else f"it is process {said!r} and not the first of its own"
