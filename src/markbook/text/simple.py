"""Markdown that can be read line by line: paragraphs and flat lists of words.

Most answers and nearly all comments are no more than that. The parser would say the same of them,
ten times slower; of any other text only the parser knows, and ``simple_blocks`` says None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["simple_blocks"]

# The marks of highlights, which Markdown takes for letters; see ``render``.
_MARK = "\U00100000-\U0010fffd"
_OTHER = f"[^\\s\x00-\x7f{_MARK}]"  # letters, signs and emoji beyond ASCII: none means anything
# Emphasis begins and ends at a letter or a digit, where every rule about its neighbours holds.
_EMPHASISED = f"[{_MARK}]*[^\\W_](?:[\\w ,.;:?!'\"()/%{_MARK}-]*[^\\W_])?[{_MARK}]*"
_CODE = f"(?<!`)`(?:[{_MARK}]*[^\\s`{_MARK}](?:[^\n`]*[^\\s`{_MARK}])?[{_MARK}]*)`(?!`)"
_STRONG = rf"(?<!\*)\*\*{_EMPHASISED}\*\*(?!\*)"
_EM = rf"(?<!\*)\*{_EMPHASISED}\*(?!\*)"
_INSIDE = rf"(?<=[^\W_])_(?=[{_MARK}]*[^\W_])"  # between letters it is one of them
_FIRST = f"(?!(?:[0-9][{_MARK}]*){{1,9}}[.)])[^\\W_]|{_OTHER}|[(\"'./$@]|{_CODE}|{_STRONG}|{_EM}"
_WORDS = f"(?:[^\\W_]|{_OTHER}|[ ,.;:?!'\"()/%=+$@#>{{}}^{_MARK}-])++"
_LINE = re.compile(f"[{_MARK}]*+(?:{_FIRST})(?:{_WORDS}|{_INSIDE}|{_CODE}|{_STRONG}|{_EM})*+")
_ITEM = re.compile(r"([-*+]|[0-9]{1,9}[.)]) {1,3}(?=[^ ])")
_SPAN = re.compile(r"`([^`]*)`|\*\*([^*]*)\*\*|\*([^*]*)\*")
_TAGS = ("code", "strong", "em")


def simple_blocks(text: str, show: Callable[[str], str], line_break: str) -> list[str] | None:
    """Return the blocks of HTML of a text that is simple, None of any other.

    ``text`` has no common indentation and no empty lines around it. ``show`` turns a piece of it
    into HTML and is called in their order; ``line_break`` stands for the end of a line.
    """
    if " \n" in text or "\n " in text or text[-1:] == " ":
        return None
    blocks: list[tuple[str, list[str]]] = []
    for chunk in re.split("\n\n+", text):
        found = _read(chunk.split("\n"))
        # An empty line between two lists can make them one whose items are paragraphs.
        if not found or (blocks and blocks[-1][0] != "p" and found[0][0] != "p"):
            return None
        blocks += found
    return [_block(tag, lines, show, line_break) for tag, lines in blocks]


def _read(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return a paragraph, a list or both of them, each with its lines; nothing if not simple."""
    items = [_ITEM.match(line) for line in lines]
    first = next((number for number, item in enumerate(items) if item), len(lines))
    blocks: list[tuple[str, list[str]]] = []
    if first:
        blocks.append(("p", list(lines[:first])))
    marks = [item[1] if item else "" for item in items[first:]]
    if marks:
        if marks[0][:-1] not in {"", "1"} or len({mark[-1:] for mark in marks}) > 1:
            return []
        words = [line[item.end() :] for line, item in zip(lines, items, strict=True) if item]
        blocks.append(("ol" if marks[0][:-1] else "ul", words))
    if all(_LINE.fullmatch(line) for _, some in blocks for line in some):
        return blocks
    return []


def _block(tag: str, lines: list[str], show: Callable[[str], str], line_break: str) -> str:
    shown = [_words(line, show) for line in lines]
    if tag == "p":
        return f"<p>{line_break.join(shown)}</p>\n"
    return f"<{tag}>{''.join(f'<li>{words}</li>{chr(10)}' for words in shown)}</{tag}>\n"


def _words(line: str, show: Callable[[str], str]) -> str:
    if "`" not in line and "*" not in line:
        return show(line)
    parts: list[str] = []
    position = 0
    for span in _SPAN.finditer(line):
        tag = _TAGS[(span.lastindex or 1) - 1]
        parts.append(show(line[position : span.start()]))
        parts.append(f"<{tag}>{show(span[span.lastindex or 1])}</{tag}>")
        position = span.end()
    return "".join([*parts, show(line[position:])])
