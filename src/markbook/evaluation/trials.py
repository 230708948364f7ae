"""The experiments themselves: a person and a model at each question, as the protocol says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from markbook.evaluation.oracle import Guess, Stage
from markbook.evaluation.plans import Protocol
from markbook.text.groups import find_clusters
from markbook.text.words import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from markbook.evaluation.engine import Engine, Opened
    from markbook.evaluation.oracle import Fold
    from markbook.evaluation.plans import FoldPlan, Settings, Task
    from markbook.evaluation.sheet import Sheet
    from markbook.graders.learning.model import Prediction

__all__ = ["GROUPINGS", "SHARES", "Names", "Tried", "try_out"]

SHARES = tuple(tenth / 10 for tenth in range(1, 10))
_CHOSEN = tuple(step / 100 for step in range(1, 91))  # shares read at which whom to read is chosen
GROUPINGS = ("identical", "alike")


class Names:
    """The stages' names."""

    SUGGESTED = "suggested"  # after k marks by design
    TOLD = "told"  # after all training rows of the question
    CONSTANT = "constant"  # the mean share of the training marks, for every answer
    TOLD_CONSTANT = "constant told"  # likewise, beside TOLD
    POINTS = " points"  # + to a constant: their mean in points, as a share of the answer's maximum
    LEARNING = "learning"  # the model goes on learning from the marks of the least certain
    COPIED = "copied "  # + a grouping: the mark of the group's leader
    FILLED = "filled "  # + a grouping: the model's score, all other answers marked


@dataclass(frozen=True, slots=True)
class Tried:
    """Event: ``done`` of ``total`` pieces of work are over, lately on ``question``."""

    done: int
    total: int
    question: str
    outcome: str = "tried"


class _Work:
    """One session at a question: answers by their place, marks by the oracle."""

    def __init__(
        self, sheet: Sheet, task: Task, fold: Fold, open_model: Callable[[], Opened]
    ) -> None:
        self._rows = sheet.questions[task.question].rows
        self._lines = sheet.lines
        self._judged = task.judged
        withheld = self._rows[task.judged] if task.closed else ()
        self._session = fold.session(self._rows, withheld)
        self._open = open_model
        self._opened: Opened | None = None
        self._now: Prediction | None = None
        self._news: dict[int, float] = {}
        self.marks: dict[int, float] = {}

    def mark(self, places: Iterable[int]) -> None:
        """Let the person mark these answers; the model sees the marks."""
        new = [place for place in map(int, places) if place not in self.marks]
        if new:
            found = dict(zip(new, self._session.mark(self._rows[new]).tolist(), strict=True))
            self.marks |= found
            self._news |= found

    @property
    def answers(self) -> int:
        return len(self._rows)

    @property
    def model(self) -> Opened:
        if self._opened is None:
            self._opened = self._open()
        if self._news:
            self._opened.observe(self._news)
            self._news = {}
            self._now = None
        return self._opened

    def predict(self) -> Prediction:
        """Return what the model predicts; asked once for the same marks."""
        model = self.model  # which forgets what it predicted when it hears of news
        if self._now is None:
            self._now = model.predict()
        return self._now

    def seal(self, stage: Stage, places: Sequence[int] | NDArray[np.int64] | None = None) -> None:
        """Keep what the model predicts now, for the judged answers or for those at ``places``."""
        now = self.predict()
        mine = self._judged if places is None else np.asarray(places, dtype=int)
        sure = np.nan_to_num(now.confidence[mine])
        refused = now.refused
        if refused is not None and now.about and self._lines:
            lines = sorted(self._lines[row] for row in self._rows[list(now.about)])
            refused = f"{refused} (lines {' and '.join(map(str, lines))} of the file)."
        guess = Guess(now.mean[mine], now.suggested[mine], sure, refused)
        self._session.seal(stage, self._rows[mine], guess)

    def seal_values(
        self, stage: Stage, places: Sequence[int] | NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Keep values for the answers at ``places`` (n,) that are not the model's."""
        self._session.seal(stage, self._rows[np.asarray(places, dtype=int)], Guess.plain(values))


def try_out(
    sheet: Sheet,
    folds: Sequence[FoldPlan],
    settings: Settings,
    engine: Engine,
    on_event: Callable[[Tried], None],
) -> None:
    """Run every fold; what is predicted is sealed in ``sheet.oracle``."""
    reads = []
    total = len(sheet.questions) + sum(len(fold.tasks) for fold in folds)
    for number, asked in enumerate(sheet.questions):
        reads.append(engine.read(asked.texts))
        on_event(Tried(number + 1, total, asked.texts.id))
    done = len(reads)
    going_on: list[_Work] = []
    for plan in folds:
        for question, work in _fold(sheet, plan, settings, engine, reads):
            if work is not None:
                going_on.append(work)
            done += 1
            on_event(Tried(done, total, sheet.questions[question].texts.id))
    if going_on:
        _learn_on(going_on, settings.curve_k)


def _fold(
    sheet: Sheet, plan: FoldPlan, settings: Settings, engine: Engine, reads: Sequence[object]
) -> Iterable[tuple[int, _Work | None]]:
    known = [sheet.questions[n].rows[places] for n, places in plan.training.items()]
    trained = np.concatenate([*known, np.array([], dtype=int)])
    fold = sheet.oracle.fold(set(range(sheet.answers)) - set(trained.tolist()))
    opener = engine.fit(_training(sheet, plan.training, fold, reads))
    marks = fold.training(trained)
    for task in plan.tasks:

        def begin(task: Task = task) -> _Work:
            return _Work(sheet, task, fold, lambda: opener.open_read(reads[task.question]))

        work = begin()
        if len(trained):
            _constants(sheet, task, work, marks, marks * sheet.points[trained])
        if settings.protocol is Protocol.SEEN:
            work.mark(task.given)
            work.seal(Stage(Names.TOLD if len(task.given) else Names.SUGGESTED))
            yield task.question, None
        else:
            _groups(sheet.questions[task.question].texts.answers, begin)
            yield task.question, _by_design(work, begin, settings)


def _training(
    sheet: Sheet, places: Mapping[int, NDArray[np.int64]], fold: Fold, reads: Sequence[object]
) -> list[tuple[object, NDArray[np.float64]]]:
    """Return each question for training with its marks, NaN where they are held back."""
    found = []
    for question, mine in places.items():
        rows = sheet.questions[question].rows
        marks = np.full(len(rows), np.nan)
        marks[mine] = fold.training(rows[mine])
        found.append((reads[question], marks))
    return found


def _constants(
    sheet: Sheet, task: Task, work: _Work, marks: NDArray[np.float64], points: NDArray[np.float64]
) -> None:
    name = Names.TOLD_CONSTANT if len(task.given) else Names.CONSTANT
    work.seal_values(Stage(name), task.judged, np.full(len(task.judged), marks.mean()))
    most = sheet.points[sheet.questions[task.question].rows[task.judged]]
    work.seal_values(Stage(name + Names.POINTS), task.judged, points.mean() / most)


def _by_design(work: _Work, begin: Callable[[], _Work], settings: Settings) -> _Work:
    """Mark by design up to each k and seal; return the session to go on with from the curve's k."""
    order = work.model.first(max(settings.ks))
    stops = {*settings.stops, settings.curve_k}
    for k in sorted(stops):
        work.mark(order[:k])
        work.seal(Stage(Names.SUGGESTED, k))
    if max(stops) == settings.curve_k:
        return work
    again = begin()
    again.mark(order[: settings.curve_k])
    return again


def _learn_on(works: Sequence[_Work], k: int) -> None:
    """Let the person go on with the least certain answers of all questions, and the model learn."""
    total = sum(work.answers for work in works)
    for share in _CHOSEN:
        wanted = round(share * total) - sum(len(work.marks) for work in works)
        if wanted < 0:
            continue  # the design alone takes more than this share
        least = []
        for number, work in enumerate(works):
            now = work.predict()
            sure = np.nan_to_num(now.confidence)
            least += [
                (sure[place], -now.sd[place], number, place)
                for place in range(work.answers)
                if place not in work.marks
            ]
        chosen: dict[int, list[int]] = defaultdict(list)
        for _, _, number, place in sorted(least)[:wanted]:
            chosen[number].append(place)
        for number, places in chosen.items():
            works[number].mark(places)
        for work in works if share in SHARES else ():
            work.seal(Stage(Names.LEARNING, k, share))


def _groups(answers: Sequence[str], begin: Callable[[], _Work]) -> None:
    """Mark one answer of each group for all of it, or let the model fill in the others."""
    clusters = find_clusters({f"{n:09}": text for n, text in enumerate(answers)})
    alike = [[int(name) for name in cluster.members] for cluster in clusters]
    identical = []
    for members in alike:
        same: dict[str, list[int]] = defaultdict(list)
        for place in members:
            same[normalise(answers[place])].append(place)
        identical += [places for places in same.values() if len(places) > 1]
    for name, groups in zip(GROUPINGS, (identical, alike), strict=True):
        if not groups:
            continue
        work = begin()
        work.mark(places[0] for places in groups)
        copies = [place for places in groups for place in places[1:]]
        marks = np.array([work.marks[places[0]] for places in groups for _ in places[1:]])
        work.seal_values(Stage(Names.COPIED + name), copies, marks)
        work.mark(set(range(len(answers))) - set(copies))
        work.seal(Stage(Names.FILLED + name), copies)
