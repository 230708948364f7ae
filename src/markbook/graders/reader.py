"""What is read of a question's answers before any mark, each part once for the same texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from markbook.graders.earlier import Earlier, hashed
from markbook.graders.guards import Guard
from markbook.graders.meaning import Judgement, Meaning
from markbook.graders.progress import Progress
from markbook.model import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.graders.answers import AnswerText
    from markbook.graders.learning.features import Read
    from markbook.graders.learning.texts import QuestionTexts
    from markbook.graders.learning.vectors import TokenModel
    from markbook.graders.sense import Sense
    from markbook.model import Rubric
    from markbook.text.groups import Cluster

__all__ = ["Reader"]

_REFERENCES = 12
_GROUPED = 20_000  # characters of an answer that groups are made by


@dataclass
class Reader:
    """Reads all answers to a question; ``earlier`` holds what was read of them before."""

    rubric: Rubric
    answers: Sequence[AnswerText]
    prompt: str = ""
    model: TokenModel | None = None
    earlier: Earlier = field(default_factory=Earlier)
    progress: Progress = field(default_factory=Progress)

    @cached_property
    def looked(self) -> list[tuple[Guard, dict[str, Judgement]]]:
        """What words alone say: for each answer its guard and a judgement of each criterion."""
        from markbook.graders.earlier_parts import pack_looked, unpack_looked

        names = [criterion.id for criterion in self.rubric.criteria]
        return self.earlier.part(
            "words",
            self._key,
            lambda: self._look(names),
            pack_looked,
            lambda kept: unpack_looked(kept, self._texts, names),
        )

    def _look(self, names: Sequence[str]) -> list[tuple[Guard, dict[str, Judgement]]]:
        meaning = Meaning.of(self.rubric, self._texts, self.prompt)
        found: list[tuple[Guard, dict[str, Judgement]]] = []
        for place, text in enumerate(self._texts):
            self.progress.tell("reading words", place, len(self.answers))
            try:
                found.append(meaning.look(text, names))
            except Exception as error:  # noqa: BLE001  (one odd answer must not stop the others)
                note = f"Reading failed with {type(error).__name__}: {error}"
                found.append((Guard(), {name: Judgement(None, note=note) for name in names}))
        return found

    @cached_property
    def senses(self) -> dict[str, Sense]:
        """What a sentence model finds of each criterion; nothing without one."""
        model = self.model
        if model is None or not self.answers:
            return {}
        from markbook.graders.earlier_parts import pack_senses, unpack_senses
        from markbook.graders.sense import sense

        names = [criterion.id for criterion in self.rubric.criteria]
        self.progress.tell("comparing with the criteria")
        return self.earlier.part(
            "senses",
            hashed([model.name, self._key]),
            lambda: sense(model, self.rubric, self._texts, self._asked),
            pack_senses,
            lambda kept: unpack_senses(kept, names, len(self.answers)),
        )

    @cached_property
    def read(self) -> Read:
        """The answers' features and likeness."""
        from markbook.graders.earlier_parts import pack_read, unpack_read
        from markbook.graders.learning.features import read

        self.progress.tell("comparing with the model answer")
        texts, model = self._question, self.model
        name = "" if model is None else model.name
        references = hashed(texts.references)
        return self.earlier.part(
            "read",
            hashed([name, texts.question, references, *texts.answers]),
            lambda: read(texts, model),
            pack_read,
            lambda kept: unpack_read(kept, texts, meant=model is not None),
        )

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """The groups of answers that say the same, by key."""
        from markbook.graders.earlier_parts import pack_clusters, unpack_clusters
        from markbook.text.groups import find_clusters

        keys = [answer.key for answer in self.answers]
        texts = dict(zip(keys, [text[:_GROUPED] for text in self._texts], strict=True))
        return self.earlier.part(
            "groups",
            hashed([*keys, *texts.values()]),
            lambda: find_clusters(texts),
            lambda found: pack_clusters(found, keys),
            lambda kept: unpack_clusters(kept, keys),
        )

    @cached_property
    def _texts(self) -> list[str]:
        return [answer.text for answer in self.answers]

    @cached_property
    def _key(self) -> str:
        """What words say depends on: the rubric, the question, and all answers in their order."""
        return hashed([repr(self.rubric), self.prompt, *self._texts])

    @property
    def _asked(self) -> str:
        return self.prompt or " ".join(self.rubric.asked_as)

    @property
    def _question(self) -> QuestionTexts:
        from markbook.graders.expected import maximum
        from markbook.graders.learning.texts import QuestionTexts

        rubric = self.rubric
        most = maximum(rubric)
        best = [e.text for e in rubric.exemplars if score(rubric, e.earns, points=most) >= most]
        references = [rubric.model_answer] if rubric.model_answer.strip() else []
        said = [" ".join(c.says for c in rubric.criteria if c.points > 0)]
        return QuestionTexts(
            rubric.question,
            self._asked,
            tuple([*references, *best][:_REFERENCES] or said),
            tuple(self._texts),
        )
