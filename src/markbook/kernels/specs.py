"""Which Python a notebook's kernel is, where its name says more than "python3"."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

__all__ = ["other_python"]

_OURS = frozenset({"", "python", "python3", "markbook-python3"})


def other_python(kernel: str) -> str | None:
    """Return the interpreter of the kernel of that name, if there is one and it is not ours."""
    if kernel in _OURS:
        return None
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(kernel)
    except NoSuchKernel:
        return None
    program = shutil.which(spec.argv[0]) if spec.argv else None
    # not resolved: an environment's python is a link to the one it was made with
    if program is None or Path(program).parent.resolve() == Path(sys.executable).parent.resolve():
        return None
    return program
