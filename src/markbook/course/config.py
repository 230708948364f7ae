"""Reading a course's nbgrader_config.py, and nothing else: no user or system configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markbook.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["read_config", "setting"]


def read_config(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Run the configuration file as nbgrader does and return its sections.

    Raises ``CourseError`` when the file cannot be read or raises.
    """
    from traitlets.config.loader import PyFileConfigLoader

    loader = PyFileConfigLoader(path.name, path=str(path.parent))
    try:
        config = loader.load_config()
    except Exception as error:
        raise CourseError(
            f"{path}: the configuration cannot be loaded: {type(error).__name__}: {error}.",
            hint="Mend the file; 'nbgrader --debug list' shows the same error with a traceback.",
        ) from error
    return {name: dict(section) for name, section in config.items() if isinstance(section, dict)}


def setting(
    config: Mapping[str, Mapping[str, Any]], option: str, sections: Sequence[str], default: Any
) -> Any:
    """Return the value of an option: of the first of the sections that sets it, or ``default``."""
    for section in sections:
        found = config.get(section, {})
        if option in found:
            value = found[option]
            # traitlets keeps "append", "update" and the like until the default is known
            return value.get_value(default) if hasattr(value, "get_value") else value
    return default
