"""The process that learns scores while people mark: JSON lines in, JSON lines out.

A process of its own, because reading a thousand answers keeps Python busy for seconds, and a page
that waits for Python's lock is felt at every key. It ends when its input does.

In: ``{"open": id, "question", "references", "answers", "taught"}`` (a file of what other questions
taught, or nothing), and ``{"marks": id, "scores": {place: share}}`` with all marks there are. Out,
to both: ``{"marks": how many, "mean", "suggested", "sd", "confidence": [...], "first": [places],
"refused", "note"}`` (what could not be used), ``{"unknown": true}`` for a question that is not open
(any more), or ``{"error": why}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markbook.errors import MarkbookError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from markbook.graders.learning.features import Read
    from markbook.graders.learning.model import QuestionModel, ScoreModel

__all__ = ["Questions", "main", "serve"]

_OPEN = 8  # questions kept: a thousand answers take some 30 MB, and nobody marks more at a time
_FIRST = 12  # answers chosen by design: a marker is through with one before the next choice
_NICE = 19  # the page, its server and the browser go first


@dataclass
class _Opened:
    """A question at work: the model that opened it, what was read, and the marks told.

    ``note`` says what could not be used.
    """

    model: ScoreModel
    read: Read
    question: QuestionModel
    note: str = ""
    marks: dict[int, float] = field(default_factory=dict)


class Questions:
    """The questions that are open, the least lately used of which is forgotten."""

    def __init__(self, model: ScoreModel | None = None) -> None:
        self._model = model
        self._open: OrderedDict[str, _Opened] = OrderedDict()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request; whatever goes wrong is told, never raised."""
        try:
            if "open" in request:
                return self._begin(request)
            return self._marks(str(request["marks"]), request["scores"])
        except Exception as error:  # noqa: BLE001  (the page goes on without this)
            return {"error": f"{type(error).__name__}: {error}"}

    def _begin(self, request: dict[str, Any]) -> dict[str, Any]:
        from markbook.graders.learning.features import read
        from markbook.graders.learning.texts import QuestionTexts

        texts = QuestionTexts(
            str(request["open"]),
            str(request["question"]),
            tuple(request["references"]),
            tuple(request["answers"]),
        )
        if self._model is None:
            self._model = _model()
        found = read(texts, self._model.token_model)
        model, note = _taught(self._model, str(request.get("taught") or ""))
        self._open[texts.id] = _Opened(model, found, model.open_read(found), note)
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)
        return self._predicted(texts.id)

    def _marks(self, name: str, scores: dict[str, float]) -> dict[str, Any]:
        if name not in self._open:
            return {"unknown": True}
        self._open.move_to_end(name)
        opened = self._open[name]
        marks = {int(place): float(score) for place, score in scores.items()}
        if opened.marks.keys() - marks.keys():  # one was taken back: a mark cannot be unlearned
            opened.question = opened.model.open_read(opened.read)
        opened.question.observe(marks)
        opened.marks = marks
        return self._predicted(name)

    def _predicted(self, name: str) -> dict[str, Any]:
        question = self._open[name].question
        said = question.predict()
        return {
            "marks": len(self._open[name].marks),
            "mean": [round(float(each), 4) for each in said.mean],
            "suggested": [round(float(each), 4) for each in said.suggested],
            "sd": [round(float(each), 4) for each in said.sd],
            "confidence": [round(float(each), 4) for each in said.confidence],
            "first": [int(place) for place in question.first(_FIRST)],
            "refused": said.refused,
            "note": self._open[name].note,
        }


def _taught(model: ScoreModel, file: str) -> tuple[ScoreModel, str]:
    """Return the model with what other questions taught; as it is, and why, where nothing is read.

    A file that is gone, or was never there, is nothing to tell.
    """
    from markbook.graders.learning.model import ScoreModel
    from markbook.graders.learning.taught import Taught, teach

    try:
        taught = Taught.read(Path(file)) if file else None
    except MarkbookError as error:
        return model, f"without what other questions taught: {error}"
    if taught is None:
        return model, ""
    return ScoreModel(teach(model.prior, taught), model.token_model), ""


def _model() -> ScoreModel:
    from markbook.graders.learning.model import ScoreModel
    from markbook.graders.learning.prior import Prior
    from markbook.graders.learning.semantic import open_token_model

    token_model = None
    with contextlib.suppress(Exception):  # a broken extra: words alone will do
        token_model = open_token_model()
    if token_model is not None:
        with contextlib.suppress(OSError, MarkbookError):  # no prior for it in this version
            return ScoreModel(Prior.default(semantic=True), token_model)
    return ScoreModel(Prior.default(semantic=False), None)


def serve(lines: Iterator[str], out: TextIO, questions: Questions) -> None:
    """Answer each line with a line, until there are no more."""
    for line in lines:
        out.write(json.dumps(questions.answer(json.loads(line))) + "\n")
        out.flush()


def main() -> None:
    """Answer on standard input and output."""
    os.nice(_NICE)
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    serve(iter(sys.stdin.readline, ""), out, Questions())


if __name__ == "__main__":
    main()
