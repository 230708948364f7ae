"""Calling what needs a thread without an event loop, from wherever one is."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["apart"]

P = ParamSpec("P")
T = TypeVar("T")


def apart(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Call a function where no event loop runs: here, or, if one does, in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function(*arguments, **options)
    outcome: list[T] = []
    failure: list[BaseException] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.append(context.run(function, *arguments, **options))
        except BaseException as error:  # noqa: BLE001  (raised again where it was asked for)
            failure.append(error)

    thread = threading.Thread(target=run, name="markbook-kernel")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
