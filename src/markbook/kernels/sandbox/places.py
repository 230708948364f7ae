"""Where things are inside of the sandbox."""

from __future__ import annotations

import os

__all__ = [
    "EMPTY",
    "FONTS",
    "OTHER",
    "ROOMS",
    "SERVER",
    "environment",
    "folders",
    "place",
    "work",
]

ROOMS = "/markbook/rooms"  # each kernel's private files, as only the server sees them
SERVER = "/markbook/server"  # the server's own
EMPTY = "/markbook/empty"  # laid over what a kernel is not to see
OTHER = "/markbook/room"  # a kernel's private files, where they cannot lie in /tmp
FONTS = "/markbook/fonts"  # matplotlib's list of fonts


def place(bound: tuple[str, ...]) -> str:
    """Return where a kernel's private files are: /tmp, unless something else has to be seen there.

    ``bound`` are the words of bwrap's command line.
    """
    return OTHER if any(word.startswith("/tmp/") for word in bound) else "/tmp"


def work(private: str) -> str:
    """Return the working folder, among a kernel's private files: the submission's."""
    return f"{private}/submission"


def environment(private: str, given: dict[str, str]) -> dict[str, str]:
    """Return a kernel's environment with this sandbox's folders in place of the machine's."""
    home = f"{private}/home"
    kept = {k: v for k, v in given.items() if k not in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    return kept | {
        "HOME": home,
        "IPYTHONDIR": f"{home}/.ipython",
        "LOGNAME": "student",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "PWD": work(private),
        "TMPDIR": private,
        "USER": "student",
    }


def folders(private: str) -> tuple[str, ...]:
    """Return the folders to be made among a kernel's private files."""
    return tuple(os.path.join(private, name) for name in ("home", "submission"))  # noqa: PTH118
