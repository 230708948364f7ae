"""A paper as lines: which marker each begins with, how deep it stands, whether it is code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Line", "Style", "front_matter_end", "read_lines"]

# Questions are found at the start of a line; what stands further right is never looked at.
SEEN = 700
_TAB = 4
# What stands beside a fence around a whole paper and is not a student's word.
_PAPER = frozenset({"", "md", "markdown", "text", "txt", "plain", "plaintext"})

_FENCE = re.compile(r"^[ \t]*(?:>[ \t]*|[-*+][ \t]+)*(`{3,}(?!.*`)|~{3,})[ \t]*(\S.*)?$")
_RULE = re.compile(r"^[ \t]*(?:(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,}|={3,}|—{2,})$")
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_MARKERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("quote", re.compile(r">[ \t\xa0]?")),
    ("heading", re.compile(r"(#{1,6})(?:[ \t\xa0]+|(?=[^#\s]))")),
    ("box", re.compile(r"\[[ xX]\][ \t\xa0]+")),
    ("bullet", re.compile(r"([-*+•◦▪‣·○●\u2013\u2014])[ \t\xa0]+|([•◦▪‣●])(?=\S)|([-*+])$")),
    (
        "number",
        re.compile(
            r"[\\(\[]?(\d{1,3}(?:\.\d{1,2}){0,3}|[ivxIVX]{1,5}(?=[.)])|[A-Za-z](?=[.)]))"
            r"(?:\\?[.)\]:]+|[ \t\xa0]+[-\u2013\u2014]|(?<=\d)(?=[ \t\xa0]))"
            r"(?:[ \t\xa0]+|$|(?=[*_A-Z\"\u201c`]))"
        ),
    ),
    (
        "label",
        re.compile(
            r"(?:(?:question|task|exercise|problem|prompt|frage|aufgabe|pregunta)\b[ \t\xa0]*"
            r"(?:no\.?|nr\.?|number|#)?[ \t\xa0]*(?:\d+(?:\.\d+)*)?[a-h]?|q[ \t\xa0]*\d*)"
            r"(?:[ \t\xa0]*(?:[.):|]|[-\u2013\u2014](?=\s))+[ \t\xa0]*"
            r"|[ \t\xa0]*(?=[*_]*[ \t]*$)|[ \t\xa0]+(?=[*_]))",
            re.IGNORECASE,
        ),
    ),
    ("bold", re.compile(r"(?:\*\*\*|___|\*\*|__|\*(?=\S)|_(?=\S)|~~|==)")),
    ("heading", re.compile(r"<h([1-6])\b[^<>]*>", re.IGNORECASE)),
    (
        "html",
        re.compile(r"<(?:b|strong|u|i|em|p|summary|details|li|dt|font|span)[^<>]*>", re.IGNORECASE),
    ),
    ("table", re.compile(r"\|[ \t\xa0]*")),
    (
        "points",
        re.compile(
            r"[\[(][ \t\xa0]*\d+(?:\.\d+)?[ \t\xa0]*(?:p|pts?|points?|marks?)\.?[ \t\xa0]*[\])]"
            r"[ \t\xa0]*",
            re.IGNORECASE,
        ),
    ),
    ("sign", re.compile("[\u2600-\u27bf\U0001f300-\U0001faff\ufe0f\u00bf→»►▶]+[ \t\xa0]*")),
    ("mark", re.compile("[\"'`\u201c\u201d\u201e\xab\u2018]+")),
)
_STRUCTURAL = ("quote", "heading", "bullet", "number", "label", "html", "table")


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is marked: its first marker (with level or sign), bold or not, and its depth."""

    marker: str
    bold: bool
    depth: int

    @property
    def relaxed(self) -> Style:
        """The same without bold: students set some questions bold and forget others."""
        return Style(self.marker, False, self.depth)


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line.

    ``start`` is where its own words begin; ``level`` is 0 off headings; ``closing`` is what ends
    the span (bold, italic, an HTML tag) in which the words begin.
    """

    number: int
    raw: str
    style: Style
    start: int
    indent: int
    level: int = 0
    ordinal: str = ""
    closing: str = ""
    code: bool = False
    rule: bool = False
    underline: bool = False

    @property
    def content(self) -> str:
        return self.raw[self.start : SEEN]

    @property
    def blank(self) -> bool:
        return not self.raw.strip()

    @property
    def marked(self) -> bool:
        """Whether the line begins a block of its own, so that it continues nothing above it."""
        return self.style.marker != "plain" or self.level > 0

    @property
    def label_only(self) -> bool:
        """Whether the line is a marker and nothing else (``Question 3:``, ``4.``, ``-``)."""
        return not self.blank and not self.code and not re.search(r"\w", self.raw[self.start :])


def _indent(raw: str) -> int:
    columns = 0
    for character in raw:
        if character == "\t":
            columns += _TAB - columns % _TAB
        elif character in " \u00a0":
            columns += 1
        else:
            break
    return columns


def _depth(marker: str, indent: int) -> int:
    # A list nests from two columns on, other text only where Markdown would make it code.
    return indent // 2 if marker.startswith(("bullet", "number")) else indent // _TAB


def _markers(raw: str) -> tuple[list[tuple[str, re.Match[str]]], int]:
    """Peel the markers off the start of a line; return them and where the words begin."""
    text = raw[:SEEN]
    position = len(text) - len(text.lstrip())
    found: list[tuple[str, re.Match[str]]] = []
    for _ in range(8):
        for name, pattern in _MARKERS:
            match = pattern.match(text, position)
            if match and match.end() > position:
                found.append((name, match))
                position = match.end()
                position += len(text[position:]) - len(text[position:].lstrip(" \t\xa0"))
                break
        else:
            break
    return found, position


def _level(heading: re.Match[str]) -> int:
    digit = heading.group(1)
    return int(digit) if digit.isdigit() else len(digit)


def _named(name: str, match: re.Match[str]) -> str:
    if name == "heading":
        return f"heading{_level(match)}"
    if name == "bullet":
        return "bullet" + next(group for group in match.groups() if group)
    if name == "number":
        last = match.group().rstrip()[-1]
        return "number" + (last if last in ".):" else "")
    return name


def _plain_line(number: int, raw: str) -> Line:
    indent = _indent(raw)
    return Line(number, raw, Style("plain", False, _depth("plain", indent)), 0, indent)


def _read_line(number: int, raw: str) -> Line:
    if not raw.strip():
        return _plain_line(number, raw)
    if _RULE.match(raw[:SEEN]) or (_TABLE_RULE.match(raw[:SEEN]) and "|" in raw):
        line = _plain_line(number, raw)
        return Line(number, raw, line.style, len(raw), line.indent, rule=True)
    found, start = _markers(raw)
    structural = [(name, match) for name, match in found if name in _STRUCTURAL]
    marker = _named(*structural[0]) if structural else "plain"
    bold = any(name == "bold" for name, _ in found)
    indent = _indent(raw)
    level = next((_level(match) for name, match in found if name == "heading"), 0)
    ordinal = next((match.group(1) for name, match in found if name == "number"), "")
    style = Style(marker, bold, _depth(marker, indent))
    return Line(number, raw, style, start, indent, level, ordinal, _closing_mark(found))


def _closing_mark(found: Sequence[tuple[str, re.Match[str]]]) -> str:
    """Return what closes the innermost span that the markers of a line leave open."""
    closing: list[str] = []
    for name, match in found:
        if name == "bold":
            mark = match.group()
            if mark in closing:
                closing.remove(mark)
            else:
                closing.append(mark)
        elif tag := re.match(r"<(\w+)", match.group()):
            closing.append(f"</{tag.group(1)}>")
    return closing[-1] if closing else ""


def _fenced(raws: list[str]) -> list[bool]:
    """Tell which lines stand in a code fence, the fence lines included.

    A fence that is never closed, or in which another one opens with a language, was a slip: it
    must not swallow the questions below it.
    """
    inside = [False] * len(raws)
    position = 0
    fences = [_FENCE.match(raw[:SEEN]) for raw in raws]
    while position < len(raws):
        opening = fences[position]
        if opening is None:
            position += 1
            continue
        end = _closing(fences, position)
        if end is None:
            position += 1
            continue
        for line in range(position, end + 1):
            inside[line] = True
        position = end + 1
    return inside


def _wrapper(raws: list[str], inside: list[bool]) -> tuple[int, ...]:
    """Return the first and last line of a fence around the whole paper, if there is one."""
    filled = [number for number, raw in enumerate(raws) if raw.strip()]
    if not filled or not all(inside[filled[0] : filled[-1] + 1]):
        return ()
    end = _closing([_FENCE.match(raw[:SEEN]) for raw in raws], filled[0])
    return (filled[0], filled[-1]) if end == filled[-1] else ()


def _closing(fences: list[re.Match[str] | None], start: int) -> int | None:
    opening = fences[start]
    if opening is None:
        return None
    mark = opening.group(1)
    for position in range(start + 1, len(fences)):
        fence = fences[position]
        if fence is None or fence.group(1)[0] != mark[0]:
            continue
        if fence.group(2):
            return None
        if len(fence.group(1)) >= len(mark):
            return position
    return None


def read_lines(text: str) -> list[Line]:
    """Read the lines of a paper (line feeds only), numbered from 0."""
    raws = text.split("\n")
    inside = _fenced(raws)
    wrapper = _wrapper(raws, inside)
    if wrapper:
        first, last = wrapper
        opening = _FENCE.match(raws[first][:SEEN])
        if opening and (opening.group(2) or "").strip().lower() not in _PAPER:
            wrapper = (last,)
        inside = [False] * (first + 1) + _fenced(raws[first + 1 : last])
        inside += [False] * (len(raws) - len(inside))
    lines: list[Line] = []
    for number, raw in enumerate(raws):
        if number in wrapper:
            lines.append(Line(number, raw, _plain_line(number, raw).style, len(raw), 0, rule=True))
            continue
        if inside[number]:
            plain = _plain_line(number, raw)
            lines.append(Line(number, raw, plain.style, plain.start, plain.indent, code=True))
            continue
        line = _read_line(number, raw)
        above = lines[-1] if lines else None
        underlines = _UNDERLINE.match(raw[:SEEN]) and above is not None and _can_underline(above)
        if underlines and above is not None:
            level = 1 if "=" in raw else 2
            style = Style(f"setext{level}", above.style.bold, above.style.depth)
            lines[-1] = Line(above.number, above.raw, style, above.start, above.indent, level)
            line = Line(number, raw, line.style, len(raw), line.indent, rule=True, underline=True)
        lines.append(line)
    return lines


def _can_underline(above: Line) -> bool:
    return not (above.blank or above.code or above.rule or above.level) and (
        above.style.marker in ("plain", "number.", "number)", "label")
    )


def front_matter_end(lines: list[Line]) -> int:
    """Return how many lines the paper's front matter takes (0 without any)."""
    if not lines or lines[0].raw.strip() != "---":
        return 0
    for position in range(1, min(len(lines), 40)):
        raw = lines[position].raw.strip()
        if raw in ("---", "..."):
            return position + 1 if position > 1 else 0
        if raw and not re.match(r"^(?:[\w .-]{1,40}:|[-#] ?)", raw):
            return 0
    return 0
