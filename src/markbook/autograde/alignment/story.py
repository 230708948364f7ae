"""What the steps of alignment share: the telling, and small questions about pieces."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markbook.autograde.alignment.values import Anchor, Piece

__all__ = ["Story", "Told", "claimed", "join", "numbers", "predecessor"]


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence on one master cell."""

    sentence: str
    doubtful: bool = False
    summary: str = ""


@dataclass(slots=True)
class Story:
    """What was done, to be told: sentences by master cell, and code beside its cell."""

    told: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    beside: dict[str, str] = field(default_factory=dict)

    def repair(self, anchor: Anchor, sentence: str, summary: str = "") -> None:
        """Tell of something put right; ``summary`` says it of many cells ("{} lost their id")."""
        self.told[anchor.id].append(Told(sentence, summary=summary))

    def doubt(self, anchor: Anchor, sentence: str) -> None:
        self.told[anchor.id].append(Told(sentence, doubtful=True))


def predecessor(anchor: Anchor, anchors: Sequence[Anchor]) -> Anchor | None:
    return anchors[anchor.order - 1] if anchor.order else None


def claimed(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.owner is not None]


def numbers(group: Iterable[Piece]) -> tuple[int, ...]:
    return tuple(sorted({number for piece in group for number in piece.numbers}))


def join(pieces: Sequence[Piece], between: str) -> None:
    """Put the texts of pieces into the first of them."""
    first, *others = pieces
    for piece in others:
        text = piece.source
        for name, content in piece.attachments.items():
            new = name
            while first.attachments.get(new, content) != content:
                new = f"{piece.number}-{new}"
            first.attachments[new] = content
            text = text.replace(f"attachment:{name}", f"attachment:{new}")
        first.source = f"{first.source}{between}{text}"
        first.more = (*first.more, *piece.numbers)
