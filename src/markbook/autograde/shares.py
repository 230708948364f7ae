"""How many submissions share a task: enough to be worth handing over, few enough to be fair."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Shares"]

# A task is up to so many seconds of work: handing one over costs about 1 ms with a pool and 5 ms
# with Dask. Towards the end tasks become smaller, so that no worker waits long for another, but
# none has less work than handing it over is worth.
_SECONDS = 0.2
_LEAST = 0.03
_MOST = 64  # submissions
_LEFT = 2  # shares for each worker of what is left
# What the first ones took says little of the others: a task has at most so many times more.
_TRUST = 4
_LATELY = 8  # how many submissions a mean goes back
_NOTHING = 1e-4  # seconds; no submission takes less


@dataclass(slots=True)
class Shares:
    """Tells by what submissions took how many of them to send next."""

    each: float = _SECONDS
    seen: int = 0

    def learn(self, seconds: float) -> None:
        """Take note of what one submission took."""
        self.seen += 1
        self.each += (max(seconds, _NOTHING) - self.each) / min(self.seen, _LATELY)

    def next(self, left: int, workers: int) -> int:
        """Return how many to send together when ``left`` are left for so many workers."""
        fit = min(_MOST, int(_SECONDS / self.each), _TRUST * self.seen)
        return max(1, min(fit, max(left // (_LEFT * workers), int(_LEAST / self.each))))
