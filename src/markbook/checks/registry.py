"""The checks there are: entry points named ``markbook.checks``, ours registered like any other."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from markbook.errors import InternalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.checks.base import Check

__all__ = ["all_checks", "choose"]

GROUP = "markbook.checks"


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, by code; an entry point gives one or more classes.

    Raises ``InternalError`` when two checks share a code, or an entry point cannot be loaded.
    """
    found: dict[str, Check] = {}
    for point in entry_points(group=GROUP):
        try:
            classes: Sequence[type[Check]] = point.load()
        except Exception as error:
            raise InternalError(
                f"The checks {point.name!r} ({point.value}) cannot be loaded: {error}.",
                hint="Update or uninstall the package that brings them.",
            ) from error
        for check in (each() for each in classes):
            if check.code in found:
                raise InternalError(f"Two checks have the code {check.code}.")
            found[check.code] = check
    return tuple(found[code] for code in sorted(found))


def choose(
    select: Sequence[str] = (), ignore: Sequence[str] = (), *, optional: bool = False
) -> tuple[Check, ...]:
    """Return the checks of ``select`` (all without any) that are not in ``ignore``.

    Both hold codes, beginnings of codes (``MB2``) or names; quick checks come first. Optional
    checks are left out unless ``optional``, or selected by what names only such. Raises
    ``UsageError`` for one that no check has.
    """
    for word in (*select, *ignore):
        if not any(_matches(check, word) for check in all_checks()):
            names = [name for check in all_checks() for name in (check.code, check.name)]
            near = difflib.get_close_matches(word, names, n=1)
            guess = f"Did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"There is no check {word!r}.", hint=f"{guess}'markbook check --list' lists all."
            )
    wanted = all_checks() if optional else _without_optional(select)
    chosen = [
        check
        for check in wanted
        if (not select or any(_matches(check, word) for word in select))
        and not any(_matches(check, word) for word in ignore)
    ]
    return tuple(sorted(chosen, key=lambda check: (check.slow, check.code)))


def _without_optional(select: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks without the optional ones that nobody asked for by name."""
    usual = [check for check in all_checks() if not check.optional]
    asked = [word for word in select if not any(_matches(check, word) for check in usual)]
    return tuple(
        check
        for check in all_checks()
        if not check.optional or any(_matches(check, word) for word in asked)
    )


def _matches(check: Check, word: str) -> bool:
    return check.name == word or check.code.startswith(word.upper())
