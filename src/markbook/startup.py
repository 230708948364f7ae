"""What Markbook's own processes do first, to start fast. A library user's process is left alone."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["skip_slow_imports"]


def skip_slow_imports() -> None:
    """Keep jsonschema from compiling a grammar for internationalised addresses.

    nbformat imports jsonschema, which imports rfc3987_syntax if it is there: 0.84 s of the 1.3 s
    that nbformat takes, for checks of the formats "iri" and "iri-reference" that neither nbformat
    nor nbgrader asks for. jsonschema expects the package to be missing at times.
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)
