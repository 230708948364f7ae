"""How much may be asked: counted before a request is sent, put right when its reply says more."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from markbook.graders.outside.base import Problem, Reason

__all__ = ["Budget", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take: requests (tries count), tokens in and out, requests at a time."""

    requests: int = 1_000
    tokens: int = 1_000_000
    parallel: int = 4


class Budget:
    """What was spent of the limits; threads may share it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self.requests = 0
        self.tokens = 0

    def reserve(self, tokens: int) -> Problem | None:
        """Take one request of about ``tokens`` from the budget, or say which part is spent."""
        with self._lock:
            if self.requests >= self._limits.requests:
                return Problem(
                    Reason.BUDGET_REQUESTS,
                    f"The {self._limits.requests} requests of this run are spent.",
                )
            if self.tokens + tokens > self._limits.tokens:
                return Problem(
                    Reason.BUDGET_TOKENS,
                    f"The {self._limits.tokens} tokens of this run do not reach for another.",
                )
            self.requests += 1
            self.tokens += tokens
            return None

    def settle(self, reserved: int, used: int | None) -> None:
        """Put what a request took in place of what was reserved, where the endpoint says it."""
        if used is None:
            return
        with self._lock:
            self.tokens += used - reserved
