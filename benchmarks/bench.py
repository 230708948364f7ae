"""All benchmarks, one after another, and what they found in RESULTS.md: ``make bench``.

    python benchmarks/bench.py [--quick] [--only autograding,cluster] [--output FILE]

Takes about ten minutes and a gigabyte of disk. The machine should have nothing else to do. Exit
code 1 says that something could not be measured; a target that is missed is told in the table.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import harness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Bench, Row

ALL = (
    "start_up",
    "autograding",
    "isolation",
    "grader_notebook",
    "feedback",
    "cluster",
    "class_size",
)
RESULTS = harness.HERE / "RESULTS.md"

_HOW = """Both sides of a line run on the same machine in the same run, in turns, each in processes
of its own that are pinned to the same cores, after a warm-up. What stands in the table is the
median of the rounds. nbgrader is the installed one, unchanged, through its own command."""


@dataclass
class Found:
    """What the benchmarks of one run gave."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run(bench: Bench, names: Sequence[str]) -> Found:
    """Run benchmarks by name; one that fails is named, and the others go on."""
    found = Found()
    for name in names:
        bench.say(f"--- {name}")
        try:
            for row in import_module(name).measure(bench):
                found.rows.append(row)  # those before a failure count
        except Exception as error:  # noqa: BLE001  (one that fails must not cost the others)
            traceback.print_exc()
            first = (str(error) or type(error).__name__).splitlines()[0]
            found.failures.append(f"`{name}` could not be measured: {first[:200]}")
    return found


def results(found: Found, machine: Sequence[tuple[str, str]], warning: str, day: str) -> str:
    """Return what RESULTS.md says."""
    parts = [
        "# Benchmarks",
        f"Written by `make bench` on {day}. What each line means: docs/how-to/benchmarks.md.",
        *([f"**{warning}**"] if warning else []),
        harness.table(found.rows),
        *(f"- **{failure}**" for failure in found.failures),
        "## The machine",
        "\n".join(f"- {name}: {value}" for name, value in machine),
        "## How it was measured",
        _HOW,
        *(harness.details(row) for row in found.rows),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    parser = harness.options(__doc__)
    parser.add_argument("--only", default=",".join(ALL), help="benchmarks by name, with commas")
    parser.add_argument("--output", type=Path, help="where the results go (default: RESULTS.md)")
    chosen = parser.parse_args()
    names = chosen.only.split(",")
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(ALL)}")
    warning = harness.warn_if_busy()
    machine = harness.machine()
    with harness.bench_of(chosen) as bench:
        found = run(bench, names)
    print(f"\n{harness.table(found.rows)}\n")
    for failure in found.failures:
        print(failure)
    output = chosen.output or (None if chosen.quick or names != list(ALL) else RESULTS)
    if output is not None:
        day = f"{datetime.now(tz=UTC):%d %B %Y}".lstrip("0")
        output.write_text(results(found, machine, warning, day))
        print(f"written: {output}")
    return 1 if found.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
