"""Applying fixes: each file read once, changed by all of its fixes, and replaced in one step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from markbook.checks.findings import Finding, Fix

__all__ = ["apply_fixes"]


def apply_fixes(findings: Sequence[Finding]) -> tuple[Path, ...]:
    """Apply the fix of every finding that has one; return the files that changed, sorted."""
    by_path: dict[Path, list[Fix]] = {}
    for found in findings:
        if found.fix is not None:
            by_path.setdefault(found.fix.path, []).append(found.fix)
    return tuple(path for path in sorted(by_path) if _mend(path, by_path[path]))


def _mend(path: Path, fixes: Sequence[Fix]) -> bool:
    text = path.read_bytes().decode("utf-8-sig")
    if path.suffix != ".ipynb":
        for fix in fixes:
            text = fix.edit(text)
        return write_atomic(path, text)
    document = json.loads(text)
    for fix in fixes:
        document = fix.edit(document) or document
    # The layout that Jupyter writes, so that the next save shows no other difference.
    written = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    return write_atomic(path, written + "\n")
