"""Whether an assignment can go to students: checks of notebooks, releases, rubrics and graders."""

from markbook.checks.base import Check, Scope, Target
from markbook.checks.engine import Examination, Report, examinations, run_checks
from markbook.checks.findings import Finding, Fix, Severity
from markbook.checks.fixing import apply_fixes
from markbook.checks.registry import all_checks, choose
from markbook.checks.views import AssignmentView, CellView, NotebookView, RubricView

__all__ = [
    "AssignmentView",
    "CellView",
    "Check",
    "Examination",
    "Finding",
    "Fix",
    "NotebookView",
    "Report",
    "RubricView",
    "Scope",
    "Severity",
    "Target",
    "all_checks",
    "apply_fixes",
    "choose",
    "examinations",
    "run_checks",
]
