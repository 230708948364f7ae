"""What runs in a worker: submissions, from their bytes to results."""

from __future__ import annotations

import threading
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from markbook.autograde.grade import grade
from markbook.autograde.values import Result
from markbook.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.autograde.values import Master, Submission

__all__ = ["MASTER_WANTED", "failed", "grade_here"]

MASTER_WANTED: Final = "master wanted"

_MASTERS_KEPT = 4  # a cluster's worker serves many runs; each master is small beside a kernel
_taking = threading.Lock()  # a cluster's worker may grade in several threads
_masters: OrderedDict[str, Master] = OrderedDict()


def grade_here(
    key: str, master: Master | None, submissions: Sequence[Submission]
) -> tuple[Result, ...] | Literal["master wanted"]:
    """Grade submissions against the master that this process knows by ``key``.

    ``master`` itself need not be sent again where it is known; ``MASTER_WANTED`` comes back where
    it is not. A fault on one submission is its result, and leaves the others alone.
    """
    with _taking:
        if master is not None:
            _masters[key] = master
            while len(_masters) > _MASTERS_KEPT:
                _masters.popitem(last=False)
        known = _masters.get(key)
    if known is None:
        return MASTER_WANTED
    return tuple(_grade(known, submission) for submission in submissions)


def failed(student: str, reason: str) -> Result:
    """Return the result of a submission that could not be graded."""
    return Result(student=student, outcome=Outcome.FAILED, findings=(reason,))


def _grade(master: Master, submission: Submission) -> Result:
    try:
        return grade(master, submission)
    except Exception as error:  # noqa: BLE001  (one submission never stops the others)
        fault = "".join(traceback.format_exception_only(error)).strip()[:500]
        place = traceback.extract_tb(error.__traceback__)[-1]
        return failed(
            submission.student,
            f"Markbook failed on it ({fault}, at {Path(place.filename).name}:{place.lineno});"
            " please report this fault",
        )
