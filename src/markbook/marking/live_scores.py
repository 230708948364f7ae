"""What is expected of a question's answers, learned anew after each mark, beside the marking."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markbook.marking.history import decisions
from markbook.model import score

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from markbook.marking.cases import Case
    from markbook.marking.score_host import Ask, ScoreHost
    from markbook.model import Event, Question, Rubric

    Histories = Callable[[Collection[str]], Mapping[str, Iterable[Event]]]

__all__ = ["LiveScores", "Snapshot"]

_MOST = 1_000  # texts learned about: a refit takes half a second, which grows with their square
_TRIES = 2  # what fails twice on a question will fail again with its next mark
_MODELS = 12  # model answers and full exemplars that answers are compared with, as in a grader
_LONGEST = 20_000  # characters read of a text, as graders do


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is expected, by the hash of a text, in shares of the maximum: (mean, sd, likely,
    confidence).

    ``places`` is the order in which texts should be marked, from 0: those chosen by design, then
    the least certain. ``marks`` is how many marked texts it was learned from; ``note`` says what
    could not be used for it.
    """

    marks: int
    scores: Mapping[str, tuple[float, float, float, float]]
    places: Mapping[str, int]
    refused: str = ""
    note: str = ""


@dataclass(slots=True)
class _Told:
    """A mark as the desk told it; ``share`` of the maximum."""

    student: str
    key: str
    share: float
    version: int
    by_rule: bool | None = None


@dataclass(eq=False)
class LiveScores:
    """One question's scores; told of marks, asked for the latest snapshot, never waiting.

    ``histories`` reads the audit of some students' answers: a mark that a rule made repeats a
    suggestion and teaches nothing. ``taught`` is the file of what other questions' marks taught
    the grader's last run, if there is one. ``published`` is told of every new snapshot, by the
    host's thread.
    """

    host: ScoreHost
    question: Question
    rubric: Rubric
    texts: Mapping[str, str]
    histories: Histories
    published: Callable[[Snapshot], None]
    taught: Path | None = None
    snapshot: Snapshot | None = None
    _told: dict[str, _Told] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wanted: bool = False
    _sent: dict[str, float] | None = None
    _failures: int = 0

    def __post_init__(self) -> None:
        # By hash: which texts of a large class are learned about does not hang on who wrote them.
        self._keys = tuple(sorted(self.texts)[:_MOST])
        self._places = {key: place for place, key in enumerate(self._keys)}
        parts = (self.question.assignment, self.question.id, self.rubric.version, *self._keys)
        self._id = hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def start(self) -> None:
        """Begin to learn, if that was not asked for before."""
        if not self._wanted:
            self._wanted = True
            self.host.want(self)

    def hear(self, name: str, case: Case) -> None:
        """Take over the counting mark of an answer, or that it has none (of its present text)."""
        mark = case.mark
        cap = self.rubric.cap(self.question.points)
        with self._lock:
            if mark is None or mark.answer_hash != case.answer.hash or cap <= 0:
                if self._told.pop(name, None) is None:
                    return
            else:
                share = min(1.0, max(0.0, mark.score / cap))
                told = _Told(mark.student, mark.answer_hash, share, mark.row_version)
                before = self._told.get(name)
                if before is not None and before.version == told.version:
                    return
                self._told[name] = told
        if self._wanted:
            self.host.want(self)

    def ask_scores(self, ask: Ask) -> None:
        """Learn from the marks told so far; runs in the host's thread."""
        scores = self._scores()
        if self._sent == scores or self._failures >= _TRIES:
            return
        request = {
            "marks": self._id,
            "scores": {str(self._places[key]): share for key, share in scores.items()},
        }
        reply = ask(request) if self._sent is not None else {"unknown": True}
        if reply.get("unknown"):
            reply = ask(self._opening())
            if scores and "error" not in reply:
                reply = ask(request)
        if "error" in reply or reply.get("unknown"):
            self._failures += 1
            return
        self._sent = scores
        self.snapshot = self._snapshot(reply)
        self.published(self.snapshot)

    def _scores(self) -> dict[str, float]:
        """Return the mean share that people gave to each text."""
        with self._lock:
            told = list(self._told.values())
        unknown = [each for each in told if each.by_rule is None]
        if unknown:
            found = self.histories({each.student for each in unknown})
            for each in unknown:
                decided = decisions(found.get(each.student, ()))
                each.by_rule = bool(decided and decided[-1].rule)
        shares: dict[str, list[float]] = defaultdict(list)
        for each in told:
            if not each.by_rule and each.key in self._places:
                shares[each.key].append(each.share)
        return {key: sum(given) / len(given) for key, given in shares.items()}

    def _opening(self) -> dict[str, Any]:
        rubric = self.rubric
        cap = rubric.cap(self.question.points)
        models = [rubric.model_answer or self.question.model_answer]
        for each in rubric.exemplars:
            if score(rubric, each.earns, points=self.question.points) >= cap:
                models.append(each.text)
        models = [text[:_LONGEST] for text in models if text.strip()][:_MODELS]
        said = " ".join(criterion.says for criterion in rubric.criteria if criterion.points > 0)
        return {
            "open": self._id,
            "question": self.question.prompt[:_LONGEST],
            "references": models or [said],
            "answers": [self.texts[key][:_LONGEST] for key in self._keys],
            "taught": str(self.taught) if self.taught is not None else "",
        }

    def _snapshot(self, reply: Mapping[str, Any]) -> Snapshot:
        columns = (reply[name] for name in ("mean", "sd", "suggested", "confidence"))
        rows = zip(*columns, strict=True)
        scores = dict(zip(self._keys, rows, strict=True))
        chosen = [self._keys[place] for place in reply["first"]]
        rest = sorted(scores.keys() - set(chosen), key=lambda key: (-scores[key][1], key))
        places = {key: place for place, key in enumerate([*chosen, *rest])}
        told = (reply["refused"] or "", reply["note"])
        return Snapshot(int(reply["marks"]), scores, places, *told)
