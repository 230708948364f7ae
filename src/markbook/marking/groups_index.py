"""The groups and the neighbours of a question's answers, found once while people mark already."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from markbook.marking.groups_similar import Neighbours
from markbook.text.groups import covered, find_clusters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.text.groups import Cluster

__all__ = ["GroupIndex"]

# Up to here it takes a fraction of a second; ten thousand answers take a few, and a marker who
# opens the page should not wait for that.
_AT_ONCE = 1000

_AT_WORK = 0.0005  # seconds of work, and as many of rest

_Found = tuple[tuple["Cluster", ...], dict[str, str], Neighbours]


class _Pause:
    """Lets other threads go first: one waiting for Python's lock otherwise waits 5 ms each time."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def __call__(self) -> None:
        if time.perf_counter() - self._since > _AT_WORK:
            time.sleep(_AT_WORK)
            self._since = time.perf_counter()


def _no_pause() -> None:
    return None


class GroupIndex:
    """What is alike among texts, by key. Begins to look when first asked."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self._lock = threading.Lock()
        self._found: Future[_Found] | None = None
        self._like: dict[str, tuple[tuple[str, float], ...]] = {}

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
        if key not in self._like:
            self._like[key] = neighbours.like(key)
        return homes.get(key), self._like[key]

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
            pause = _Pause() if len(self.texts) > _AT_ONCE else _no_pause
            clusters = find_clusters(self.texts, pause)
            found.set_result((clusters, covered(clusters), Neighbours(self.texts, pause)))
        except BaseException as error:  # noqa: BLE001  (raised where the result is asked for)
            found.set_exception(error)
