"""Where things are inside of the sandbox."""

from __future__ import annotations

__all__ = ["BEHIND", "EMPTY", "FONTS", "HOME", "PRIVATE", "ROOMS", "SERVER", "WORK", "environment"]

ROOMS = "/markbook/rooms"  # each kernel's private files, as only the server sees them
SERVER = "/markbook/server"  # the server's own
EMPTY = "/markbook/empty"  # laid over what a kernel is not to see
BEHIND = "/markbook/behind"  # where what lay in /tmp is kept while a kernel's own is laid over it
FONTS = "/markbook/fonts"  # matplotlib's list of fonts
PRIVATE = "/tmp"  # a kernel's private files
HOME = f"{PRIVATE}/home"
WORK = f"{PRIVATE}/submission"  # the working folder


def environment(given: dict[str, str]) -> dict[str, str]:
    """Return a kernel's environment with this sandbox's folders in place of the machine's."""
    kept = {k: v for k, v in given.items() if k not in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    return kept | {
        "HOME": HOME,
        "IPYTHONDIR": f"{HOME}/.ipython",
        "LOGNAME": "student",
        "MPLCONFIGDIR": f"{HOME}/.matplotlib",
        "PWD": WORK,
        "TMPDIR": PRIVATE,
        "USER": "student",
    }
