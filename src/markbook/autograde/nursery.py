"""Where new autograded folders grow up, so that a student's is there in full or not at all."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from markbook.autograde.settings import FileRules

__all__ = ["Nursery", "cannot_write", "lay_down"]


def lay_down(folder: Path, files: Mapping[str, bytes], rules: FileRules) -> None:
    """Write files into ``folder``, which is made, with the permissions that nbgrader leaves."""
    folder.mkdir(parents=True)
    base = str(folder)
    for name, content in files.items():
        if "/" in name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(f"{base}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            os.fchmod(handle, rules.mode)
    if rules.shared:
        for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
            share(path)


def share(folder: Path) -> None:
    """Make a folder writable for its group, as nbgrader's ``groupshared`` asks."""
    mode = folder.stat().st_mode
    if mode & 0o2770 != 0o2770:
        with suppress(PermissionError):  # somebody else's: nbgrader warns and goes on
            folder.chmod((mode | 0o2770) & 0o2777)


class Nursery:
    """A hidden folder beside the students' own, where their new folders grow up.

    A folder is taken over by its name alone, so that it is there in full or not at all. What a
    killed run left behind is cleared away when the next one begins.
    """

    def __init__(self, autograded: Path, assignment: str, rules: FileRules) -> None:
        self.root = autograded
        self.folder = autograded / f".markbook-{assignment}"
        self.rules = rules

    def __enter__(self) -> Nursery:
        try:
            _remove(self.folder)
            (self.folder / "old").mkdir(parents=True)
        except OSError as error:
            raise cannot_write(error) from error
        return self

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)  # the next run tries again

    def grow(self, student: str, files: Mapping[str, bytes]) -> None:
        """Build a student's new folder, beside the one that is there."""
        place = self.folder / "new" / student
        _remove(place)
        lay_down(place, files, self.rules)

    def drop(self, student: str) -> None:
        """Take away what was built of a student's new folder."""
        _remove(self.folder / "new" / student)

    def take_away(self, student: str, folder: Path) -> None:
        """Put the folder that is there out of sight; ``put_back`` undoes it."""
        with suppress(FileNotFoundError):
            folder.rename(self.folder / "old" / student)

    def put_back(self, student: str, folder: Path) -> None:
        """Give a student back the folder that was taken away, if one was and it can be."""
        with suppress(OSError):  # where it cannot, the next run makes it again
            (self.folder / "old" / student).rename(folder)

    def hand_over(self, student: str, folder: Path) -> None:
        """Make the new folder the student's, where one was built, and drop the old one."""
        new = self.folder / "new" / student
        if new.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            if self.rules.shared:
                share(folder.parent)
            new.rename(folder)
        else:
            with suppress(OSError):
                folder.parent.rmdir()  # only if this was the student's last assignment
        _remove(self.folder / "old" / student)


def cannot_write(error: OSError) -> MarkbookError:
    """Return the error that says that autograded folders cannot be written, and what to do."""
    return MarkbookError(
        f"The autograded notebooks cannot be written: {error.strerror} ({error.filename}).",
        hint="What was stored is kept; mend it, then run this again to do the rest.",
    )


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
