"""What papermill's engine does with a notebook: see ``engine.py``."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.log import logger

from markbook.errors import UsageError
from markbook.kernels.apart import apart
from markbook.kernels.client import ForkedClient, KernelSettings
from markbook.kernels.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbformat import NotebookNode

__all__ = ["SavingManager", "run"]

_OWN_KERNELS = ("python3", "markbook-python3")  # this interpreter's
_OTHERS_CHOICES = ("km", "kernel_manager_class", "extra_arguments")  # of another way to start one


@dataclass(frozen=True, slots=True)
class _Options:
    """What this engine takes beyond papermill's own; see ``MarkbookEngine``."""

    total_timeout: float | None = None
    output_limit: int | None = None
    memory_limit: int | None = None
    preload: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    on_end: Callable[[NotebookNode, str], None] | None = None

    @classmethod
    def take(cls, options: dict[str, Any]) -> _Options:
        """Take these out of an engine's options."""
        found = {name: options.pop(name) for name in cls.__slots__ if name in options}
        preload = found.get("preload", ())
        found["preload"] = (preload,) if isinstance(preload, str) else tuple(preload)
        return cls(**found)

    def refuse_for(self, kernel: str) -> None:
        """Raise when something was asked for that only a forked kernel can do."""
        asked = [name for name in self.__slots__ if name != "on_end" and getattr(self, name)]
        if asked:
            raise UsageError(
                f"The kernel {kernel!r} is not forked, so it cannot have {', '.join(asked)}.",
                hint=f"Run the notebook with kernel_name={_OWN_KERNELS[0]!r}, or leave that out.",
            )


def run(nb_man: NotebookExecutionManager, kernel_name: str, options: dict[str, Any]) -> None:
    """Run the notebook of ``nb_man`` in the kernel that fits it."""
    own = _Options.take(options)
    if kernel_name not in _OWN_KERNELS or any(options.get(name) for name in _OTHERS_CHOICES):
        own.refuse_for(kernel_name)
        NBClientEngine.execute_managed_notebook(nb_man, kernel_name, **options)
    elif not sys.platform.startswith("linux"):
        _run_unforked(nb_man, own, options)
    else:
        apart(_run, nb_man, kernel_name, own, options)


class SavingManager(NotebookExecutionManager):  # type: ignore[misc]
    """Papermill's manager, saving when it is time to and not at every step."""

    each_cell = False

    def save(self, **options: Any) -> None:
        every = self.autosave_cell_every
        waited = (self.now() - self.last_save_time).total_seconds()
        if self.each_cell or (every and waited >= every):
            super().save(**options)


class _Client(ForkedClient, PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's own client, on a forked kernel."""

    def __init__(
        self, nb_man: NotebookExecutionManager, settings: KernelSettings, **options: Any
    ) -> None:
        PapermillNotebookClient.__init__(self, nb_man, **options)
        self._begin(settings)


def _run(
    nb_man: NotebookExecutionManager, kernel_name: str, own: _Options, options: dict[str, Any]
) -> None:
    cell_seconds = options.pop("execution_timeout", None) or options.get("timeout")
    limits = Limits(
        cell_seconds=cell_seconds if cell_seconds and cell_seconds > 0 else None,
        total_seconds=own.total_timeout,
        start_seconds=options.pop("start_timeout", 60) or 60,
        memory=own.memory_limit,
        output=own.output_limit,
    )
    resources = options.get("resources") or {}
    settings = KernelSettings(
        limits=limits,
        cwd=Path(resources.get("metadata", {}).get("path") or os.getcwd()),  # noqa: PTH109
        preload=own.preload,
        environment=own.environment,
        keeps_log=own.on_end is not None,
    )
    for name in ("input_path", "timeout", "startup_timeout"):
        options.pop(name, None)
    client = _Client(nb_man, settings, kernel_name=kernel_name, log=logger, **options)
    try:
        client.execute()
    finally:
        if own.on_end is not None:
            own.on_end(nb_man.nb, client.log_text)


def _run_unforked(nb_man: NotebookExecutionManager, own: _Options, options: dict[str, Any]) -> None:
    """Run in this interpreter's kernel where none can be forked; without the limits of forks."""
    from markbook.kernels.manager import OwnKernelManager

    class Manager(OwnKernelManager):
        environment = dict(own.environment) if own.environment is not None else None

    def run() -> None:
        with warnings.catch_warnings():
            # Foreign deprecations in the event loop are not this run's findings.
            warnings.simplefilter("ignore")
            try:
                NBClientEngine.execute_managed_notebook(
                    nb_man,
                    _OWN_KERNELS[0],
                    kernel_manager_class=Manager,
                    # A polite shutdown now and then waits 4 s for a kernel that has nothing to do.
                    **{"shutdown_kernel": "immediate", **options},
                )
            finally:
                _close_loop()
                if own.on_end is not None:
                    own.on_end(nb_man.nb, "")

    # An empty context has no event loop of a neighbour to share, and to close.
    contextvars.Context().run(run)


def _close_loop() -> None:
    """Close the event loop that nbclient made; a loop that is running is somebody else's."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    if not loop.is_running():
        loop.close()
        asyncio.set_event_loop(None)
