"""What nbgrader_config.py says about autograding: what is honoured, and what cannot be."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from markbook.autograde.values import Settings
from markbook.course import CONFIG_NAME
from markbook.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from markbook.course import Course

__all__ = ["FileRules", "file_rules", "late_penalty", "read_settings", "refuse_foreign"]

# The sections that nbgrader's classes read, the most specific first.
_PREPROCESSOR = ("NbGraderPreprocessor", "Preprocessor", "NbConvertBase")
_EXECUTE = ("Execute", "NbGraderPreprocessor", "ExecutePreprocessor", "Preprocessor",
            "NbConvertBase", "NotebookClient")  # fmt: skip
_AUTOGRADE = ("Autograde", "BaseConverter")

_IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback")  # nbgrader's default

# Options of the class that runs cells that change no score here: kernels are our own.
_RUN_FREELY = frozenset(
    {"timeout", "startup_timeout", "iopub_timeout", "shutdown_kernel", "ipython_hist_file",
     "record_timing", "shell_timeout_interval", "store_widget_state", "enabled",
     "display_data_priority", "default_language", "log_level", "execute_retries"}
)  # fmt: skip
_RUN_DEFAULTS: dict[str, Any] = {
    "interrupt_on_timeout": True,
    "raise_on_iopub_timeout": True,
    "force_raise_errors": False,
    "allow_error_names": [],
    "extra_arguments": [],
    "kernel_name": "",
    "skip_cells_with_tag": "skip-execution",
}
# Steps of nbgrader's that are built in here: they cannot be switched off.
_BUILT_IN = ("ClearOutput", "DeduplicateIds", "OverwriteKernelspec", "OverwriteCells",
             "CheckCellMetadata", "Execute", "LimitOutput", "SaveAutoGrades")  # fmt: skip
_OWN = frozenset(
    {"preload", "memory", "output", "total_seconds", "suggester", "suggester_options",
     "isolation", "readable", "messages", "cpu_seconds", "processes", "disk", "files",
     "tests"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileRules:
    """Which files go from a submission to its autograded folder, and how they are left there.

    ``ignore`` are patterns of names, of files and folders; ``keep`` are the names of files that
    the source's own do not overwrite. ``mode`` are a file's permissions; ``shared`` folders are
    made writable for their group.
    """

    ignore: tuple[str, ...] = _IGNORED
    keep: frozenset[str] = frozenset()
    mode: int = 0o444
    shared: bool = False

    def leaves_behind(self, name: str) -> bool:
        """Tell whether nbgrader copies no file of that path: a notebook, or one to be ignored.

        It is for its own name or that of a folder above. As in a shell, a pattern finds a hidden
        name only where it begins with a dot itself.
        """
        return any(
            fnmatch.fnmatchcase(part, pattern)
            for part in PurePosixPath(name).parts
            for pattern in (*self.ignore, "*.ipynb")
            if not part.startswith(".") or pattern.startswith(".")
        )


def read_settings(course: Course) -> Settings:
    """Return how the course wants submissions run.

    Raises ``CourseError`` naming an option whose value is no such value.
    """
    read = _Reader(course)
    default = Settings()
    pattern = read.of("pattern", "IgnorePattern", kind=_pattern, default="")
    enabled = course.setting("enabled", "IgnorePattern", *_PREPROCESSOR, default=False)
    unknown = sorted(course.config.get("Markbook", {}).keys() - _OWN)
    if unknown:
        raise CourseError(
            f"{course.root / CONFIG_NAME}: c.Markbook.{unknown[0]} is not an option.",
            hint=f"There are these: {', '.join(sorted(_OWN))}.",
        )
    return Settings(
        cell_seconds=read.of("timeout", *_EXECUTE, kind=_seconds, default=default.cell_seconds),
        total_seconds=read.of(
            "total_seconds", "Markbook", kind=_seconds, default=default.total_seconds
        ),
        memory=read.of("memory", "Markbook", kind=_size, default=default.memory),
        output=read.of("output", "Markbook", kind=_some, default=default.output),
        output_lines=read.of(
            "max_lines", "LimitOutput", *_PREPROCESSOR, kind=_whole, default=default.output_lines
        ),
        traceback_lines=read.of(
            "max_traceback",
            "LimitOutput",
            *_PREPROCESSOR,
            kind=_whole,
            default=default.traceback_lines,
        ),
        ignore_stderr=pattern if enabled else "",
        preload=read.of("preload", "Markbook", kind=_names, default=()),
        **_bounds(read, default),
    )


def _bounds(read: _Reader, default: Settings) -> dict[str, Any]:
    """Return how students' code is locked up, and how much it may take then."""
    kinds: dict[str, Callable[[Any], Any]] = {
        "isolation": _isolation,
        "readable": _folders,
        "messages": _number,
        "cpu_seconds": _seconds,
        "processes": _number,
        "disk": _some,
        "files": _number,
        "tests": _tests,
    }
    return {
        name: read.of(name, "Markbook", kind=kind, default=getattr(default, name))
        for name, kind in kinds.items()
    }


def file_rules(course: Course, assignment: str) -> FileRules:
    """Return how the files of the assignment's submissions are laid down."""
    shared = bool(course.setting("groupshared", "CourseDirectory", default=False))
    ignore = course.setting("ignore", "CourseDirectory", default=list(_IGNORED))
    keep = course.setting("exclude_overwriting", *_AUTOGRADE, default={})
    mode = course.setting("permissions", *_AUTOGRADE, default=664 if shared else 444)
    return FileRules(
        ignore=tuple(map(str, ignore)),
        keep=frozenset(map(str, keep.get(assignment, ()))),
        mode=int(str(mode), 8),  # nbgrader writes them as decimals that look octal
        shared=shared,
    )


def late_penalty(course: Course) -> Literal["none", "zero"]:
    """Return what becomes of a late submission's score.

    Raises ``CourseError`` for a method that nbgrader does not have either.
    """
    if not course.setting("enabled", "AssignLatePenalties", *_PREPROCESSOR, default=True):
        return "none"
    method = course.setting("penalty_method", "LateSubmissionPlugin", "BasePlugin", default="none")
    if method not in ("none", "zero"):
        raise CourseError(
            f"{course.root / CONFIG_NAME}: c.LateSubmissionPlugin.penalty_method is {method!r}.",
            hint="It may be 'none' or 'zero'.",
        )
    return "zero" if method == "zero" else "none"


def refuse_foreign(course: Course) -> None:
    """Raise ``CourseError`` for an option that only nbgrader's own autograder can follow."""
    for name, asked in _foreign(course).items():
        if asked:
            raise CourseError(
                f"{course.root / CONFIG_NAME}: Markbook's engine cannot follow c.{name}.",
                hint="Take it out, or run nbgrader's own autograder: use --engine nbgrader.",
            )


def _foreign(course: Course) -> dict[str, bool]:
    """Return the options that are not followed, and whether the course sets them."""
    found: dict[str, bool] = {}
    for section in _AUTOGRADE:
        said = course.config.get(section, {})
        for option in ("sanitize_preprocessors", "autograde_preprocessors", "exporter_class",
                       "pre_convert_hook", "post_convert_hook"):  # fmt: skip
            found[f"{section}.{option}"] = said.get(option) is not None
        found[f"{section}.create_student"] = not said.get("create_student", True)
    late = str(course.setting("plugin_class", "AssignLatePenalties", default=""))
    ours = late == "" or late.rpartition(".")[2].rstrip("'>") == "LateSubmissionPlugin"
    found["AssignLatePenalties.plugin_class"] = not ours
    for section in ("Execute", "ExecutePreprocessor", "NotebookClient"):
        for option, value in course.config.get(section, {}).items():
            same = option in _RUN_DEFAULTS and value == _RUN_DEFAULTS[option]
            found[f"{section}.{option}"] = option not in _RUN_FREELY and not same
    for section in _BUILT_IN:
        enabled = course.setting("enabled", section, *_PREPROCESSOR, default=True)
        found[f"{section}.enabled"] = not enabled
    found["ClearMetadataPreprocessor.enabled"] = bool(
        course.setting("enabled", "ClearMetadataPreprocessor", default=False)
    )
    return found


class _Reader:
    """Reads options and says which one has a value that makes no sense."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def of(self, option: str, *sections: str, kind: Callable[[Any], Any], default: Any) -> Any:
        value = self.course.setting(option, *sections, default=default)
        try:
            return kind(value)
        except (TypeError, ValueError, re.error) as error:
            place = next(s for s in sections if option in self.course.config.get(s, {}))
            raise CourseError(
                f"{self.course.root / CONFIG_NAME}: c.{place}.{option} is {value!r}: {error}.",
                hint="Correct it; docs/reference/command.md tells what may stand there.",
            ) from error


def _seconds(value: Any) -> float | None:
    """Return seconds; None, 0 and below are no limit, as nbclient has it."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ValueError("it has to be a number of seconds, or None")
    return float(value) if value > 0 else None


def _size(value: Any) -> int | None:
    return None if value is None else _some(value)


def _some(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError("it has to be a number of bytes above 0")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError("it has to be a whole number above 0")
    return value


def _isolation(value: Any) -> str:
    if value not in ("auto", "bwrap", "none"):
        raise ValueError("it has to be 'auto', 'bwrap' or 'none'")
    return str(value)


def _tests(value: Any) -> str:
    if value not in ("verify", "flag", "as-nbgrader"):
        raise ValueError("it has to be 'verify', 'flag' or 'as-nbgrader'")
    return str(value)


def _folders(value: Any) -> tuple[str, ...]:
    names = [] if isinstance(value, str) else [str(name) for name in value]
    if isinstance(value, str) or not all(PurePosixPath(name).is_absolute() for name in names):
        raise ValueError('it has to be a list of absolute folders, such as ["/opt/data"]')
    return tuple(names)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < -1:
        raise ValueError("it has to be a number of lines, or -1 for no limit")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(name, str) for name in value):
        raise ValueError('it has to be a list of module names, such as ["numpy"]')
    return tuple(value)


def _pattern(value: Any) -> str:
    re.compile(value)
    return str(value)
