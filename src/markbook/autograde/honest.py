"""Whether a test's score is the answer's own doing: the test runs in a clean process, too.

What the kernel says of itself is the student's word, since tests run amid the student's code. So
a test counts only where it comes to the same score in a process that the student's code never
entered (``kernels/examiner``). Where it does not, a person decides; where even the course's model
answer cannot be examined so, that is said, and the score stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

from markbook.autograde.scoring import Score, limit_outputs, score
from markbook.kernels.examiner import cells
from markbook.kernels.examiner.owner import TestCell, Verdict
from markbook.notebooks import nbgrader_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from markbook.autograde.prepared import PreparedCell, PreparedNotebook
    from markbook.autograde.values import Settings
    from markbook.model import MasterCell

__all__ = ["ReleasedCode", "differs", "plan", "read_released"]

_SKIP = "skip-execution"
_node: Callable[..., NotebookNode] = NotebookNode  # nbformat has no types


@dataclass(frozen=True, slots=True)
class ReleasedCode:
    """What the released notebook's code says, by which a test finds the names of the course.

    ``plain`` are the sources of cells that are neither answers nor locked: tests see them as they
    were released, whatever a student made of them. ``imports`` are the sources of answer cells,
    and ``answers`` the names that these define.
    """

    plain: tuple[str, ...]
    imports: tuple[str, ...]
    answers: frozenset[str]


def read_released(released: NotebookNode, known: Mapping[str, PreparedCell]) -> ReleasedCode:
    """Read a released notebook's code; ``known`` are the master's cells by id."""
    plain: list[str] = []
    imports: list[str] = []
    answers: set[str] = set()
    for cell in released.cells:
        if cell.cell_type != "code":
            continue
        master = _master(cell, known)
        if master is None or not (master.locked or master.solution):
            plain.append(cell.source)
        elif master.solution:
            imports.append(cell.source)
            answers.update(_names(cell.source))
    return ReleasedCode(tuple(plain), tuple(imports), frozenset(answers))


def _master(cell: NotebookNode, known: Mapping[str, PreparedCell]) -> MasterCell | None:
    name = nbgrader_metadata(cell).get("grade_id")
    found = known.get(name) if isinstance(name, str) else None
    return found.master if found is not None else None


def _names(source: str) -> Iterable[str]:
    try:
        return list(cells.defined_names(cells.plain_python(source)))
    except SyntaxError:
        return ()


def plan(notebook: NotebookNode, prepared: PreparedNotebook) -> dict[int, TestCell]:
    """Return, by cell index, the tests of a restored notebook that student's code comes before."""
    code = prepared.code
    sources = {cell.source for cell in notebook.cells if cell.cell_type == "code"}
    course = [source for source in code.plain if source not in sources]
    imports = code.imports
    tests: dict[int, TestCell] = {}
    theirs = False  # whether code that a student could write has come
    for index, cell, master in _code(notebook, prepared):
        is_test = master is not None and master.grade and not master.solution
        if is_test and theirs and master is not None and master.points:
            tests[index] = TestCell(cell.source, tuple(course), imports, code.answers)
            course, imports = [], ()
        elif (master is not None and master.locked) or cell.source in code.plain:
            course.append(cell.source)
        else:
            theirs = theirs or bool(cell.source.strip())
    return tests


def _code(
    notebook: NotebookNode, prepared: PreparedNotebook
) -> Iterator[tuple[int, NotebookNode, MasterCell | None]]:
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and _SKIP not in cell.metadata.get("tags", ()):
            yield index, cell, _master(cell, prepared.cells)


def differs(master: MasterCell, found: Score, verdict: Verdict, settings: Settings) -> str:
    """Return why the score that a test has in the student's kernel is not borne out, or ""."""
    if found.value is None:
        return ""  # a person decides already
    if verdict.doubts:
        return verdict.doubts[0]
    clean = _node(cell_type="code", outputs=[_output(output) for output in verdict.outputs])
    limit_outputs(clean, settings)
    other = score(master, clean)
    if other.value == found.value:
        return ""
    for output in clean.outputs:
        if output.output_type == "error":
            said = f"{output.ename}: {output.evalue}".rstrip(": ").splitlines()[0][:300]
            return f"it fails in a clean process with {said}"
    worth = "no score" if other.value is None else f"{other.value:g}"
    return f"in a clean process it is worth {worth}, not {found.value:g}"


def _output(output: Mapping[str, Any]) -> NotebookNode:
    return _node({key: _node(v) if isinstance(v, dict) else v for key, v in output.items()})
