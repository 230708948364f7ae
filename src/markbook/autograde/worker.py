"""What runs in a worker: one submission, from its bytes to a result."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Literal

from markbook.autograde.grade import grade

if TYPE_CHECKING:
    from markbook.autograde.values import Master, Result, Submission

__all__ = ["MASTER_WANTED", "grade_here"]

MASTER_WANTED: Final = "master wanted"

_MASTERS_KEPT = 4  # a cluster's worker serves many runs; each master is small beside a kernel
_masters: OrderedDict[str, Master] = OrderedDict()


def grade_here(
    key: str, master: Master | None, submission: Submission
) -> Result | Literal["master wanted"]:
    """Grade a submission against the master that this process knows by ``key``.

    ``master`` itself need not be sent again where it is known; ``MASTER_WANTED`` comes back where
    it is not.
    """
    if master is not None:
        _masters[key] = master
        while len(_masters) > _MASTERS_KEPT:
            _masters.popitem(last=False)
    known = master or _masters.get(key)
    return MASTER_WANTED if known is None else grade(known, submission)
