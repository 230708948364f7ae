"""A grader notebook through papermill, in a kernel of its own each time: papermill's and ours.

Both sides call ``papermill.execute_notebook`` with the same notebook of four cells (a fifth, the
parameters, is injected) and write the notebook as run. Theirs is papermill as it comes; ours is
``engine_name="markbook"``. The process is warm (papermill is imported, our fork server is there),
each kernel is fresh. The second row is the course's own grader with twenty answers, by
``run_grader`` on our side and by plain papermill on the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import ROOT, Bench, Row, alone, at_most, one_core, started

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 60
RUBRIC = ROOT / "graders" / "django-auth-and-servers" / "drf-jwt-components.yaml"
CELLS = (
    'answers = "answers.jsonl"\nsuggestions = "suggestions.jsonl"',
    (
        "import json, re\nfrom pathlib import Path\n"
        "lines = [json.loads(line) for line in Path(answers).read_text().splitlines()]\nlen(lines)"
    ),
    (
        "def judge(text):\n    return bool(re.search('tamper|modif|chang', text))\n"
        "found = [{'key': a['key'], 'awarded': judge(a['text'])} for a in lines]\n"
        "print(sum(f['awarded'] for f in found), 'of', len(found))"
    ),
    "Path(suggestions).write_text('\\n'.join(map(json.dumps, found)))",
)
ANSWERS = tuple(
    {"key": f"k{n}", "text": f"It makes sure that nobody changed the token on its way {n}.",
     "count": 1} for n in range(20)
)  # fmt: skip


def measure(bench: Bench) -> list[Row]:
    times = bench.of(7, 1)
    rows = []
    for what, kind in (("grader notebook of four cells", "four"), ("the default grader", "own")):
        sides = [_side(kind, name, times) for name in ("stock", "markbook")]
        theirs, ours = bench.turns(what, *sides)
        rows.append(
            Row(
                f"{what}, through papermill, fresh kernel",
                tuple(ours),
                tuple(theirs),
                targets=(at_most(LIMIT, ours),) if kind == "four" else (),
                notes=(
                    f"median of {times} runs a round, one core, after one that does not count",
                    "the other side is papermill's own engine with the kernel python3",
                ),
                commands=("python benchmarks/grader_notebook.py",),
            )
        )
    return rows


def _side(kind: str, name: str, times: int) -> Callable[[int], float]:
    def run(_round: int) -> float:
        command = [sys.executable, str(Path(__file__)), "--side", kind, name, str(times)]
        with (
            tempfile.TemporaryDirectory(prefix="markbook-bench-") as folder,
            started(
                command,
                one_core(),
                Path(folder),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process,
        ):
            said, _ = process.communicate(timeout=600)
            if process.returncode:
                raise RuntimeError(f"{' '.join(command[1:])} ended with {process.returncode}")
        milliseconds: float = json.loads(said.splitlines()[-1])
        return milliseconds

    return run


# --- one side, in a process of its own, in an empty folder ----------------------------------------


def side(kind: str, name: str, times: int) -> float:
    """Return the median milliseconds of a run."""
    folder = Path.cwd()
    Path("answers.jsonl").write_text("".join(json.dumps(a) + "\n" for a in ANSWERS))
    Path(RUBRIC.name).write_bytes(RUBRIC.read_bytes())
    Path("prompt.md").write_text("What is a token made of?")
    parameters: dict[str, Any] = {"answers": "answers.jsonl", "suggestions": "suggestions.jsonl"}
    notebook = folder / "grader.ipynb"
    if kind == "four":
        notebook.write_text(json.dumps(_notebook()))
    else:
        notebook.write_bytes((ROOT / "graders" / "default.ipynb").read_bytes())
        parameters |= {"rubric": RUBRIC.name, "seed": 1}
    found = []
    for number in range(times + 1):
        output = folder / f"ran-{number}.ipynb"
        begin = time.perf_counter()
        if name == "markbook" and kind == "own":
            from markbook.kernels import run_grader

            run_grader(notebook, output, parameters, timeout=60, cwd=folder)
        else:
            import papermill

            engine = "markbook" if name == "markbook" else None
            papermill.execute_notebook(
                notebook, output, parameters=parameters, engine_name=engine, progress_bar=False
            )
        found.append((time.perf_counter() - begin) * 1000)
        if not Path("suggestions.jsonl").read_text().count("k19"):
            raise RuntimeError("the grader suggested nothing")
    return sorted(found[1:])[times // 2]


def _notebook() -> dict[str, Any]:
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {"tags": ["parameters"] if number == 0 else []},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(CELLS)
    ]
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": spec, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        print(side(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        alone(measure, __doc__)
