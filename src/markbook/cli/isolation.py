"""``markbook doctor --isolation``: what this machine can do to lock up student code."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from markbook.cli import show
from markbook.cli.exits import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.kernels.sandbox.probe import Ability

__all__ = ["tell_isolation"]

_WIDTH = 100  # columns


def tell_isolation(*, as_json: bool) -> ExitCode:
    """Say what there is, and how to get what is missing."""
    from markbook.kernels.sandbox.probe import abilities

    found = abilities()
    works = all(ability.there for ability in found if ability.needed)
    if as_json:
        show.json_out(_as_json_value(found, works=works))
    else:
        _tell(found, works=works)
    return ExitCode.DONE if works else ExitCode.ATTENTION


def _as_json_value(found: Sequence[Ability], *, works: bool) -> dict[str, Any]:
    return {
        "works": works,
        "abilities": [
            {
                "name": ability.name,
                "there": ability.there,
                "needed": ability.needed,
                "detail": ability.detail,
                "how": "" if ability.there else ability.how,
            }
            for ability in found
        ],
    }


def _tell(found: Sequence[Ability], *, works: bool) -> None:
    width = max(len(ability.name) for ability in found)
    for ability in found:
        said = "yes" if ability.there else "no" if ability.needed else "no, not needed"
        detail = f" ({ability.detail})" if ability.detail else ""
        show.line(f"{ability.name.ljust(width)}  {said}{detail}")
        if not ability.there:
            indent = " " * (width + 2)
            for line in textwrap.wrap(ability.how, _WIDTH - len(indent), break_on_hyphens=False):
                show.line(f"{indent}{line}")
    show.line("")
    if works:
        show.line("Student code is locked up on this machine.")
    else:
        show.line("Student code is not run on this machine, but with '--isolation none'.")
