"""The grader that a grader notebook drives."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markbook.errors import GraderError
from markbook.graders.answers import RULE_CONFIDENCE, AnswerText, Evidence, widen
from markbook.graders.earlier import Earlier
from markbook.graders.guards import READ_LIMIT
from markbook.graders.lines import (
    MarkLine,
    Scores,
    SuggestionLine,
    evidence_problem,
    read_answers,
    read_marks,
    write_scores,
    write_suggestions,
)
from markbook.graders.methods import METHODS_NAME, write_methods
from markbook.graders.phrases import Vocabulary
from markbook.graders.progress import PROGRESS_NAME, Progress
from markbook.graders.question import HELD, Question
from markbook.graders.tokens import clauses
from markbook.rubrics import load_rubric
from markbook.text.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from markbook.graders.learning.taught import Taught
    from markbook.graders.learning.vectors import TokenModel
    from markbook.graders.meaning import Judgement
    from markbook.graders.tokens import Clause
    from markbook.model import Rubric

    Rule = Callable[[AnswerText], Evidence | bool | None]

__all__ = [
    "FEATURES_NAME",
    "MARKS_NAME",
    "REHEARSAL_NAME",
    "SCORES_NAME",
    "TAUGHT_NAME",
    "Grader",
]

_AWARD_FROM = 0.7  # probability from which a criterion is suggested as earned
_REFUSE_TO = 0.3  # and up to which as not earned; in between the grader abstains
_HELD = 0.6  # the most that a rule is sure of in a text that is a trick or denies it
_WIDENED = READ_LIMIT + 500  # characters in which a quotation is widened to whole clauses
_PROMPT_NAME = "prompt.md"
MARKS_NAME = "marks.jsonl"
SCORES_NAME = "scores.jsonl"
REHEARSAL_NAME = "rehearsal"
TAUGHT_NAME = "taught.npz"
FEATURES_NAME = "features.npz"


class Grader:
    """Collects suggestions for all answers to one question, then writes and draws them."""

    def __init__(  # noqa: PLR0913  (what a run is given, each with a default)
        self,
        answers: Iterable[AnswerText],
        rubric: Rubric,
        *,
        output: Path | None = None,
        prompt: str = "",
        marks: Iterable[MarkLine] = (),
        model: TokenModel | None = None,
        rehearsal: bool = False,
        progress: Progress | None = None,
        taught: Taught | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        """Take answers, a rubric, the marks given so far, and a sentence model where there is one.

        Of fewer than five answers nothing is sure, unless it is a ``rehearsal``: exemplars that
        the grader is tried on. ``progress`` hears how far it is; ``taught`` are marked answers of
        other questions, which move what is expected before any mark; ``earlier`` is what an
        earlier run read of the same texts. Raises ``GraderError`` for a mark of a text that is
        not among the answers.
        """
        self.answers: tuple[AnswerText, ...] = tuple(answers)
        self.rubric = rubric
        self._output = output
        by_key = {mark.key: mark for mark in marks}
        unknown = sorted(by_key.keys() - {answer.key for answer in self.answers})
        if unknown:
            raise GraderError(f"The mark of {unknown[0]!r} is of no answer.", hint="Leave it out.")
        self._progress = progress or Progress()
        parts = (prompt, by_key, model, rehearsal, self._progress, taught, earlier or Earlier())
        self.question = Question(rubric, self.answers, *parts)
        self.scores = Scores()
        self.held_out: tuple[list[float], list[bool]] = ([], [])
        self._chances: dict[str, dict[str, float]] = {}
        self._lines: dict[tuple[str, str], SuggestionLine] = {}
        self._methods: dict[str, str] = {}

    @classmethod
    def open(cls, answers: str | Path, rubric: str | Path, suggestions: str | Path) -> Grader:
        """Open the answers (JSON lines) and the rubric (YAML); ``finish`` writes suggestions.

        A ``prompt.md`` beside the answers is taken as the question's text, whose words count
        for little in an answer; ``marks.jsonl`` holds the marks that people gave so far. A file
        ``rehearsal`` tells that the answers are exemplars and no class, ``taught.npz`` holds
        marked answers of other questions as features. ``features.npz`` holds what the last run
        read of the same texts, and is written again for the next run and for other questions.
        The sentence model is used where it is installed. A file ``progress.json`` is kept up to
        date where there is one. Raises ``GraderError``, ``RubricError`` and ``InputError``.
        """
        from markbook.graders.learning.semantic import open_token_model
        from markbook.graders.learning.taught import Taught

        path = Path(answers)
        vocabulary = Vocabulary()
        found = [
            AnswerText(line.key, line.text, line.count, vocabulary) for line in read_answers(path)
        ]
        prompt, given = path.with_name(_PROMPT_NAME), path.with_name(MARKS_NAME)
        read = load_rubric(Path(rubric))
        marks: tuple[MarkLine, ...] = ()
        if given.is_file():
            marks = read_marks(given, {a.key for a in found}, [c.id for c in read.criteria])
        rehearsal = path.with_name(REHEARSAL_NAME).is_file()
        # Exemplars are few, and who runs them says that they are tried.
        progress = Progress(None if rehearsal else path.with_name(PROGRESS_NAME).resolve())

        def tell(done: int, total: int) -> None:
            progress.tell("reading meanings", done, total)

        return cls(
            found,
            read,
            output=Path(suggestions),
            prompt=prompt.read_text(encoding="utf-8") if prompt.is_file() else "",
            marks=marks,
            model=open_token_model(tell=tell) if read.policy != "manual" else None,
            rehearsal=rehearsal,
            progress=progress,
            taught=Taught.read(path.with_name(TAUGHT_NAME)),
            earlier=None if rehearsal else Earlier(path.with_name(FEATURES_NAME)),
        )

    def criterion(self, name: str, *, otherwise: str = "abstain") -> Callable[[Rule], Rule]:
        """Decorate the function that decides the criterion ``name``, and run it on all answers.

        The function gets an ``AnswerText`` and returns ``Evidence`` (earned, with a quotation),
        True or False (earned or not, without one), or None. ``otherwise`` says what None is
        taken for: ``"abstain"``, ``"meaning"`` (ask the criterion's evidence phrases) or
        ``"refuse"`` (not earned). An exception on one answer is noted there; the rest go on.

        Raises ``GraderError`` for a criterion that the rubric lacks, or one decided twice.
        """
        self._require(name)
        if otherwise not in {"abstain", "meaning", "refuse"}:
            raise GraderError(
                f"otherwise={otherwise!r} is not known.", hint="Use abstain, meaning or refuse."
            )

        def decorate(rule: Rule) -> Rule:
            for place in range(len(self.answers)):
                self._put(self._apply(name, rule, place, otherwise))
            self._methods[name] = f"rule {getattr(rule, '__name__', 'function')}"
            return rule

        return decorate

    def meaning(self) -> None:
        """Decide every criterion that no function decides, by its evidence and the exemplars."""
        names = [c.id for c in self.rubric.criteria if c.id not in self._methods]
        for place in range(len(self.answers)):
            for line in self._by_meaning(place, names):
                self._put(line)
        self._methods.update(dict.fromkeys(names, "meaning"))

    @property
    def suggestions(self) -> tuple[SuggestionLine, ...]:
        """What was found so far, by answer, then in the rubric's order."""
        order = [(a.key, c.id) for a in self.answers for c in self.rubric.criteria]
        return tuple(self._lines[pair] for pair in order if pair in self._lines)

    @property
    def methods(self) -> dict[str, str]:
        """How each criterion was decided."""
        return dict(self._methods)

    def finish(self) -> Any:
        """Write the suggestions atomically and return a drawing of them for the notebook.

        Criteria that nothing decided are abstentions. Raises ``GraderError`` when a piece of
        evidence is not verbatim; nothing is written then.
        """
        for answer in self.answers:
            for criterion in self.rubric.criteria:
                missing = _abstain(answer.key, criterion.id, "Nothing decides this criterion.")
                self._lines.setdefault((answer.key, criterion.id), missing)
        texts = {answer.key: answer.text for answer in self.answers}
        for line in self.suggestions:
            problem = evidence_problem(line.span, line.start, line.end, texts[line.key])
            if problem:
                raise GraderError(f"Criterion {line.criterion!r}: {problem}.")
        self.scores = self.question.scores(self._chances)
        self.held_out = self.question.held_out(self._chances)
        if self._output is not None:
            write_scores(self._output.with_name(SCORES_NAME), self.scores)
            write_suggestions(self._output, self.suggestions)
            write_methods(self._output.with_name(METHODS_NAME), self._methods)
        from markbook.graders.drawing import Drawing

        self._progress.tell("drawing the report")
        drawn = Drawing.of(self)  # groups are found for it, and kept as well
        if self._output is not None:
            self._keep(self._output.with_name(FEATURES_NAME))
        return drawn

    # -- inside --------------------------------------------------------------------------------

    def _keep(self, path: Path) -> None:
        """Write what was read of the texts for the next run; a rehearsal is none of the class."""
        kept, earlier = self.question.features, self.question.earlier
        if kept is None or self.question.rehearsal:
            return
        if earlier.made or not path.is_file():
            write_atomic(path, earlier.to_bytes(vars(kept)), durable=False)

    def _require(self, name: str) -> None:
        known = [c.id for c in self.rubric.criteria]
        if name not in known:
            raise GraderError(
                f"The rubric of {self.rubric.question!r} has no criterion {name!r}.",
                hint=f"It has these: {', '.join(known)}.",
            )
        if name in self._methods:
            raise GraderError(f"The criterion {name!r} is decided twice.", hint="Drop one of them.")

    def _put(self, line: SuggestionLine) -> None:
        self._lines[line.key, line.criterion] = line

    def _apply(self, name: str, rule: Rule, place: int, otherwise: str) -> SuggestionLine:
        answer = self.answers[place]
        try:
            verdict = rule(answer)
            line = _of_verdict(name, verdict, answer)
        except Exception as error:  # noqa: BLE001  (a teacher's rule may raise anything)
            return _abstain(answer.key, name, f"The rule raised {type(error).__name__}: {error}")
        if verdict is not None:
            return self._minded(line, place)
        if otherwise == "abstain":
            return line
        if otherwise == "refuse":
            line = SuggestionLine(answer.key, name, awarded=False, confidence=RULE_CONFIDENCE)
            return self._minded(line, place)
        return self._by_meaning(place, [name])[0]

    def _minded(self, line: SuggestionLine, place: int) -> SuggestionLine:
        """Hold a rule back where the text is a trick, cannot be read, or takes back its words."""
        if self.rubric.policy != "manual":
            plain = line.confidence == RULE_CONFIDENCE
            if reason := self.question.doubt(place, line, plain=plain):
                held = min(line.confidence, _HELD)
                line = replace(line, confidence=held, note=f"{line.note} {reason}".strip()[:500])
        few = self.question.few
        if few and not self.question.rehearsal and line.confidence > HELD:
            line = replace(line, confidence=HELD, note=f"{line.note} {few}".strip()[:500])
        chance = line.confidence if line.awarded else 1 - line.confidence
        self._chances.setdefault(line.key, {})[line.criterion] = chance
        return line

    def _by_meaning(self, place: int, names: Sequence[str]) -> list[SuggestionLine]:
        answer = self.answers[place]
        if self.rubric.policy == "manual":
            note = "This question is left to people (policy: manual)."
            return [_abstain(answer.key, name, note) for name in names]
        found: list[SuggestionLine] = []
        for name in names:
            judged = self.question.judged[name][place]
            if judged.probability is not None:
                self._chances.setdefault(answer.key, {})[name] = judged.probability
            found.append(_of_judgement(name, judged, answer))
        return found


def _abstain(key: str, criterion: str, note: str) -> SuggestionLine:
    return SuggestionLine(key, criterion, None, 0.0, note=note[:500])


def _of_verdict(name: str, verdict: object, answer: AnswerText) -> SuggestionLine:
    if verdict is None:
        return _abstain(answer.key, name, "The rule found nothing.")
    if isinstance(verdict, bool):
        return SuggestionLine(answer.key, name, awarded=verdict, confidence=RULE_CONFIDENCE)
    if not isinstance(verdict, Evidence):
        raise TypeError(f"it returned {verdict!r}, not Evidence, True, False or None")
    problem = evidence_problem(verdict.span, verdict.start, verdict.end, answer.text)
    if problem:
        raise ValueError(problem)
    confidence = float(verdict.confidence)
    if not 0 <= confidence <= 1:
        raise ValueError(f"the confidence {confidence} is not between 0 and 1")
    return SuggestionLine(
        answer.key,
        name,
        True,
        confidence,
        verdict.span,
        verdict.start,
        verdict.end,
        verdict.note[:500],
    )


@lru_cache(maxsize=1)  # an answer's criteria are asked for one after the other
def _clauses(text: str) -> tuple[Clause, ...]:
    return clauses(text)


def _of_judgement(name: str, judged: Judgement, answer: AnswerText) -> SuggestionLine:
    p = judged.probability
    if p is None:
        return _abstain(answer.key, name, judged.note)
    span = start = end = None
    if judged.start is not None and judged.end is not None:
        start, end = widen(_clauses(answer.text[:_WIDENED]), judged.start, judged.end)
        span = answer.text[start:end]
    if _REFUSE_TO < p < _AWARD_FROM:
        note = f"Undecided (probability {p:.2f}). {judged.note}".strip()
        return SuggestionLine(answer.key, name, None, 0.0, span, start, end, note)
    awarded = p >= _AWARD_FROM
    confidence = round(p if awarded else 1 - p, 4)
    if not awarded:
        span = start = end = None
    return SuggestionLine(answer.key, name, awarded, confidence, span, start, end, judged.note)
