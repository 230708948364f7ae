"""What every benchmark here needs: rounds of both sides, pinning, medians, the machine, a table.

A benchmark is a module with a function ``measure(bench)`` that returns or yields rows, and
``alone(measure)`` runs it by itself. Both sides run in processes of their own, pinned to the same
cores, turn by turn, so that a change of the machine's mood meets both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
PACKAGES = ("markbook", "nbgrader", "SQLAlchemy", "nbformat", "nbclient", "nbconvert", "papermill",
            "jupyter_client", "ipykernel", "ipython", "pyzmq", "distributed")  # fmt: skip
QUIET = 0.5  # a machine that has more to do than this measures its other work, too
LONGEST = 1200  # seconds for one side of one round; a benchmark that hangs is a failed one


# --- figures -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What a row has to reach, and whether it did."""

    says: str
    reached: bool


@dataclass(frozen=True)
class Row:
    """One line of the table: the values of each round, in ``unit``.

    ``theirs`` is empty where nbgrader has nothing to compare with; ``computed`` then stands in its
    column. ``commands`` are what was run, without this machine's paths.
    """

    what: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()
    unit: str = "ms"
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    computed: str = ""

    @property
    def mine(self) -> float:
        return statistics.median(self.ours)

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.theirs) / self.mine if self.theirs else None

    @property
    def reached(self) -> bool:
        return all(target.reached for target in self.targets)

    def cells(self) -> list[str]:
        theirs = show(statistics.median(self.theirs), self.unit) if self.theirs else self.computed
        ratio = f"{self.ratio:.1f}" if self.ratio else ""
        says = ", ".join(t.says if t.reached else f"**{t.says}**" for t in self.targets)
        verdict = ("yes" if self.reached else "**no**") if self.targets else ""
        return [self.what, theirs, show(self.mine, self.unit), ratio, says, verdict]


def show(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def at_most(limit: float, ours: Sequence[float], unit: str = "ms") -> Target:
    return Target(f"≤ {limit:g} {unit}".strip(), statistics.median(ours) <= limit)


def times_faster(least: float, theirs: Sequence[float], ours: Sequence[float]) -> Target:
    ratio = statistics.median(theirs) / statistics.median(ours)
    return Target(f"ratio ≥ {least:g}", ratio >= least)


# --- running -----------------------------------------------------------------------------------


@dataclass
class Bench:
    """One run of benchmarks: a scratch folder, how much to do, and what is shared between them.

    ``quick`` is for seeing that everything works: its figures mean nothing.
    """

    folder: Path
    quick: bool = False
    rounds: int = 3
    shared: dict[str, Any] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)
    _made: int = 0

    def of(self, full: int, quick: int) -> int:
        """Return how many of something to use."""
        return quick if self.quick else full

    def place(self, name: str) -> Path:
        """Return a path in the scratch folder where nothing is yet."""
        self._made += 1
        return self.folder / f"{self._made:02d}-{name}"

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._started:5.0f} s] {text}", flush=True)

    def turns(
        self, what: str, *sides: Callable[[int], float], rounds: int | None = None
    ) -> list[list[float]]:
        """Let the sides take turns, the first to go changing; return each side's values."""
        values: list[list[float]] = [[] for _ in sides]
        rounds = rounds or self.rounds
        for number in range(rounds):
            order = list(range(len(sides)))
            for place in order if number % 2 == 0 else reversed(order):
                values[place].append(sides[place](number))
            shown = " | ".join(f"{v[-1]:.2f}" for v in values)
            self.say(f"{what}: round {number + 1} of {rounds}: {shown}")
        return values


def one_core() -> frozenset[int]:
    return frozenset(sorted(os.sched_getaffinity(0))[-1:])


def two_cores() -> frozenset[int]:
    """Return two cores, or the only one there is."""
    return frozenset(sorted(os.sched_getaffinity(0))[-2:])


def command_of(name: str) -> str:
    """Return the path of a command that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


@contextmanager
def started(
    command: Sequence[str], cores: frozenset[int], cwd: Path, **pipes: Any
) -> Iterator[subprocess.Popen[str]]:
    """Give a process pinned to ``cores`` that is gone at the end, with all its children."""
    bin_folder = str(Path(sys.executable).parent)  # nbgrader calls alembic
    path = f"{bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1", "JUPYTER_NO_CONFIG": "1"},
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        start_new_session=True,
        **pipes,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def timed(command: Sequence[str], cores: frozenset[int], cwd: Path) -> float:
    """Run a command to its end; return its wall time in seconds."""
    begin = time.perf_counter()
    with started(command, cores, cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        _, log = process.communicate(timeout=LONGEST)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} ended with code {process.returncode}: {log[-2000:]}")
    return time.perf_counter() - begin


def side(task: str, cores: frozenset[int], **arguments: Any) -> dict[str, Any]:
    """Run one task of sides.py in a fresh process on ``cores``; return what it measured."""
    command = [sys.executable, str(HERE / "sides.py"), task]
    with tempfile.TemporaryFile("w+") as log, started(
        command, cores, HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
    ) as process:  # fmt: skip
        reply, _ = process.communicate(json.dumps(arguments), timeout=LONGEST)
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"sides.py {task} ended so: {log.read()[-3000:]}")
    found: dict[str, Any] = json.loads(reply.splitlines()[-1])
    return found


# --- the machine -------------------------------------------------------------------------------


def machine() -> list[tuple[str, str]]:
    """Describe what it was measured on, without naming the machine."""
    return [
        ("processor", f"{_processor()}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB"),
        ("files", _file_system(Path(tempfile.gettempdir()))),
        ("system", f"{platform.system()} {platform.release().split('-')[0]}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("packages", ", ".join(f"{n} {v}" for n in PACKAGES if (v := _version(n)))),
        ("load at the start", f"{os.getloadavg()[0]:.2f}"),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    """Return the kind of the file system that the scratch folder lies on."""
    best = ("", "")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if folder.is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def warn_if_busy() -> str:
    load = os.getloadavg()[0]
    if load <= QUIET:
        return ""
    warning = f"The machine is busy (load {load:.2f}): these figures are not worth keeping."
    print(f"warning: {warning}", file=sys.stderr)
    return warning


# --- the end -----------------------------------------------------------------------------------

HEAD = ["", "nbgrader", "Markbook", "ratio", "target", "reached"]


def table(rows: Sequence[Row]) -> str:
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    shown = (
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    )
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)


def spread(values: Sequence[float], unit: str) -> str:
    if len(values) == 1:
        return f"{show(values[0], unit)} (one round)"
    return f"{show(min(values), unit)} to {show(max(values), unit)} in {len(values)} rounds"


def details(row: Row) -> str:
    lines = [f"### {row.what}", "", f"- Markbook: {spread(row.ours, row.unit)}"]
    if row.theirs:
        lines.append(f"- nbgrader: {spread(row.theirs, row.unit)}")
    lines += [f"- {note}" for note in row.notes]
    if row.commands:
        lines += ["", "```console", *(f"$ {command}" for command in row.commands), "```"]
    return "\n".join(lines)


def options(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only see that it works")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (default 3)")
    return parser


@contextmanager
def bench_of(chosen: argparse.Namespace) -> Iterator[Bench]:
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="markbook-bench-"))
        yield Bench(Path(name), chosen.quick, 1 if chosen.quick else chosen.rounds)


def alone(measure: Callable[[Bench], Iterable[Row]], description: str | None) -> None:
    """Run one benchmark by itself and print what it found."""
    chosen = options(description).parse_args()
    warn_if_busy()
    for name, value in machine():
        print(f"{name}: {value}")
    with bench_of(chosen) as bench:
        rows = list(measure(bench))
    print()
    print(table(rows))
    for row in rows:
        print()
        print(details(row))
