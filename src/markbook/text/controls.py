"""Characters that a reader cannot see, made visible.

Zero-width and bidirectional control characters can hide words from a marker, or show them in an
order in which they do not stand. What a script or an emoji needs of them is left alone. Letters
that look like others are shown with their number where they stand among those.
"""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import islice

__all__ = ["visible", "visible_plain"]

# Invisible, although Unicode calls them letters, marks or symbols.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Candidates only, so that ordinary text costs one scan: controls, format characters, separators,
# private use, variation selectors, tags and whatever else lies beyond the usual letters.
_CANDIDATES = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]+"
)
# Letters that a person takes for Latin ones: a word with one is another word to a program.
_SAME = "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d"
_SAME += "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0405\u0406\u0408"
_SAME += (
    "\u03bf\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_NAMED = 200  # of them in one text: who has seen so many knows
_LOOKALIKE = re.compile(f"[{_SAME}]")
_AMONG_LATIN = re.compile(f"(?<=[A-Za-z])[{_SAME}]+|[{_SAME}]+(?=[A-Za-z])")
# A longer run is named once and counted: a page of zero-width spaces stays one short mark.
_RUN = 3


def visible(text: str) -> str:
    """Return ``text`` escaped for HTML, hidden characters as ``<span class="ctl">U+202E</span>``.

    A tab and a line feed stay as they are. Behind a Cyrillic or Greek letter that stands in a Latin
    word and looks like one of its own, there is such a mark, too.
    """
    if text.isascii() or not _LOOKALIKE.search(text):
        return _visible(text)
    parts: list[str] = []
    position = 0
    for found in islice(_AMONG_LATIN.finditer(text), _NAMED):
        parts += [_visible(text[position : found.end()]), _marks(list(found.group()))]
        position = found.end()
    return "".join([*parts, _visible(text[position:])])


def _visible(text: str) -> str:
    parts: list[str] = []
    position = 0
    for run in _CANDIDATES.finditer(text):
        parts.append(html.escape(text[position : run.start()]))
        parts.append(_run(text, run.start(), run.end()))
        position = run.end()
    parts.append(html.escape(text[position:]))
    return "".join(parts)


def visible_plain(text: str) -> str:
    """Return ``text`` for a terminal: hidden and control characters as ``[U+001B]``."""
    return html.unescape(re.sub(r'<span class="ctl">(.*?)</span>', r"[\1]", visible(text)))


def _run(text: str, start: int, end: int) -> str:
    shown: list[str] = []
    hidden: list[str] = []
    for index in range(start, end):
        if _hidden(text, index):
            hidden.append(text[index])
        else:
            shown += [_marks(hidden), html.escape(text[index])]
            hidden = []
    return "".join([*shown, _marks(hidden)])


def _marks(hidden: list[str]) -> str:
    if not hidden:
        return ""
    names = "".join(_mark(f"U+{ord(character):04X}") for character in hidden[:_RUN])
    more = len(hidden) - _RUN
    return names + (_mark(f"and {more:,} more hidden characters") if more > 0 else "")


def _mark(name: str) -> str:
    return f'<span class="ctl">{name}</span>'


def _hidden(text: str, index: int) -> bool:
    character = text[index]
    before = text[index - 1] if index else ""
    after = text[index + 1] if index + 1 < len(text) else ""
    if character in _JOINERS:
        return not (_joins(before) and _joins(after))
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        # Text or emoji style of the symbol before it; anything else carries hidden data.
        return not (character in "\ufe0e\ufe0f" and before and not before.isalpha())
    if character in _BLANK_LETTERS:
        return True
    return unicodedata.category(character) in _HIDDEN_CATEGORIES


def _joins(neighbour: str) -> bool:
    """Tell whether a joiner beside ``neighbour`` means something: emoji, Arabic, Indic scripts."""
    if not neighbour:
        return False
    if neighbour == "\ufe0f" or "\U0001f3fb" <= neighbour <= "\U0001f3ff":
        return True
    category = unicodedata.category(neighbour)
    # Below U+0600 there are Latin, Greek, Cyrillic, Armenian and Hebrew, which never join.
    return category == "So" or (category[0] in "LM" and neighbour >= "\u0600")
