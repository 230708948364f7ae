"""The options that verbs share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["assignment_argument", "common", "dry_run", "open_course"]

F = TypeVar("F", bound=Callable[..., Any])


def common(function: F) -> F:
    """Add ``--course``, ``--json`` and ``--debug``."""
    options = (
        click.option(
            "--course",
            "course_path",
            type=click.Path(path_type=Path, file_okay=False),
            help="The course folder (default: the nearest upwards with an nbgrader_config.py).",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        click.option("--debug", is_flag=True, help="Show tracebacks.", expose_value=False),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), function)


def dry_run(function: F) -> F:
    """Add ``--dry-run`` to a verb that writes."""
    return click.option(
        "--dry-run", is_flag=True, help="Say what would be done, and write nothing."
    )(function)


def assignment_argument(function: F) -> F:
    """Add the ASSIGNMENT argument."""
    return click.argument("assignment")(function)


def open_course(path: Path | None) -> Any:
    """Open the course named by ``--course``, or the nearest one."""
    from markbook.course import Course

    return Course.find() if path is None else Course.open(path)
