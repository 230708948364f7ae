"""One run at a time: two would grade the same submissions and clear each other's folders."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markbook.course import Course

__all__ = ["only_run"]

# A network drive may know no locks; the gradebook's own still keep each submission whole.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def only_run(course: Course, assignment: str) -> Iterator[None]:
    """Hold the assignment's lock, which ends with this process, whatever way that ends.

    The lock is on the source folder itself: no lock file is left behind. Raises ``MarkbookError``
    at once when another process has it.
    """
    handle = os.open(course.source(assignment), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MarkbookError(
                f"{assignment!r} is being autograded in {course.root} already, so nothing was"
                " done.",
                hint="Wait until that run is done, or stop it; then run this again.",
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)
