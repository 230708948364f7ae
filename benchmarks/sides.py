"""One side of one round, in a process of its own: ``python sides.py TASK``.

The arguments come as JSON on stdin, what was measured goes as JSON to stdout. The harness has
pinned the process, and with it whatever it starts, to its cores.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from markbook.autograde.values import Isolation

Found = dict[str, Any]


def autograde(  # noqa: PLR0913  (one argument for each choice of a benchmark)
    course: str,
    assignment: str,
    executor: str,
    workers: int = 1,
    address: str | None = None,
    warm_up: int = 0,
    isolation: Isolation = "auto",
) -> Found:
    """Autograde a class after a warm-up of some of its students, who then do not count.

    ``seconds`` is the wall time of autograding the others, all in: hashing, running, storing,
    writing the notebooks, putting marks right; ``again`` that of a second
    run over all, in which nothing has changed. ``peak`` is the coordinator's memory in bytes.
    """
    from markbook.autograde import Options
    from markbook.autograde import autograde as run
    from markbook.course import Course
    from markbook.executors import open_executor
    from markbook.gradebook import Gradebook

    own = Options(engine="markbook", isolation=isolation)
    opened = Course.open(Path(course))
    students = opened.students("submitted", assignment)
    with (
        Gradebook.open(opened) as gb,
        open_executor(executor, workers=workers, address=address) as pool,
    ):
        if warm_up:
            run(opened, gb, assignment, students[:warm_up], executor=pool, options=own)
        times: list[float] = []
        begin = time.perf_counter()
        report = run(
            opened,
            gb,
            assignment,
            students[warm_up:],
            executor=pool,
            options=own,
            on_event=_clock(times),
        )
        seconds = time.perf_counter() - begin
        begin_again = time.perf_counter()
        second = run(opened, gb, assignment, executor=pool, options=own)
        again = time.perf_counter() - begin_again
    return {
        "seconds": seconds,
        "submissions": len(report.records),
        "failed": [record.findings[0] for record in report.failed],
        "milestones": _milestones(times, begin),
        "again": again,
        "unchanged": len(second.unchanged),
        "peak": _peak(),
    }


def _clock(times: list[float]) -> Callable[[object], None]:
    """Return a listener that notes when each submission was done."""
    from markbook.autograde import SubmissionFinished

    def listen(event: object) -> None:
        if isinstance(event, SubmissionFinished):
            times.append(time.perf_counter())

    return listen


def _milestones(times: list[float], begin: float) -> list[float]:
    """Return the seconds after which each tenth of the submissions was done."""
    tenth = max(1, len(times) // 10)
    return [done - begin for done in times[tenth - 1 :: tenth]]


def _peak() -> int:
    """Return the most memory that this process, without any other, has ever held, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell how much memory a process has used")


def cluster(workers: int, folder: str) -> Found:
    """Run a Dask cluster on this machine until the harness has had enough of it."""
    import dask
    from distributed import LocalCluster

    dask.config.set({"distributed.worker.daemon": True})
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        local_directory=folder,
    ) as made:
        print(json.dumps({"address": made.scheduler_address}), flush=True)
        sys.stdin.read()
    return {}


TASKS: dict[str, Callable[..., Found]] = {"autograde": autograde, "cluster": cluster}


def main() -> None:
    # a line, not all of stdin: a cluster lives until that ends
    arguments = json.loads(sys.stdin.readline())
    print(json.dumps(TASKS[sys.argv[1]](**arguments)), flush=True)


if __name__ == "__main__":
    main()
