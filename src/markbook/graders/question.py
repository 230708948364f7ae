"""All answers to one question, read together: criteria, marks so far, flags, expected scores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from markbook.errors import MarkbookError
from markbook.graders.criteria import bounds, decide, log_odds, said_otherwise
from markbook.graders.earlier import Earlier
from markbook.graders.lines import ScoreLine, Scores
from markbook.graders.progress import Progress
from markbook.graders.reader import Reader
from markbook.graders.stance import held_off

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from markbook.graders.answers import AnswerText
    from markbook.graders.expected import Expected
    from markbook.graders.guards import Guard
    from markbook.graders.learning.features import Read
    from markbook.graders.learning.model import Prediction, QuestionModel
    from markbook.graders.learning.taught import Kept, Taught
    from markbook.graders.learning.vectors import TokenModel
    from markbook.graders.lines import MarkLine, SuggestionLine
    from markbook.graders.meaning import Judgement
    from markbook.model import Rubric

__all__ = ["FEW", "HELD", "Learning", "Question"]

FEW = 5  # answers; fewer are no cohort: nothing is learned, and no score is expected
_LEARN_FROM = 2  # marks
_MOVED = 0.15  # of probability, from which a note says that marks moved it
HELD = 0.7  # the most that anything is sure of in a question that is refused: what it quotes
_ABSTAINED = 0.31  # and the least probability: that something is missing is not suggested there
_UNRELIABLE = "Its question has no score to rely on."
_BY_DESIGN = 40  # answers ranked by what their mark would tell; the rest by their spread
_FLAGGED = 0.3  # the most that is sure of a flagged answer's score
_NOTHING = 0.1  # of the maximum: the most that is expected of the question pasted
_DENIED_FROM, _DENIED_TO = 0.3, 0.7  # the probability that nothing but its denial holds there
_UNKNOWN = 0.3  # of the maximum: the least spread of a score that nothing carries


@dataclass(frozen=True)
class Learning:
    """What was learned so far, for the audit: marks used, and the error on them held out.

    ``error`` is the root mean square of the learned score's error on marked answers, each
    predicted without its own mark, ``before`` that of the prior alone; shares of the maximum.
    """

    marks: int = 0
    error: float | None = None
    before: float | None = None


@dataclass
class Question:
    """A question's answers. ``marks`` by key of the text; ``model`` a sentence model or None.

    ``rehearsal``: the texts are exemplars that the grader is tried on, not a class; that they are
    few says nothing then. ``taught``: marked answers of other questions, which move the prior.
    ``earlier``: what an earlier run of the same texts kept.
    """

    rubric: Rubric
    answers: Sequence[AnswerText]
    prompt: str = ""
    marks: Mapping[str, MarkLine] = field(default_factory=dict)
    model: TokenModel | None = None
    rehearsal: bool = False
    progress: Progress = field(default_factory=Progress)
    taught: Taught | None = None
    earlier: Earlier = field(default_factory=Earlier)
    _broken: str = field(default="", init=False)
    _unmarked: NDArray[np.float64] | None = field(default=None, init=False)

    @cached_property
    def reader(self) -> Reader:
        """What is read of the texts alone."""
        parts = (self.answers, self.prompt, self.model, self.earlier, self.progress)
        return Reader(self.rubric, *parts)

    @property
    def guards(self) -> list[Guard]:
        """What is odd about each answer."""
        return [state for state, _ in self.reader.looked]

    def doubt(self, place: int, line: SuggestionLine, *, plain: bool) -> str:
        """Say why what a function decided of an answer is not sure, or nothing.

        ``plain``: it named no confidence of its own, so that it has not looked at the words.
        """
        state = self.guards[place]
        if not line.awarded:
            return state.blind  # what nobody can read may hold what the function misses
        if state.trick or not plain:
            return state.trick
        clues = self.reader.looked[place][1][line.criterion].clues
        if clues is not None and said_otherwise(clues):
            return "The words are there, but denied: a person looks."
        if state.cautious or state.loose or line.start is None or line.end is None:
            return state.cautious or state.loose
        wrong = any(c.id == line.criterion and c.points < 0 for c in self.rubric.criteria)
        text = self.answers[place].text
        return held_off(text, line.start, line.end, misconception=wrong)

    @cached_property
    def judged(self) -> dict[str, list[Judgement]]:
        """Each criterion's judgement of each answer, by words, meaning and marks together."""
        found: dict[str, list[Judgement]] = {}
        for criterion in self.rubric.criteria:
            by_words = [judgements[criterion.id] for _, judgements in self.reader.looked]
            decided = decide(criterion, by_words, self.reader.senses.get(criterion.id))
            found[criterion.id] = self._by_marks(criterion.id, decided)
        if self.refused is not None and not (self.few and self.rehearsal):
            why = self.few or _UNRELIABLE
            found = {n: [_held(each, why) for each in several] for n, several in found.items()}
        partial = [bool(state.partial) for state in self.guards]  # the note says so already
        if any(partial):
            found = {
                name: [
                    _held(each, "") if part else each
                    for each, part in zip(several, partial, strict=True)
                ]
                for name, several in found.items()
            }
        return found

    @property
    def few(self) -> str:
        """Say that there are too few answers for anything to be sure of, or nothing."""
        count = len(self.answers)
        if count >= FEW:
            return ""
        there = "There is 1 answer" if count == 1 else f"There are {count} answers"
        return f"{there} only: too few to learn from."

    @cached_property
    def _places(self) -> dict[str, int]:
        return {answer.key: place for place, answer in enumerate(self.answers)}

    # -- marks ---------------------------------------------------------------------------------

    def _by_marks(self, name: str, judged: list[Judgement]) -> list[Judgement]:
        """Move the probabilities of one criterion by the marks given so far."""
        marks = {self._places[key]: name in mark.earned for key, mark in self.marks.items()}
        if len(marks) < _LEARN_FROM or self._read is None:
            return judged
        import numpy as np

        from markbook.graders.marked import Telling, learn

        odds = np.array([0.0 if j.probability is None else log_odds(j.probability) for j in judged])
        learned = learn(odds, self._read.places, marks)
        texts = [answer.text for answer in self.answers]
        telling = Telling.of(
            [texts[p] for p, yes in marks.items() if yes],
            [texts[p] for p, yes in marks.items() if not yes],
        )
        found: list[Judgement] = []
        for place, judgement in enumerate(judged):
            if judgement.probability is None or judgement.clues is None:
                found.append(judgement)
                continue
            least, most = bounds(judgement.clues, 1.0)
            moved = min(max(float(learned[place]), least), most)
            new = replace(judgement, probability=moved)
            if abs(moved - judgement.probability) >= _MOVED:
                new = replace(new, note=f"Moved by {len(marks)} marks. {judgement.note}".strip())
            if new.start is None and moved >= 0.5 and (at := telling.clause(texts[place])):
                new = replace(new, start=at[0], end=at[1])
            found.append(new)
        return found

    # -- scores --------------------------------------------------------------------------------

    @cached_property
    def _read(self) -> Read | None:
        if len(self.answers) < FEW:
            return None
        return self.reader.read

    @property
    def features(self) -> Kept | None:
        """The features of the answers, for other questions of the course to learn from."""
        if self._read is None:
            return None
        import numpy as np

        from markbook.graders.learning.taught import Kept

        found = self._read.features
        keys = np.array([answer.key for answer in self.answers])
        return Kept(np.array(found.names), keys, found.values.astype(np.float32))

    @cached_property
    def _learned(self) -> QuestionModel | None:
        if self._read is None:
            return None
        from markbook.graders.learning.model import ScoreModel
        from markbook.graders.learning.prior import Prior

        self.progress.tell("expecting scores")
        try:
            prior = Prior.default(semantic=self.model is not None)
            if self.taught is not None:
                from markbook.graders.learning.taught import teach

                prior = teach(prior, self.taught)
            opened = ScoreModel(prior, self.model).open_read(self._read)
        except (MarkbookError, OSError) as error:
            self._broken = f"The learned score is not available: {error}"
            return None
        if self.marks:
            self._unmarked = opened.predict().mean
            opened.observe({self._places[key]: mark.score for key, mark in self.marks.items()})
        return opened

    @property
    def learns(self) -> bool:
        """Tell whether there are enough answers for a learned score."""
        return self._learned is not None

    @cached_property
    def _predicted(self) -> Prediction | None:
        return None if self._learned is None else self._learned.predict()

    @cached_property
    def learning(self) -> Learning:
        """What was learned so far, with the error on the marks held out."""
        if self._learned is None or not self.marks or self._unmarked is None:
            return Learning(len(self.marks))
        import numpy as np

        held = self._learned.held_out()
        given = np.array([self.marks[self.answers[place].key].score for place in held])
        errors = [
            float(np.sqrt(np.mean((each - given) ** 2)))
            for each in (np.array([m for m, _ in held.values()]), self._unmarked[list(held)])
        ]
        return Learning(len(given), *errors)

    @cached_property
    def refused(self) -> str | None:
        """Why no score of this question should be relied on, or None."""
        if self.rubric.policy == "manual":
            return "This question is left to people (policy: manual)."
        if self._predicted is None:
            return self._broken or self.few
        return self._contradicted or self._predicted.refused

    @property
    def _contradicted(self) -> str:
        """Say that the very same text was marked differently, where that is so too often."""
        from markbook.graders.learning.limits import APART, CONTRADICTING, different_marks

        several = [m for m in self.marks.values() if m.least is not None and m.most is not None]
        apart = [m for m in several if (m.most or 0) - (m.least or 0) > APART]
        if not apart or len(apart) <= CONTRADICTING * len(several):
            return ""
        one = min(apart, key=lambda mark: mark.key)
        text = self.answers[self._places[one.key]].text
        return different_marks(one.most or 0, one.least or 0, text)

    def scores(self, lines: Mapping[str, Mapping[str, float]]) -> Scores:
        """Return what is expected of each answer.

        ``lines`` are the probabilities that were suggested: by key of the text, then by criterion;
        a criterion that is missing counts as a half.
        """
        if not self.answers:
            return Scores(self.refused)
        import numpy as np

        from markbook.graders.expected import expect

        n = len(self.answers)
        mean, sd = np.full(n, 0.5), np.full(n, 10.0)
        if self._predicted is not None:
            mean, sd = self._predicted.mean, self._predicted.sd
        keys = [answer.key for answer in self.answers]
        found = expect(self.rubric, lines, keys, mean, sd, len(self.marks))
        return Scores(self.refused, self._lines(found))

    def held_out(self, lines: Mapping[str, Mapping[str, float]]) -> tuple[list[float], list[bool]]:
        """Score each marked answer without its own mark: how sure, and whether it was right."""
        import numpy as np

        from markbook.graders.expected import expect
        from markbook.graders.learning.heard import NEAR

        held = {} if self._learned is None else self._learned.held_out()
        if len(held) < _LEARN_FROM:
            return [], []
        keys = [self.answers[place].key for place in held]
        mean, sd = np.array(list(held.values())).T
        found = expect(self.rubric, lines, keys, mean, sd, len(held) - 1)
        given = np.array([self.marks[key].score for key in keys])
        right = np.abs(found.suggested - given) <= NEAR
        return found.confidence.tolist(), right.tolist()

    def _lines(self, found: Expected) -> tuple[ScoreLine, ...]:
        ranks = self._ranks(found.sd)
        lines: list[ScoreLine] = []
        usual = float(found.mean.mean())
        for place, answer in enumerate(self.answers):
            mean, sd = float(found.mean[place]), float(found.sd[place])
            suggested, sure = float(found.suggested[place]), float(found.confidence[place])
            state, mark = self.guards[place], self.marks.get(answer.key)
            if mark is not None:
                mean, sd, suggested, sure = mark.score, 0.0, mark.score, 1.0
            elif state.blind or state.trick:
                # Flagged, not rewarded: no more is expected than of the others.
                mean, suggested = min(mean, usual), min(suggested, usual)
                if "prompt-copied" in state.flags:  # that is no answer of its own
                    mean, suggested = min(mean, _NOTHING), min(suggested, _NOTHING)
                sd, sure = max(sd, _UNKNOWN), min(sure, _FLAGGED)
            elif self.refused is not None:
                sure = min(sure, 0.5)
            elif state.partial or state.cautious or self._opposed(place):
                # The rest may say otherwise, or the answer itself does: a person looks.
                sd, sure = max(sd, _UNKNOWN), min(sure, 0.5)
            lines.append(
                ScoreLine(
                    answer.key,
                    round(min(max(mean, 0.0), 1.0), 4),
                    round(min(sd, 1.0), 4),
                    round(min(sure, 1.0), 4),
                    ranks[place],
                    state.flags,
                    round(min(max(suggested, 0.0), 1.0), 4),
                )
            )
        return tuple(lines)

    def _opposed(self, place: int) -> bool:
        """Tell whether an answer denies a criterion while it has its words, and none decided it."""
        for criterion in self.rubric.criteria:
            judgement = self.judged[criterion.id][place]
            clues, p = judgement.clues, judgement.probability
            if clues is None or p is None or criterion.points < 0:
                continue
            if said_otherwise(clues) and _DENIED_FROM <= p <= _DENIED_TO:
                return True
        return False

    def _ranks(self, sd: NDArray[np.float64]) -> list[int]:
        """Return for each answer its place in the order of marking, from 1; marked ones last."""
        marked = {self._places[key] for key in self.marks}
        chosen = list(self._learned.first(_BY_DESIGN)) if self._learned is not None else []
        taken = marked | set(chosen)
        rest = [place for place in range(len(sd)) if place not in taken]
        rest.sort(key=lambda place: (-float(sd[place]), self.answers[place].key))
        order = [*chosen, *rest, *sorted(marked)]
        ranks = [0] * len(order)
        for number, place in enumerate(order, start=1):
            ranks[place] = number
        return ranks


def _held(judgement: Judgement, why: str) -> Judgement:
    """Hold a judgement far below what is accepted unseen, and say why if that changes it."""
    p = judgement.probability
    if p is None or _ABSTAINED <= p <= HELD:
        return judgement
    note = f"{judgement.note} {why}".strip()
    return replace(judgement, probability=min(max(p, _ABSTAINED), HELD), note=note)
