"""A kernel of the interpreter that runs Markbook, in a small environment.

Imported late: jupyter_client costs more than a whole ``markbook --help``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

__all__ = ["OwnKernelManager", "grader_environment", "plain_environment"]

# What a kernel needs to find its home (font and bytecode caches), its language and its clock.
# Everything else stays outside: tokens, proxies, a PYTHONPATH of another project.
_KEPT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR")
_GRADERS = ("MARKBOOK_CACHE", "MARKBOOK_SENTENCE_MODEL")  # what graders read besides


def plain_environment() -> dict[str, str]:
    """Return the environment of a submission's kernel: nothing of this process's that is secret."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONHASHSEED": "0",
    }


def grader_environment() -> dict[str, str]:
    """Return the environment of a grader's kernel: as above, and figures are drawn to files."""
    own = {name: os.environ[name] for name in _GRADERS if name in os.environ}
    return {**plain_environment(), **own, "MPLBACKEND": "agg"}


class OwnKernelManager(AsyncKernelManager):
    """Starts ``sys.executable``'s own ipykernel, whatever kernels a person has installed.

    A ``python3`` kernel in a user's folder or on ``JUPYTER_PATH`` may belong to another
    environment, one without Markbook in it.
    """

    environment: dict[str, str] | None = None
    log_file: Path | None = None  # where the kernel's own stdout and stderr go

    @default("kernel_spec_manager")
    def _own_specs(self) -> KernelSpecManager:
        return KernelSpecManager(parent=self, kernel_dirs=[], ensure_native_kernel=True)

    @default("transport_encryption")
    def _encrypt_when_possible(self) -> str:
        # ipykernel 7 warns on a plain TCP port, which others on the machine could listen to.
        return "auto"

    async def start_kernel(self, **arguments: Any) -> None:  # type: ignore[override]
        if self.environment is not None:
            arguments["env"] = dict(self.environment)
        if self.log_file is None:
            await super().start_kernel(**arguments)
            return
        with self.log_file.open("ab") as log:
            await super().start_kernel(**arguments, stdout=log, stderr=log)
