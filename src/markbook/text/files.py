"""Writing files so that a reader sees the old or the new content, never half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["write_atomic"]


def write_atomic(path: Path, data: str | bytes, *, mode: int = 0o644, durable: bool = True) -> bool:
    """Replace ``path`` with ``data`` (text is UTF-8, newlines as given) and create its folders.

    Returns False, and touches nothing, when the file already holds exactly this: running a step
    twice then leaves even the file times alone. Waits until the disk holds it for good, unless
    it need not be ``durable``: a copy of what lies elsewhere can be made again.
    """
    content = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True
