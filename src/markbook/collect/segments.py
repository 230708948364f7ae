"""What of a paper stands under which question, and what stands under none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markbook.collect.candidates import continues, rest_of_line
from markbook.collect.framing import Block, join_lines, read_blocks
from markbook.collect.similarity import (
    asks,
    imperative,
    interrogative,
    opens_like_a_question,
    phrase,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.collect.blocks import Line
    from markbook.collect.candidates import Candidate
    from markbook.collect.choosing import Habits
    from markbook.collect.similarity import Phrasebook

__all__ = ["Segments", "cut"]

_KNOWN = 0.8
_SAME = 0.95
# Nobody's answer has this many words in common with the prompt by chance.
_LONG = 8
_EMPTY_ANSWER = re.compile(
    r"^\s*(?:[-*+>#]\s*)*[*_]*"
    r"(?:(?:my answer|answer|ans|antwort|respuesta|response)[*_]*\s*[:.)\]-]*|a[*_]*\s*[:)])?"
    r"[*_]*\s*$",
    re.IGNORECASE,
)
_ANSWERS_BEGIN = re.compile(r"^(?:(?:my|the) )?(?:answers|responses):?$", re.IGNORECASE)
_STUB = re.compile(r"^\s*[*_]*your answer(?: goes)? here\.*[*_]*\s*$", re.IGNORECASE)


@dataclass(slots=True)
class Segments:
    """The answers by question (empty: blank), the texts that asked, and the blocks of none."""

    answers: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


def cut(
    lines: Sequence[Line], chosen: Sequence[Candidate], book: Phrasebook, habits: Habits
) -> Segments:
    """Cut a paper at its questions, which come in the order of the paper."""
    made = Segments()
    if not chosen:
        made.blocks = read_blocks(lines, 0, len(lines), book, front=False)
        return made
    cutter = _Cutter(lines, chosen, book, habits)
    made.blocks += read_blocks(lines, 0, cutter.number_above(chosen[0].first), book, front=True)
    for c, following in zip(chosen, [*chosen[1:], None], strict=True):
        end = following.first if following is not None else len(lines)
        cutter.segment(c, end, made)
    return made


class _Cutter:
    def __init__(
        self,
        lines: Sequence[Line],
        chosen: Sequence[Candidate],
        book: Phrasebook,
        habits: Habits,
    ) -> None:
        self.lines = lines
        self.chosen = chosen
        self.book = book
        self.habits = habits
        self.first_level = min(
            (line.level for line in lines[: chosen[0].first] if line.level and not line.code),
            default=2,
        )
        self.nested = self._answers_are_nested()
        self.gaps = self._gaps()

    def _answers_are_nested(self) -> bool:
        deeper = [
            line.indent > self.lines[c.first].indent
            for c in self.chosen
            if not c.inline and (line := self._after(c.last)) is not None and not self._starts(line)
        ]
        return len(deeper) >= 2 and all(deeper)

    def _gaps(self) -> bool:
        """Whether a blank line follows most questions."""
        gaps = [
            self.lines[c.last + 1].blank
            for c in self.chosen
            if c.last + 1 < len(self.lines) and not c.inline
        ]
        return bool(gaps) and sum(gaps) * 2 >= len(gaps)

    def _starts(self, line: Line) -> bool:
        return any(c.first == line.number for c in self.chosen)

    def _after(self, number: int) -> Line | None:
        for line in self.lines[number + 1 :]:
            if not line.blank and not line.rule:
                return line
        return None

    def segment(self, c: Candidate, end: int, made: Segments) -> None:
        """Cut what stands from the question ``c`` to the next one."""
        rest = rest_of_line(self.lines[c.last].raw, c.resume)
        start = c.last + 1
        if start < end and self.lines[start].underline:
            start += 1
        start, more = self._prompt_goes_on(c, start, end, rest)
        stop = next(
            (n for n in range(start, end) if self._outsider(c, n, end)),
            end,
        )
        kept = self._trimmed(start, stop, before_question=stop < end)
        body = [line.raw for line in kept]
        if rest:  # an answer that begins beside its question keeps its paragraphs apart
            gap = self.lines[start : kept[0].number] if kept else ()
            body = [rest, *("" for line in gap if line.blank), *body]
        answer = join_lines(body)
        made.asked[c.question] = f"{c.text} {more}".strip()
        made.answers[c.question] = "" if _is_blank(answer) else answer
        self._leave(stop, end, c, made)

    def _prompt_goes_on(self, c: Candidate, start: int, end: int, rest: str) -> tuple[int, str]:
        """Skip a paragraph that only asks the same question again, in full or in part."""
        if rest:
            return start, ""
        least, said = (_KNOWN if c.title else _SAME), ""
        while True:
            position = start
            while position < end and self.lines[position].blank:
                position += 1
            stop = position
            while stop < end and not (self.lines[stop].blank or self.lines[stop].code):
                stop += 1
            text = " ".join(line.raw.strip() for line in self.lines[position:stop])
            alike = self.book.likeness(text[:700], least=least) if text else ()
            again = bool(alike) and alike[0][1].question == c.question and self._worded(text, c)
            again = again and not self._part_of(text, c)
            if not (again or self._other_half(text, c)):
                return start, said
            start, said, least = stop, f"{said} {text}".strip(), _SAME

    def _other_half(self, text: str, c: Candidate) -> bool:
        """Tell whether a paragraph is the question's second half, below its first."""
        half = interrogative(text) and self.book.quotes(text[:700], c.question)
        return half and phrase(text).norm not in phrase(c.text).norm

    def _part_of(self, text: str, c: Candidate) -> bool:
        """Tell whether a paragraph only repeats a part of the question as asked above it."""
        part, whole = phrase(text).norm, phrase(c.text).norm
        return part != whole and part in whole

    def _worded(self, text: str, c: Candidate) -> bool:
        """Tell whether a paragraph is the prompt itself, and no statement that resembles it."""
        long = len(text.split()) >= _LONG
        return asks(text) or (long and bool(self.book.likeness(text[:700], least=0.99)))

    def _leave(self, start: int, end: int, c: Candidate, made: Segments) -> None:
        position = start
        while position < end:
            stop = position + 1
            while stop < end and not self._outsider(c, stop, end):
                stop += 1
            part = self._trimmed(position, stop, before_question=False)
            if part:
                heading_only = all(
                    line.blank or line.rule or line.level or line.label_only for line in part
                )
                asking = interrogative(part[0].content) or imperative(part[0].content)
                text = join_lines([line.raw for line in part])
                framing = heading_only and not asking
                made.blocks.append(Block(text, framing, part[0].content if asking else ""))
            position = stop

    def _trimmed(self, start: int, stop: int, *, before_question: bool) -> list[Line]:
        """Return lines without blank edges, rules at their end, and the next question's number."""
        while start < stop and self.lines[start].blank:
            start += 1
        while stop > start and self._is_layout(self.lines[stop - 1]):
            stop -= 1
        return list(self.lines[start:stop])

    def number_above(self, first: int) -> int:
        """Return where a question begins whose number ("Question 3") stands on a line above it."""
        above = first - 1
        while above >= 0 and self.lines[above].blank:
            above -= 1
        numbered = (
            above >= 0 and self.lines[above].label_only and self._is_layout(self.lines[above])
        )
        return above if numbered else first

    def _is_layout(self, line: Line) -> bool:
        if line.code:
            return False
        heading_only = line.label_only and (
            line.level > 0 or line.style.marker.startswith(("label", "number"))
        )
        return line.blank or line.rule or heading_only

    def _outsider(self, c: Candidate, number: int, end: int) -> bool:
        """Tell whether a line begins something that is not the answer to ``c``."""
        line = self.lines[number]
        if line.blank or line.code or line.rule or line.label_only:
            return False
        paragraph = self._paragraph(number, end)
        alike = self.book.likeness(paragraph[:700], least=0.75)
        own = bool(alike) and alike[0][1].question == c.question
        if own or _EMPTY_ANSWER.match(line.raw) or self.book.quotes(paragraph, c.question):
            return False
        if line.level:
            near = line.indent < self.lines[c.first].indent + 4
            return near and self._foreign_heading(c, line, paragraph)
        if self._parting(line) or self._parent(c, line) or self._next_number(c, line, end):
            return True
        if not self._styled_like_questions(c, line):
            return False
        known = bool(alike) and (self.nested or not alike[0][1].title)
        return known or self._foreign_question(c, line, paragraph, end)

    def _paragraph(self, number: int, end: int) -> str:
        parts = [self.lines[number].content.strip()]
        for line in self.lines[number + 1 : min(end, number + 4)]:
            if parts[-1].endswith("?") or not continues(line, self.lines[line.number - 1]):
                break
            parts.append(line.raw.strip())
        whole = " ".join(parts)
        return whole if whole.rstrip("*_ ").endswith("?") else parts[0]

    def _foreign_heading(self, c: Candidate, line: Line, text: str) -> bool:
        level = self.lines[c.first].level
        own = self.book.shares(text, c.question) and not interrogative(text)
        if level:
            if line.level > level:
                main = self.habits.main
                as_asked = main is not None and main.marker == line.style.marker
                return as_asked and interrogative(text)
            return line.level < level or not own
        if line.level <= max(2, self.first_level):
            return not own
        following = self._after(line.number)
        return interrogative(text) or (following is not None and self._starts(following))

    def _parting(self, line: Line) -> bool:
        """Tell whether a line parts a list of questions from the questions with their answers."""
        following = self._after(line.number)
        named = _ANSWERS_BEGIN.match(line.content.strip("*_ "))
        return named is not None and following is not None and self._starts(following)

    def _next_number(self, c: Candidate, line: Line, end: int) -> bool:
        """Tell whether a line has the number between two questions' own, and no list led to it."""
        following = self.lines[end] if end < len(self.lines) else None
        if following is None or not (line.ordinal and line.style == c.style == following.style):
            return False
        before = self.lines[c.first].ordinal
        numbers = (before, line.ordinal, following.ordinal)
        if not all(number.isdigit() for number in numbers):
            return False
        if not int(before) < int(line.ordinal) < int(following.ordinal):
            return False
        between = self.lines[c.last + 1 : line.number]
        return not any(
            other.style == c.style and other.ordinal.isdigit() and int(other.ordinal) <= int(before)
            for other in between
        )

    def _parent(self, c: Candidate, line: Line) -> bool:
        """Tell whether a list item stands above the next question as a section of questions."""
        listed = line.style.marker.startswith(("bullet", "number"))
        shallower = line.indent < self.lines[c.first].indent
        if not (self.nested and listed and shallower):
            return False
        following = self._after(line.number)
        return following is not None and self._starts(following)

    def _styled_like_questions(self, c: Candidate, line: Line) -> bool:
        main = self.habits.main
        styles = [c.style] if main is None else [c.style, main]
        return any(line.style == style for style in styles)

    def _foreign_question(self, c: Candidate, line: Line, text: str, end: int) -> bool:
        asking = interrogative(self._lead(line, text))
        marker = line.style.marker
        if marker == "table":
            return True
        if marker.startswith("number"):
            return (asking or imperative(text)) and self._number_goes_on(c, line)
        if marker.startswith("bullet"):
            apart = self.lines[line.number - 1].blank
            return (asking and (self.nested or apart)) or (self.nested and imperative(text))
        if marker == "label":
            return True
        if marker != "plain" or line.style.bold:
            return asking
        return asking and self._stands_alone(line, text, end)

    def _lead(self, line: Line, text: str) -> str:
        """Return the part of a line that would be its question, if answers stand beside them."""
        if line.style.bold and "**" in line.content:
            return line.content.split("**", 1)[0]
        if self.habits.inline >= 0.5 and opens_like_a_question(text):
            return text[: text.find("?") + 1] or text
        return text

    def _number_goes_on(self, c: Candidate, line: Line) -> bool:
        before, here = self.lines[c.first].ordinal, line.ordinal
        if not (before.isdigit() and here.isdigit()):
            return True
        return int(here) > int(before)

    def _stands_alone(self, line: Line, text: str, end: int) -> bool:
        """Whether a plain question stands as this paper's questions do, and is no mere aside."""
        if not self.lines[line.number - 1].blank or len(text.split()) < 5:
            return False
        if not opens_like_a_question(text) or len(re.findall(r"[?.!](?:\s|$)", text)) > 2:
            return False
        last = line.number
        while last + 1 < end and continues(self.lines[last + 1], line):
            last += 1
        alone = " ".join(ln.raw.strip() for ln in self.lines[line.number : last + 1])
        if self.gaps:
            return alone.rstrip("*_ ").endswith("?") and self._after(last) is not None
        return last > line.number


def _is_blank(answer: str) -> bool:
    return all(
        _EMPTY_ANSWER.match(raw) or _STUB.match(raw) or re.fullmatch(r"[\s\-*_=|#>+.]*", raw)
        for raw in answer.split("\n")
    )
