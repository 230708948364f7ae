"""What a suggester is: one try at one answer, over whatever line it has; and how tries end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Attempt", "Message", "Problem", "Reason", "Suggester"]

Message = dict[str, str]
"""A message of a chat: ``role`` (system or user) and ``content``."""


class Reason(StrEnum):
    """Why there is no verdict on an answer; the value is the name that people see."""

    # the answer was not sent
    NO_WORDS = "no-words"
    TOO_LONG = "too-long"
    HIDDEN_CHARACTERS = "hidden-characters"
    INSTRUCTIONS = "instructions-to-the-reader"
    FLAGGED = "flagged-by-the-grader"
    # what came back for it was not taken
    NOT_JSON = "not-json"
    NOT_AS_ASKED = "not-as-asked"
    NO_QUOTE = "no-quote"
    QUOTE_NOT_FOUND = "quote-not-in-the-answer"
    CUT_OFF = "cut-off"
    DECLINED = "declined"
    TOO_LARGE = "reply-too-large"
    # nothing that could be read came back
    TOO_LATE = "too-late"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    BROKEN = "server-error"
    BAD_REQUEST = "request-refused"
    # no other answer would fare better: asking stops
    REDIRECTED = "redirected"
    NOT_ALLOWED = "not-allowed"
    NOT_FOUND = "no-such-model-or-address"
    ENDPOINT_DOWN = "endpoint-down"
    BUDGET_REQUESTS = "budget-of-requests-spent"
    BUDGET_TOKENS = "budget-of-tokens-spent"
    SUGGESTER_FAILED = "suggester-failed"


_STOPS = frozenset(
    {
        Reason.REDIRECTED,
        Reason.NOT_ALLOWED,
        Reason.NOT_FOUND,
        Reason.ENDPOINT_DOWN,
        Reason.BUDGET_REQUESTS,
        Reason.BUDGET_TOKENS,
    }
)
_TRANSIENT = frozenset({Reason.TOO_LATE, Reason.UNREACHABLE, Reason.BUSY, Reason.BROKEN})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no verdict. ``detail`` is our own sentence, never a piece of what came back."""

    reason: Reason
    detail: str

    @property
    def stops(self) -> bool:
        """Tell whether every other answer would end in the same way."""
        return self.reason in _STOPS

    @property
    def transient(self) -> bool:
        """Tell whether the same request may succeed a little later."""
        return self.reason in _TRANSIENT


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what became of it.

    ``content`` is what the model wrote, None where there is a ``problem``. ``received`` is the
    reply as it came, for the log. ``tokens`` is what the endpoint says it took, None when it does
    not say. ``wait`` is the pause in seconds that the endpoint asked for.
    """

    content: str | None = None
    problem: Problem | None = None
    status: int | None = None
    received: str = ""
    tokens: int | None = None
    wait: float | None = None


class Suggester(Protocol):
    """An adapter to one kind of outside model, made by an entry point of ``markbook.suggesters``.

    ``place`` is where texts go, as people should read it; ``local`` tells that they stay on this
    machine. ``secrets`` are texts that may be in no log. ``attempt`` makes one request and never
    raises for what an endpoint does; threads may call it at the same time.
    """

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def local(self) -> bool: ...
    @property
    def secrets(self) -> tuple[str, ...]: ...

    def attempt(
        self, messages: Sequence[Message], schema: Mapping[str, Any], *, tokens: int
    ) -> Attempt:
        """Ask once for a JSON object of ``schema``, of at most ``tokens`` tokens."""

    def settings(self) -> Mapping[str, Any]:
        """Return what else a reply depends on, as JSON values without secrets (cache key)."""

    def close(self) -> None:
        """Give connections back."""
