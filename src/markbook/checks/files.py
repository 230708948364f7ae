"""MB1xx: notebook files as files. What nbformat says of them, and what was left in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from markbook.checks.base import Check, Scope, Target
from markbook.checks.findings import Finding, Fix, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["CHECKS"]

_WITH_IDS = 5  # nbformat 4.5 gave cells ids


class UnreadableNotebook(Check):
    """A notebook cannot be read: not UTF-8, not JSON, a key twice, or not valid by nbformat."""

    code = "MB101"
    name = "unreadable-notebook"
    scope = Scope.NOTEBOOK
    broken_too = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        problem = target.notebook.problem
        if problem is not None:
            yield self.finding(target, problem.what, hint=problem.hint, line=problem.line)


class DuplicateCellId(Check):
    """Two cells have the same notebook id, so that tools cannot tell them apart."""

    code = "MB102"
    name = "duplicate-cell-id"
    scope = Scope.NOTEBOOK

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        seen: dict[str, int] = {}
        raw = target.notebook.document["cells"]
        for cell, written in zip(target.cells, raw, strict=True):
            name = str(written.get("id", ""))
            if name in seen:
                yield self.finding(
                    target,
                    f"The cell id {name!r} is that of cell {seen[name]}, too.",
                    hint="Cut one of the two cells and paste it again: JupyterLab gives it an id.",
                    cell=cell,
                )
            elif name:
                seen[name] = cell.number


class CellsWithoutIds(Check):
    """The notebook's format has no cell ids, so that every save may change them all."""

    code = "MB103"
    name = "cells-without-ids"
    severity = Severity.WARNING
    scope = Scope.NOTEBOOK
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        document = target.notebook.document
        minor = document.get("nbformat_minor", 0)
        lacking = [n for n, cell in enumerate(document["cells"], start=1) if "id" not in cell]
        if not lacking:
            return
        numbers = ", ".join(map(str, lacking[:5])) + (", ..." if len(lacking) > 5 else "")
        yield self.finding(
            target,
            f"The cells have no ids (format 4.{minor}; cells {numbers}).",
            hint="Open and save it in a JupyterLab of today, or use --fix.",
            fix=Fix("gives the cells ids", target.path, _give_ids),
        )


class OutputsInSource(Check):
    """An authored notebook holds outputs, which change at every run and may show an answer."""

    code = "MB104"
    name = "outputs-in-source"
    scope = Scope.NOTEBOOK
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            if cell.node.get("outputs"):
                yield self.finding(
                    target,
                    "The cell has outputs.",
                    hint="Clear all outputs before saving.",
                    cell=cell,
                    fix=Fix.of_cell(
                        "clears them", target.path, cell.number, lambda c: c.update(outputs=[])
                    ),
                )


class ExecutionCounts(Check):
    """An authored notebook holds execution counts, which change at every run."""

    code = "MB105"
    name = "execution-counts"
    severity = Severity.WARNING
    scope = Scope.NOTEBOOK
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        for cell in target.cells:
            count = cell.node.get("execution_count")
            if count is not None:
                yield self.finding(
                    target,
                    f"The cell has an execution count ({count}).",
                    hint="Clear all outputs before saving.",
                    cell=cell,
                    fix=Fix.of_cell(
                        "clears it",
                        target.path,
                        cell.number,
                        lambda c: c.update(execution_count=None),
                    ),
                )


class NoKernel(Check):
    """A notebook does not say which kernel runs it, so that students are asked, and grading fails.

    nbgrader gives every submission the kernel of the source.
    """

    code = "MB106"
    name = "no-kernel"
    scope = Scope.NOTEBOOK
    fixable = True

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        spec = target.notebook.notebook.metadata.get("kernelspec") or {}
        if not spec.get("name"):
            yield self.finding(
                target,
                "The notebook names no kernel.",
                hint="Choose one in JupyterLab and save.",
                fix=Fix("names Python's (python3)", target.path, _name_kernel),
            )


class OddKernel(Check):
    """A notebook names a kernel that is not Python's: students and CI may not have it."""

    code = "MB107"
    name = "odd-kernel"
    severity = Severity.WARNING
    scope = Scope.NOTEBOOK
    usual: ClassVar[frozenset[str]] = frozenset({"python3", "markbook-python3"})

    def examine(self, target: Target) -> Iterator[Finding]:
        assert target.notebook is not None
        spec = target.notebook.notebook.metadata.get("kernelspec") or {}
        name = str(spec.get("name", ""))
        python = str(spec.get("language", "python")).lower() == "python"
        if name and python and name not in self.usual:
            yield self.finding(
                target,
                f"The notebook wants the kernel {name!r}, which is a name of one machine.",
                hint="Choose 'Python 3 (ipykernel)', which everybody has.",
            )


class NothingGraded(Check):
    """An assignment in which nothing is graded."""

    code = "MB108"
    name = "nothing-graded"
    scope = Scope.ASSIGNMENT

    def examine(self, target: Target) -> Iterator[Finding]:
        view = target.assignment
        if any(notebook.problem is not None for notebook in view.notebooks):
            return
        if not any(cell.grade or cell.task for n in view.notebooks for cell in n.cells):
            yield self.finding(
                target,
                f"Nothing in {view.name!r} is graded.",
                hint="Mark cells as graded in JupyterLab's Create Assignment bar.",
            )


def _give_ids(document: dict[str, Any]) -> None:
    taken = {cell.get("id") for cell in document["cells"]}
    for number, cell in enumerate(document["cells"], start=1):
        if "id" not in cell:
            wanted = str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))
            # nbformat's pattern for ids; nbgrader's may hold other characters
            plain = "".join(c for c in wanted if c.isascii() and (c.isalnum() or c in "-_"))[:60]
            name = plain or f"cell-{number}"
            while name in taken:
                name = f"{name}-{number}"
            cell["id"] = name
            taken.add(name)
    document["nbformat_minor"] = max(document.get("nbformat_minor", 0), _WITH_IDS)


def _name_kernel(document: dict[str, Any]) -> None:
    document.setdefault("metadata", {})["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }


CHECKS: tuple[type[Check], ...] = (
    UnreadableNotebook,
    DuplicateCellId,
    CellsWithoutIds,
    OutputsInSource,
    ExecutionCounts,
    NoKernel,
    OddKernel,
    NothingGraded,
)
