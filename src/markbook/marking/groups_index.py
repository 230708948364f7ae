"""The groups and the neighbours of a question's answers, found once while people mark already."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from markbook.marking.groups import covered, find_clusters
from markbook.marking.groups_similar import Neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.marking.groups import Cluster

__all__ = ["GroupIndex"]

# Up to here it takes a fraction of a second; ten thousand answers take a few, and a marker who
# opens the page should not wait for that.
_AT_ONCE = 1000

_Found = tuple[tuple["Cluster", ...], dict[str, str], Neighbours]


class GroupIndex:
    """What is alike among texts, by key. Begins to look when first asked."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self._lock = threading.Lock()
        self._found: Future[_Found] | None = None

    def clusters(self) -> tuple[Cluster, ...]:
        """Return the clusters, the largest first; waits until they are found."""
        return self._start().result()[0]

    def about(self, key: str) -> tuple[str | None, tuple[tuple[str, float], ...]]:
        """Return the cluster that a text is in, and a few others like it; nothing if not known yet.

        A key without a text here (a blank answer) is in no cluster and like nothing.
        """
        found = self._start()
        if not found.done() or key not in self.texts:
            return None, ()
        _, homes, neighbours = found.result()
        return homes.get(key), neighbours.like(key)

    def _start(self) -> Future[_Found]:
        with self._lock:
            if self._found is None:
                self._found = Future()
                if len(self.texts) <= _AT_ONCE:
                    self._find(self._found)
                else:
                    args = (self._found,)
                    threading.Thread(target=self._find, args=args, daemon=True).start()
            return self._found

    def _find(self, found: Future[_Found]) -> None:
        try:
            clusters = find_clusters(self.texts)
            found.set_result((clusters, covered(clusters), Neighbours(self.texts)))
        except BaseException as error:  # noqa: BLE001  (raised where the result is asked for)
            found.set_exception(error)
