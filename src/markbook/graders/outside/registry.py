"""The suggesters there are: entry points named ``markbook.suggesters``, ours like any other."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, cast

from markbook.errors import CourseError, MarkbookError, UsageError
from markbook.graders.outside.budget import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markbook.graders.outside.base import Suggester

__all__ = ["GROUP", "OPTIONS", "bad_option", "open_suggester", "suggester_names"]

GROUP = "markbook.suggesters"
OPTIONS = "c.Markbook.suggester_options"

_MOST_PARALLEL = 32  # requests at a time: more is an attack on a small server


def suggester_names() -> tuple[str, ...]:
    """Return the names of the suggesters that are installed, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def open_suggester(
    name: str, options: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[Suggester, Limits]:
    """Make the suggester ``name``; nothing is sent yet.

    ``options`` are those of nbgrader_config.py: ``requests``, ``tokens`` and ``parallel`` are the
    limits, the others go to the suggester, as does ``environment``, where keys are looked up.
    Raises ``UsageError`` for a name that nobody has installed, ``CourseError`` naming an option.
    """
    points = entry_points(group=GROUP, name=name)
    if not points:
        raise UsageError(
            f"There is no suggester {name!r}.",
            hint=f"There are these: {', '.join(suggester_names())}; 'none' switches it off.",
        )
    if not all(isinstance(key, str) for key in options):
        raise bad_option("its keys have to be texts.")
    usual = Limits()
    limits = Limits(
        _whole(options, "requests", usual.requests),
        _whole(options, "tokens", usual.tokens),
        _whole(options, "parallel", usual.parallel, most=_MOST_PARALLEL),
    )
    rest = {k: v for k, v in options.items() if k not in Limits.__dataclass_fields__}
    try:
        make = cast("Callable[..., Suggester]", next(iter(points)).load())
        return make(rest, environment), limits
    except MarkbookError:
        raise
    except Exception as error:
        raise CourseError(
            f"The suggester {name!r} cannot be opened: {type(error).__name__}: {error}.",
            hint="Update or uninstall the package that brings it.",
        ) from error


def bad_option(problem: str, *, hint: str = "") -> CourseError:
    """Return the error for options that make no sense. ``problem`` must not repeat a secret."""
    return CourseError(
        f"nbgrader_config.py: {OPTIONS}: {problem}",
        hint=hint or "docs/how-to/use-an-outside-model.md tells what may stand there.",
    )


def _whole(options: Mapping[str, Any], name: str, usual: int, *, most: int | None = None) -> int:
    value = options.get(name, usual)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise bad_option(f"{name!r} is {value!r}, not a whole number above 0.")
    if most is not None and value > most:
        raise bad_option(f"{name!r} is {value}; {most} is the most.")
    return value
