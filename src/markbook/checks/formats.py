"""Findings for people, for programs, for GitHub's annotations, and as SARIF 2.1.0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markbook import __version__
from markbook.checks.findings import Severity
from markbook.checks.registry import all_checks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from markbook.checks.engine import Report
    from markbook.checks.findings import Finding
    from markbook.course import Course

__all__ = ["as_github", "as_json_value", "as_sarif", "as_text"]

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def as_text(course: Course, findings: Sequence[Finding]) -> str:
    """Return each finding with its place, its line and what to do, a blank line between them."""
    return "\n\n".join(_paragraph(course, found) for found in findings)


def _paragraph(course: Course, found: Finding) -> str:
    lines = [f"{_where(course, found)}: {found.severity} {found.code} {found.message}"]
    if found.excerpt:
        number = f"{found.line}" if found.line is not None else ""
        lines.append(f"  {number:>4} | {found.excerpt[:200]}")
    if found.hint:
        lines.append(f"       = {found.hint}")
    if found.fix is not None:
        lines.append(f"       = --fix {found.fix.says}")
    return "\n".join(lines)


def _where(course: Course, found: Finding) -> str:
    place = course.relative(found.path)
    if found.cell is not None:
        named = f" ({found.question})" if found.question else ""
        return f"{place}, cell {found.cell}{named}"
    return f"{place}:{found.line}" if found.line is not None else place


def as_json_value(course: Course, report: Report) -> dict[str, Any]:
    """Return the report as JSON-able values."""
    return {
        "assignments": list(report.assignments),
        "examined": report.examined,
        "seconds": round(report.seconds, 3),
        "findings": [
            {
                "code": found.code,
                "check": found.check,
                "severity": str(found.severity),
                "message": found.message,
                "hint": found.hint,
                "path": course.relative(found.path),
                "cell": found.cell,
                "line": found.line,
                "excerpt": found.excerpt,
                "question": found.question,
                "fix": found.fix.says if found.fix else None,
            }
            for found in report.findings
        ],
    }


def as_github(course: Course, findings: Sequence[Finding], top: Path | None = None) -> str:
    """Return a workflow command for each finding, which GitHub shows beside the file.

    Files are named as seen from ``top``, the repository's folder (without it the course's).
    """
    return "\n".join(_command(course, found, top) for found in findings)


def _command(course: Course, found: Finding, top: Path | None) -> str:
    # A line in a cell is not a line of the file, so notebooks are annotated as a whole.
    line = found.line if found.line is not None and found.cell is None else 1
    properties = {
        "file": _seen_from(course, found.path, top),
        "line": str(line),
        "title": f"{found.code} {found.check}",
    }
    where = f"Cell {found.cell}: " if found.cell is not None else ""
    message = f"{where}{found.message} {found.hint}".strip()
    named = ",".join(f"{name}={_escaped(value, more=True)}" for name, value in properties.items())
    return f"::{_GITHUB[found.severity]} {named}::{_escaped(message)}"


def _seen_from(course: Course, path: Path, top: Path | None) -> str:
    if top is not None and path.is_relative_to(top):
        return path.relative_to(top).as_posix()
    return course.relative(path)


def _escaped(text: str, *, more: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if more else text


def as_sarif(course: Course, findings: Sequence[Finding], top: Path | None = None) -> str:
    """Return the findings as a SARIF 2.1.0 log with one run and every check as a rule.

    Files are named as seen from ``top``, the repository's folder (without it the course's).
    """
    rules = [
        {
            "id": check.code,
            "name": check.name,
            "shortDescription": {"text": _summary(check.__doc__)},
            "help": {"text": f"docs/{check.page}"},
            "defaultConfiguration": {"level": _LEVELS[check.severity]},
        }
        for check in all_checks()
    ]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "markbook", "version": __version__, "rules": rules}},
                "results": [_result(course, found, top) for found in findings],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _result(course: Course, found: Finding, top: Path | None) -> dict[str, Any]:
    # GitHub leaves out a result without a line, and a line in a cell is not one of the file.
    line = found.line if found.line is not None and found.cell is None else 1
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(_seen_from(course, found.path, top))},
            "region": {"startLine": line},
        }
    }
    if found.cell is not None:
        location["logicalLocations"] = [{"name": f"cell {found.cell}", "kind": "member"}]
    return {
        "ruleId": found.code,
        "level": _LEVELS[found.severity],
        "message": {"text": f"{found.message} {found.hint}".strip()},
        "locations": [location],
    }


def _summary(documentation: str | None) -> str:
    return (documentation or "").strip().partition("\n")[0]
