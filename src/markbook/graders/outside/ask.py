"""Asking an outside model about the answers to a question: cached, bounded, tried again, logged."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markbook.graders.outside.base import Attempt, Problem, Reason
from markbook.graders.outside.budget import Budget, Limits
from markbook.graders.outside.cache import Cache
from markbook.graders.outside.log import Log
from markbook.graders.outside.prompt import PROMPT_VERSION, messages, reply_tokens, schema
from markbook.graders.outside.reply import Verdict, read_reply
from markbook.graders.outside.withheld import withheld

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from markbook.graders.outside.base import Message, Suggester
    from markbook.model import Rubric

__all__ = ["CACHE_NAME", "LOG_NAME", "Inquiry", "Outside", "Tally"]

LOG_NAME = "suggester-log"
CACHE_NAME = "suggester-cache"

_TRIES = 4  # of one answer: with pauses of 0.5, 1 and 2 s a server that restarts is waited for
_LONGEST_PAUSE = 30.0  # seconds, however long an endpoint asks to be left alone
_DOWN_AFTER = 3  # answers in succession that nothing came back for
_BYTES_A_TOKEN = 3  # of English and code it is 4, of other scripts less


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question of an assignment: its rubric, its text, and the criteria to ask about."""

    rubric: Rubric
    prompt: str
    criteria: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What was asked so far; ``problems`` counts answers without verdicts by reason."""

    sent: int = 0
    cached: int = 0
    problems: Counter[Reason] = field(default_factory=Counter)


class Outside:
    """An outside model with its budget, cache and log, for one run.

    ``folder`` is the assignment's folder of reports. ``pause`` is the wait in seconds before the
    first new try; it doubles with each.
    """

    def __init__(
        self, suggester: Suggester, folder: Path, limits: Limits, *, pause: float = 0.5
    ) -> None:
        self.suggester = suggester
        self.tally = Tally()
        self.budget = Budget(limits)
        self.stopped: Problem | None = None
        self._parallel = limits.parallel
        self._cache = Cache(folder / CACHE_NAME)
        self._log = Log(folder / LOG_NAME, suggester.secrets)
        self._pause = pause
        self._halt = threading.Event()
        self._lock = threading.Lock()
        self._failures = 0

    @property
    def identity(self) -> dict[str, Any]:
        """What its answers depend on beside question and text: JSON values, no secrets."""
        return {
            "suggester": self.suggester.name,
            "model": self.suggester.model,
            "place": self.suggester.place,
            "settings": dict(self.suggester.settings()),
            "prompt_version": PROMPT_VERSION,
        }

    def close(self) -> None:
        """Stop waiting and give connections back."""
        self._halt.set()
        self.suggester.close()

    def known(self, inquiry: Inquiry, text: str) -> dict[str, Verdict] | None:
        """Return what was said about a text before, without asking."""
        found = self._cached(_Request(inquiry, text), self.identity)
        return found if isinstance(found, dict) else None

    def ask(
        self, inquiry: Inquiry, texts: Mapping[str, str]
    ) -> dict[str, dict[str, Verdict] | Problem]:
        """Return the verdicts on each text (by its key), or why there are none.

        Texts are as they may be sent: names covered. After a problem that stops the run, the
        others get that problem and nothing more is sent.
        """
        pool = ThreadPoolExecutor(max(1, min(self._parallel, len(texts))))
        try:
            said = {key: pool.submit(self._one, inquiry, key, text) for key, text in texts.items()}
            found = {key: future.result() for key, future in said.items()}
        except BaseException:
            self.close()  # whoever waits, for a reply or a new try, stops waiting
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        for each in found.values():
            if isinstance(each, Problem):
                self.tally.problems[each.reason] += 1
        return found

    # -- one answer ----------------------------------------------------------------------------

    def _one(self, inquiry: Inquiry, key: str, text: str) -> dict[str, Verdict] | Problem:
        problem = withheld(text)
        if problem is not None:
            return problem
        request = _Request(inquiry, text)
        found = self._cached(request, self.identity)
        if found is not None:
            with self._lock:
                self.tally.cached += 1
            return found
        for number in range(_TRIES):
            if self.stopped is not None:
                return self.stopped
            said, wait = self._try(request, key, number + 1)
            if not isinstance(said, Problem) or not said.transient:
                self._note(said)
                return said
            if number + 1 < _TRIES and self._halt.wait(
                min(max(wait or 0.0, self._pause * 2**number), _LONGEST_PAUSE)
            ):
                break
        self._note(said)
        return said

    def _cached(self, request: _Request, identity: Mapping[str, Any]) -> dict[str, Verdict] | None:
        content = self._cache.get(self._cache.key({**identity, **request.depends}))
        if content is None:
            return None
        found = read_reply(content, request.text, request.inquiry.criteria)
        return found if isinstance(found, dict) else None

    def _try(
        self, request: _Request, key: str, number: int
    ) -> tuple[dict[str, Verdict] | Problem, float | None]:
        """Make one request, if the budget reaches for it; its reply, checked, and a pause."""
        estimate = request.tokens + request.size // _BYTES_A_TOKEN
        spent = self.budget.reserve(estimate)
        if spent is not None:
            return spent, None
        with self._lock:
            self.tally.sent += 1
        started = time.monotonic()
        attempt = self._attempt(request)
        seconds = time.monotonic() - started
        self.budget.settle(estimate, attempt.tokens)
        said: dict[str, Verdict] | Problem
        if attempt.problem is not None:
            said = attempt.problem
        else:
            said = read_reply(attempt.content or "", request.text, request.inquiry.criteria)
        self._write(request, key, number, attempt, said, seconds)
        if not isinstance(said, Problem):
            identity = self._cache.key({**self.identity, **request.depends})
            self._cache.put(identity, attempt.content or "")
        return said, attempt.wait

    def _attempt(self, request: _Request) -> Attempt:
        try:
            return self.suggester.attempt(request.messages, request.schema, tokens=request.tokens)
        except Exception as error:  # noqa: BLE001  (an adapter of somebody's may raise anything)
            detail = f"The suggester raised {type(error).__name__}."
            return Attempt(problem=Problem(Reason.SUGGESTER_FAILED, detail))

    def _write(
        self,
        request: _Request,
        key: str,
        number: int,
        attempt: Attempt,
        said: dict[str, Verdict] | Problem,
        seconds: float,
    ) -> None:
        self._log.write(
            request.inquiry.rubric.question,
            {
                "answer": key,
                "try": number,
                "to": self.suggester.place,
                "model": self.suggester.model,
                "sent": request.messages,
                "status": attempt.status,
                "received": attempt.received,
                "tokens": attempt.tokens,
                "seconds": round(seconds, 3),
                "outcome": said.reason.value if isinstance(said, Problem) else "taken",
                "detail": said.detail if isinstance(said, Problem) else "",
            },
        )

    def _note(self, said: dict[str, Verdict] | Problem) -> None:
        """Remember what ends the run, and how many answers in succession nothing came back for."""
        with self._lock:
            if not isinstance(said, Problem):
                self._failures = 0
                return
            silent = said.transient or said.reason is Reason.SUGGESTER_FAILED
            self._failures = self._failures + 1 if silent else 0
            if said.stops:
                self.stopped = self.stopped or said
            elif self._failures >= _DOWN_AFTER:
                detail = f"Nothing came back for {_DOWN_AFTER} answers in succession. {said.detail}"
                self.stopped = self.stopped or Problem(Reason.ENDPOINT_DOWN, detail)


class _Request:
    """What is sent about one text."""

    def __init__(self, inquiry: Inquiry, text: str) -> None:
        self.inquiry = inquiry
        self.text = text
        self.messages: list[Message] = messages(
            inquiry.rubric, inquiry.prompt, inquiry.criteria, text
        )
        self.schema = schema(inquiry.criteria)
        self.tokens = reply_tokens(inquiry.criteria)
        self.size = sum(len(message["content"].encode()) for message in self.messages)

    @property
    def depends(self) -> dict[str, Any]:
        """What the reply depends on: the text and all that is sent with it."""
        return {
            "rubric_version": self.inquiry.rubric.version,
            "messages": self.messages,
            "schema": json.dumps(self.schema),
            "tokens": self.tokens,
        }
