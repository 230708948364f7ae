"""Where in a paper a known question might be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from markbook.collect.blocks import SEEN
from markbook.collect.similarity import (
    asks,
    ends_open,
    imperative,
    interrogative,
    opens_like_a_question,
    phrase,
    without_notes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markbook.collect.blocks import Line, Style
    from markbook.collect.similarity import Phrasebook, Wording

__all__ = ["Candidate", "continues", "find_candidates", "rest_of_line"]

# Questions wrap, but not over more lines than this.
_MOST_LINES = 10
_MOST_ENDS = 12
# How many lines below a known wording the same question may still go on.
_FAR = 6
# Below this likeness a line is not worth a second look.
LEAST = 0.38
# Nothing else a question contains is this like it unless it is the question.
_SURE = 0.6
# From here on a known wording is there in full, and nothing more of it can follow.
_WHOLE = 0.97
# From here on a text may well be a question to its end, if it does not break off.
_COMPLETE = 0.85
# How much more alike the next line must then make it, to belong to it.
_WRAPPED_GAIN = 0.03
# How much less alike a question may become by the words that it wrapped or went on with.
_WRAPPED_DROP = 0.25

_BOUNDARY = re.compile(
    r"(?P<stop>[?!.:]+[*_`\"')\]\u201d\u2019]*+(?=\s|$|[<|A-Z:\u2013\u2014-]))"
    r"|(?P<gap>\s+(?:[-\u2013\u2014]+|->|=+>?|→|>)\s+|\t+|\s*\||\*\*|__|\s*</[A-Za-z]\w*>"
    r"|\s+(?=[Aa](?:nswer)?:\s))"
)
_LEAD = re.compile(
    r"^(?:\s|\*\*|__|</\w+>|[:|]|[-\u2013\u2014→]+(?=\s)|->|=+>?(?=\s)|\*(?=\s|$)|_(?=\s|$))+"
)
_ANSWER_LABEL = re.compile(
    r"^\s*[*_]*(?:a|ans|answer|antwort|respuesta)[*_]*\s*[:)]", re.IGNORECASE
)
_TRAIL = " \t*_#|=~"
_NOTHING = re.compile(r"^[\s*_#|~=`\"'\\)\].:-]*$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Lines ``first`` to ``last``, up to the column ``stop`` of ``last``, may ask ``question``.

    The answer goes on at column ``resume``; ``inline`` tells whether it does so on that line.
    ``core`` is the last line that the likeness was taken from; the question may go on further.
    ``rival`` is the next likely question of the same lines.
    """

    question: str
    first: int
    last: int
    resume: int
    likeness: float
    text: str
    style: Style
    inline: bool
    title: bool
    core: int = 0
    rival: str = ""
    rival_likeness: float = 0.0


@dataclass(frozen=True, slots=True)
class _End:
    line: int
    stop: int
    resume: int
    text: str
    gap: bool = False  # ended by a dash, a tab, closing bold ... and not by punctuation
    final: bool = False  # the question's own markup ends here

    @property
    def closed(self) -> bool:
        """Whether bold ends here: what follows was set apart from the question on purpose."""
        return (self.gap and _balanced(self.text)) or self.final or self.text.endswith(("**", "__"))


def continues(line: Line, above: Line) -> bool:
    """Tell whether ``line`` can be the same paragraph as the line ``above`` it."""
    if line.blank or line.code or line.rule or _ANSWER_LABEL.match(line.raw):
        return False
    if not line.marked:
        return True
    same = line.style.marker == above.style.marker
    return same and line.style.marker.startswith(("heading", "quote"))


def rest_of_line(raw: str, column: int) -> str:
    """Return what of a line follows its question, without what only separates the two."""
    rest = _LEAD.sub("", raw[column:])
    if not _NOTHING.match(rest) and _NOTHING.match(alone := without_notes(rest)):
        rest = alone
    if raw.lstrip().startswith("|"):
        rest = rest.rstrip().removesuffix("|").rstrip()
    return "" if _NOTHING.match(rest) else rest


def _ends(lines: Sequence[Line], first: int) -> Iterator[_End]:
    before = ""
    span = _span_end(lines, first)
    for number in range(first, min(first + _MOST_LINES, len(lines))):
        line = lines[number]
        if number > first and not continues(line, lines[number - 1]):
            return
        start = line.start if number == first or line.marked else 0
        if span is not None and number == span[0]:
            text = f"{before} {line.raw[start : span[1]].strip()}".strip()
            yield _End(number, span[1], span[2], text, gap=True, final=True)
            return
        for stop, resume in _stops(line.raw, start) if span is None else ():
            piece = line.raw[start:stop].strip()
            gap = resume > stop and resume < len(line.raw.rstrip())
            yield _End(number, stop, resume, f"{before} {piece}".strip(), gap)
        before = f"{before} {line.raw[start:SEEN].strip()}".strip()
        if len(line.raw) > SEEN or len(before) > SEEN:
            return


def _span_end(lines: Sequence[Line], first: int) -> tuple[int, int, int] | None:
    """Return line, column and column after it where the span closes in which a line begins.

    A question that is bold as a whole ends where the bold does, whatever comes next.
    """
    mark = lines[first].closing
    if not mark:
        return None
    close = re.compile(
        re.escape(mark) + r"(?!\w)" if mark[0] in "*_" else re.escape(mark), re.IGNORECASE
    )
    for number in range(first, min(first + _MOST_LINES, len(lines))):
        line = lines[number]
        if number > first and not continues(line, lines[number - 1]):
            return None
        found = close.search(line.raw, line.start if number == first else 0, SEEN)
        if found:
            short = number == first and len(line.raw[line.start : found.start()].split()) < 3
            return None if short else (number, found.start(), found.end())
    return None


def _stops(raw: str, start: int) -> Iterator[tuple[int, int]]:
    length = len(raw.rstrip())
    found = 0
    for match in _BOUNDARY.finditer(raw, start, min(length, SEEN)):
        stop = match.end() if match.group("stop") else match.start()
        if stop > start and rest_of_line(raw, match.end()):
            yield stop, match.end()
            found += 1
            if found == _MOST_ENDS:
                break
    if length <= SEEN:
        yield length, len(raw)


def find_candidates(lines: Sequence[Line], book: Phrasebook) -> list[Candidate]:
    """Return, for each line and each question it may ask, where the question best ends."""
    found: list[Candidate] = []
    for line in lines:
        if line.blank or line.code or line.rule or line.label_only:
            continue
        found += [c for c in _at(lines, line, book) if not _inside_another(c, found, lines)]
    return found


def _inside_another(c: Candidate, found: Sequence[Candidate], lines: Sequence[Line]) -> bool:
    """Tell whether a candidate is but the second line of a wrapped question."""
    line = lines[c.first]
    if line.marked and not (c.first and continues(line, lines[c.first - 1])):
        return False
    opens = opens_like_a_question(c.text)
    for other in reversed(found[-200:]):
        if not other.first < c.first <= other.core:
            continue
        other_opens = opens_like_a_question(other.text)
        if opens and not other_opens:
            continue  # the other one began with the end of an answer
        # A line that begins in the middle of a question may be the more telling half of it.
        half = other.question == c.question and other_opens and not opens
        if other.likeness >= c.likeness - (0.2 if half else 0.0):
            return True
    return False


def _at(lines: Sequence[Line], line: Line, book: Phrasebook) -> list[Candidate]:
    ends: list[_End] = []
    best: dict[str, tuple[_End, float, Wording]] = {}
    for end in _ends(lines, line.number):
        alike = book.likeness(end.text, least=0.2)
        if not alike and end.line > line.number and not best:
            break
        ends.append(end)
        if line.level and end.line > line.number and not asks(end.text):
            continue  # a heading and its answer
        for value, wording in alike:
            current = best.get(wording.question)
            if current is None or _better(end, value, wording, current):
                best[wording.question] = (end, value, wording)
    ranked = sorted(best.values(), key=lambda found: -found[1])
    made: list[Candidate] = []
    for place, (end, value, wording) in enumerate(ranked):
        if value < LEAST:
            break
        rival = ranked[1] if place == 0 and len(ranked) > 1 else ranked[0] if place else None
        whole = _to_the_end(ends, end, (value, wording), book) if place < 3 else end
        made.append(_candidate(lines, line, (end, whole), (value, wording), rival))
    return made


def _to_the_end(
    ends: Sequence[_End], end: _End, match: tuple[float, Wording], book: Phrasebook
) -> _End:
    """Move the end on to where the asking really ends: over a wrap, over further questions."""
    value, wording = match
    later = ends[ends.index(end) + 1 :]
    end = next((found for found in later if _completes(end, found, wording)), end)
    if wording.factor == 1 and value >= _WHOLE and _balanced(end.text):
        return end
    for following in ends[ends.index(end) + 1 :]:
        if following.final:
            return following
        if _completes(end, following, wording) or _goes_on(end, following, wording.question, book):
            end = following
        elif _finished(following.text) or following.line > end.line + _FAR:
            break
    return end


def _completes(end: _End, following: _End, wording: Wording) -> bool:
    """Tell whether the next words are, one by one, those that the known wording ends with."""
    have, longer = (phrase(found.text).norm.split() for found in (end, following))
    known = wording.phrase.norm.split()
    rest = known[len(have) :]
    return not end.closed and bool(rest) and longer[len(have) :] == rest


def _goes_on(end: _End, following: _End, question: str, book: Phrasebook) -> bool:
    """Tell whether the words between two ends still belong to the question."""
    added = following.text[len(end.text) :].strip()
    if end.closed or not added:
        return False
    same_line = following.line == end.line and not following.gap
    if same_line and book.quotes(" ".join(added.split()[:4]), question):
        return True
    if _asks_another(added, question, book):
        return False
    asking = interrogative(added) or imperative(added)
    gain = book.alike(following.text, question) - book.alike(end.text, question)
    complete = _finished(following.text)
    if not _finished(end.text):
        owned = book.owns(added, question) and _breaks_off(end.text)
        if _may_be_whole(end, book.alike(end.text, question), following):
            return owned or gain > _WRAPPED_GAIN
        complete = complete or (not _balanced(end.text) and _balanced(following.text))
        return owned or gain > 0.01 or (complete and (gain > -0.05 or asking))
    complete = complete or book.owns(added, question)
    return asking and (same_line or (complete and gain > -_WRAPPED_DROP))


def _may_be_whole(end: _End, value: float, following: _End) -> bool:
    """Tell whether a question without its mark is over where its line is."""
    wrapped = following.line > end.line and not interrogative(following.text)
    whole = value >= _COMPLETE and _balanced(end.text) and not end.gap
    return wrapped and whole and not _breaks_off(end.text)


def _finished(text: str) -> bool:
    bare = without_notes(text).rstrip("*_`\"')]\u201d\u2019 ")
    return bare.endswith(("?", ".", "!", ":")) and _balanced(text)


def _balanced(text: str) -> bool:
    return text.count("(") <= text.count(")")


def _breaks_off(text: str) -> bool:
    """Tell whether a text stops where no sentence stops: at "of the", or within an order."""
    sentence = re.split(r"[?.!:]\s+", text)[-1]
    return imperative(sentence) or ends_open(sentence)


def _asks_another(text: str, question: str, book: Phrasebook) -> bool:
    return any(wording.question != question for _, wording in book.likeness(text, least=0.7)[:1])


def _candidate(
    lines: Sequence[Line],
    line: Line,
    ends: tuple[_End, _End],
    match: tuple[float, Wording],
    rival: tuple[_End, float, Wording] | None,
) -> Candidate:
    core, end = ends[0].line, _whole_question(lines, ends[1], line)
    return Candidate(
        question=match[1].question,
        first=line.number,
        last=end.line,
        resume=end.resume,
        likeness=match[0],
        text=end.text.rstrip(_TRAIL),
        style=line.style,
        inline=bool(rest_of_line(lines[end.line].raw, end.resume)),
        title=match[1].title and not end.text.rstrip(_TRAIL).endswith("?"),
        core=core,
        rival=rival[2].question if rival else "",
        rival_likeness=rival[1] if rival else 0.0,
    )


def _whole_question(lines: Sequence[Line], end: _End, line: Line) -> _End:
    """Take the rest of the line along where it only goes on asking."""
    raw = lines[end.line].raw
    rest = rest_of_line(raw, end.resume)
    if not rest or len(raw) > SEEN:
        return end
    sentences = [part for part in re.split(r"(?<=[?!.])\s+", rest) if re.search(r"\w", part)]
    asking = all(interrogative(part) for part in sentences)
    ordering = len(sentences) == 1 and imperative(rest) and end.text.rstrip("*_ ").endswith("?")
    if not (asking or ordering) or end.final:
        return end
    return _End(end.line, len(raw), len(raw), end.text + raw[end.stop :].rstrip())


def _better(
    end: _End, value: float, wording: Wording, current: tuple[_End, float, Wording]
) -> bool:
    """Tell whether a question rather ends at ``end``, further on, than where it did so far."""
    before, so_far, _ = current
    gain = value - so_far
    if gain <= (_WRAPPED_GAIN if _may_be_whole(before, so_far, end) else 0.005):
        return False
    finished = _finished(before.text) and not before.text.endswith(":")
    if so_far < _SURE or not finished:
        return True
    # The first sentence was a question already. More of it, or the answer's first words?
    added = end.text[len(before.text) :].strip()
    if interrogative(added) or (not wording.asks and imperative(added)):
        return True
    ending = wording.phrase.norm[len(phrase(before.text).norm) :].strip()
    return fuzz.ratio(phrase(added).norm, ending) >= 85
