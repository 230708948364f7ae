"""Which tests can be examined at all: those that the course's own model answers pass in this way.

A test that needs what no clean process has (an object compared by the answer's own code, say) is
the course's doing, not a student's. So the model answer goes the way of a submission, once for
each process, and only when a submission has a test that was not borne out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.autograde import honest
from markbook.autograde.restore import restore
from markbook.autograde.running import NeverStarted, run_notebook
from markbook.autograde.scoring import limit_outputs, score
from markbook.autograde.workplace import place_for
from markbook.errors import NotebookError
from markbook.kernels.examiner.owner import Examining
from markbook.notebooks import parse_notebook

if TYPE_CHECKING:
    from markbook.autograde.prepared import Prepared, PreparedNotebook
    from markbook.autograde.values import Master

__all__ = ["beyond_examination", "known_to_differ"]

_found: dict[int, tuple[PreparedNotebook, frozenset[str]]] = {}
_KEPT = 64  # notebooks; a worker meets a few


def beyond_examination(prepared: Prepared, name: str) -> frozenset[str]:
    """Return the tests of a notebook that the model answer passes, but not in a clean process.

    Where there is no model answer, there are none: nothing excuses a test then.
    """
    notebook = prepared.notebooks[name]
    known = _found.get(id(notebook))
    if known is None or known[0] is not notebook:
        while len(_found) >= _KEPT:
            _found.pop(next(iter(_found)))
        known = _found[id(notebook)] = (notebook, _examine(prepared.master, notebook))
    return known[1]


def known_to_differ(notebook: PreparedNotebook) -> bool:
    """Tell whether it is known that there are such tests in a notebook."""
    known = _found.get(id(notebook))
    return known is not None and known[0] is notebook and bool(known[1])


def _examine(master: Master, prepared: PreparedNotebook) -> frozenset[str]:
    source = master.sources.get(prepared.master.name)
    if source is None:
        return frozenset()
    settings, helpers = master.settings, master.helpers
    try:
        notebook = parse_notebook(source, clear_outputs=True)
        restore(notebook, prepared)
        tests = honest.plan(notebook, prepared)
        with place_for(settings, helpers) as place, place_for(settings, helpers) as clean:
            examining = Examining(tests, clean, copies=True)
            ran = run_notebook(notebook, prepared, settings, place, examining)
    except (NotebookError, NeverStarted):
        return frozenset()
    beyond = set()
    for index, verdict in ran.verdicts.items():
        cell = notebook.cells[index]
        known = prepared.find(cell)
        if known is not None:
            limit_outputs(cell, settings)
            found = score(known.master, cell)
            if found.value and honest.differs(known.master, found, verdict, settings):
                beyond.add(known.master.id)
    return frozenset(beyond)
