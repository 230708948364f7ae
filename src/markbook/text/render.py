"""The one way from a person's text to HTML: Markdown with raw HTML shown as text, then cleaned.

Student text, prompts and comments all pass through here. The result holds only the tags and
attributes of ``ALLOWED_TAGS`` and ``ALLOWED_ATTRIBUTES``: no image, style, script or form, and
links to http, https and mailto only. Nothing here raises, whatever the text.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

from markbook.text.clean import (
    ALLOWED_ATTRIBUTES,
    ALLOWED_CLASSES,
    ALLOWED_TAGS,
    SCHEMES,
    clean_rendered,
)
from markbook.text.controls import visible
from markbook.text.simple import simple_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markdown_it.token import Token

__all__ = [
    "ALLOWED_ATTRIBUTES",
    "ALLOWED_CLASSES",
    "ALLOWED_TAGS",
    "SHOWN",
    "highlight",
    "render_markdown",
]

# Beyond this a text is cut: about 100 printed pages, no answer a person reads.
SHOWN = 200_000
# Beyond this Markdown is not parsed any more, since its worst cases are quadratic.
_PARSED = 20_000
# Longer texts show about the first _BEGINNING characters and fold the rest away.
_LONG = 6_000
_BEGINNING = 1_500
# Where one block alone is too long, so many characters of it stand before the fold.
_FIRST_WORDS = 600
# The parser drops what is nested deeper than 20; texts that come near are shown as they are.
_DEEP = 17

# Marks where a highlight begins and ends while the text passes the parser: private-use
# characters, which Markdown takes for letters. The text's own are replaced before.
_EVENT_BASE = 0x100000
_EVENTS = re.compile("[\U00100000-\U0010fffd]")
_UNSAFE = re.compile("[\ud800-\udfff\U00100000-\U0010ffff]")
_LIST_MARKER = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+")

# A span of the text and what it is evidence for.
Span = tuple[int, int, str]


def render_markdown(text: str) -> str:
    """Return ``text`` as clean HTML, its common indentation removed."""
    return _page(text, (), {}, breaks=False)


def highlight(
    text: str,
    spans: Sequence[Span],
    *,
    labels: Mapping[str, str] | None = None,
    typed: bool = False,
) -> str:
    """Return a student's text as clean HTML with ``<mark data-criterion>`` around ``spans``.

    A span is ``(start, end, criterion)`` in characters of ``text``; spans may overlap, and those
    outside the text or without a word are left out. Line breaks are kept. Where a highlight
    would change how the Markdown is read, the text is shown as it was typed instead. ``labels``
    puts a short raised label at the end of each span of that criterion. ``typed`` text is code:
    it is shown as it was typed.
    """
    return _page(text, spans, labels or {}, breaks=True, typed=typed)


def _page(
    text: str,
    spans: Sequence[Span],
    labels: Mapping[str, str],
    *,
    breaks: bool,
    typed: bool = False,
) -> str:
    safe = _UNSAFE.sub("\ufffd", text)
    cut, safe = len(safe) - SHOWN, safe[:SHOWN]
    snug = _snug_spans(safe, spans)
    try:
        blocks = None if typed else _blocks(safe, snug, labels, breaks=breaks)
    except Exception:  # noqa: BLE001  (whatever a parser thinks of one text, the page is made)
        blocks = None
    if blocks is None:
        blocks = [_plain(safe, snug, labels)]
    rendered = _folded(safe, blocks)
    if cut > 0:
        rendered += f'<p class="notice">The text goes on for {cut:,} more characters.</p>'
    return clean_rendered(rendered)


# --- the text as blocks of HTML ---------------------------------------------------------------


def _blocks(
    text: str, spans: Sequence[Span], labels: Mapping[str, str], *, breaks: bool
) -> list[str] | None:
    """Return one piece of HTML per block, or None where the text must be shown as typed."""
    if len(text) > _PARSED:
        return None
    simple = _simple_blocks(text, spans, labels, breaks=breaks)
    if simple is not None:
        return simple
    tokens = _parse(_dedent(text))
    if any(token.level >= _DEEP for token in tokens):
        return None
    if spans:
        marked = _parse(_dedent(_with_events(text, spans)))
        if list(_skeleton(marked)) != list(_skeleton(tokens)):
            return None
        tokens = marked
    emitter = _Emitter(spans, labels, breaks=breaks)
    blocks = [emitter.render(block) for block in _top_level(tokens)]
    return blocks if emitter.complete else None


def _simple_blocks(
    text: str, spans: Sequence[Span], labels: Mapping[str, str], *, breaks: bool
) -> list[str] | None:
    """Return the blocks of a text that needs no parser; None of any other."""
    marked = _dedent(_with_events(text, spans)).strip("\n")
    emitter = _Emitter(spans, labels, breaks=breaks)
    blocks = simple_blocks(marked, emitter.text, emitter.line_break)
    return blocks if emitter.complete else None


def _plain(text: str, spans: Sequence[Span], labels: Mapping[str, str]) -> str:
    emitter = _Emitter(spans, labels, breaks=True)
    source = _dedent(_with_events(text, spans)).strip("\n")
    return f'<p class="plain">{emitter.text(source)}</p>'


def _folded(text: str, blocks: list[str]) -> str:
    """Put what follows the beginning of a long text into ``<details>``."""
    if len(text) <= _LONG:
        return "".join(blocks)
    head: list[str] = []
    rest = list(blocks)
    while rest and sum(map(len, head)) < _BEGINNING and len(rest[0]) < _LONG:
        head.append(rest.pop(0))
    if not rest:
        return "".join(head)
    if head:
        says = "Show the rest of this long text"
    else:
        beginning = _dedent(text)[:_FIRST_WORDS].rstrip()
        head = [f'<p class="plain beginning">{visible(beginning)} …</p>']
        says = "Show the whole text"
    summary = f"<summary>{says} ({len(text):,} characters in all)</summary>"
    return f'{"".join(head)}<details class="long">{summary}{"".join(rest)}</details>'


def _dedent(text: str) -> str:
    """Remove the indentation that all lines share; tabs in it count four columns."""
    lines = [_spaces(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    lines = ["" if not line.strip() else line for line in lines]
    while lines and not lines[0]:
        lines.pop(0)
    first, rest = lines[:1], [_indent(line) for line in lines[1:] if line]
    # A first line that lost its own indentation on the way: what follows it starts deeper than
    # a later line, which no list does.
    if first and not _indent(first[0]) and rest and rest[0] > min(rest):
        return "\n".join([*first, *(line[min(rest) :] for line in lines[1:])])
    width = min([*(_indent(line) for line in first), *rest], default=0)
    return "\n".join(line[width:] for line in lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _spaces(line: str) -> str:
    body = line.lstrip(" \t")
    return line[: len(line) - len(body)].expandtabs(4) + body


# --- highlights ---------------------------------------------------------------------------------


def _snug_spans(text: str, spans: Sequence[Span]) -> list[Span]:
    """Move each span's ends to its first and last word, so that no Markdown mark is split."""
    snug: list[Span] = []
    for start, end, criterion in spans:
        begin, stop = max(0, start), min(end, len(text))
        line = text.rfind("\n", 0, begin) + 1 if begin else 0
        marker = _LIST_MARKER.match(text, line)
        if marker and begin < marker.end():
            begin = marker.end()
        while begin < stop and not text[begin].isalnum():
            begin += 1
        while stop > begin and not (text[stop - 1].isalnum() or text[stop - 1] in ".!?"):
            stop -= 1
        if begin < stop:
            snug.append((begin, stop, criterion))
    # Each span needs two marks of the 65,533 that there are; nobody reads a thousand highlights.
    return sorted(set(snug))[:1000]


def _with_events(text: str, spans: Sequence[Span]) -> str:
    events: list[tuple[int, int]] = []
    for number, (start, end, _) in enumerate(spans):
        events += [(start, 2 * number + 1), (end, 2 * number)]
    parts: list[str] = []
    position = 0
    for offset, event in sorted(events):
        parts += [text[position:offset], chr(_EVENT_BASE + event)]
        position = offset
    return "".join([*parts, text[position:]])


def _skeleton(tokens: Sequence[Token]) -> Iterator[tuple[str, str, str]]:
    """Yield what the parser made of a text, without its words."""
    for token in tokens:
        if token.children:
            yield from _skeleton(token.children)
        if token.type not in {"text", "inline"}:
            yield token.type, token.tag, f"{token.attrs}{token.info}"


# A heading of a student must not disturb the headings of the page.
_FIXED = {"hardbreak": "<br>\n", "heading_open": "<p><strong>", "heading_close": "</strong></p>\n"}
_AROUND = {
    "text": ("", ""),
    "code_inline": ("<code>", "</code>"),
    "fence": ("<pre><code>", "</code></pre>\n"),
}


class _Emitter:
    """Turns tokens into HTML, keeping track of which highlights are open."""

    def __init__(self, spans: Sequence[Span], labels: Mapping[str, str], *, breaks: bool) -> None:
        self._spans = spans
        self._labels = labels
        self.line_break = "<br>\n" if breaks else "\n"
        self._open: list[int] = []
        self._closed: set[int] = set()
        self._links: list[bool] = []

    @property
    def complete(self) -> bool:
        """Whether every highlight was opened and closed."""
        return not self._open and len(self._closed) == len(self._spans)

    def render(self, tokens: Sequence[Token]) -> str:
        return "".join(self._token(token) for token in tokens)

    def text(self, text: str) -> str:
        parts: list[str] = []
        position = 0
        for match in _EVENTS.finditer(text):
            parts.append(self._piece(text[position : match.start()]))
            parts.append(self._event(ord(match.group()) - _EVENT_BASE))
            position = match.end()
        return "".join([*parts, self._piece(text[position:])])

    def _event(self, event: int) -> str:
        number, opens = divmod(event, 2)
        if opens:
            self._open.append(number)
            return ""
        if number not in self._open:
            return ""
        self._open.remove(number)
        self._closed.add(number)
        label = self._labels.get(self._spans[number][2], "")
        return f"<sup>{html.escape(label)}</sup>" if label else ""

    def _piece(self, piece: str) -> str:
        shown = visible(piece)
        if not self._open or not piece.strip():
            return shown
        ids = dict.fromkeys(self._spans[number][2] for number in self._open)
        return f'<mark data-criterion="{html.escape(" ".join(ids))}">{shown}</mark>'

    def _token(self, token: Token) -> str:
        if token.type in _FIXED:
            return _FIXED[token.type]
        if token.type in {"link_open", "link_close"}:
            return self._link(token)
        if token.type in {"text", "code_inline", "fence"}:
            before, after = _AROUND[token.type]
            return f"{before}{self.text(_words(token))}{after}"
        inner = self.render(token.children or ())
        if token.type == "inline":
            return inner
        if token.type == "image":
            return f"[picture: {inner}]"
        return self.line_break if token.type == "softbreak" else self._tag(token)

    def _tag(self, token: Token) -> str:
        if token.hidden or not token.tag:
            return "" if token.nesting else self.text(token.content)
        if token.nesting == -1:
            return f"</{token.tag}>" + ("\n" if token.block else "")
        start = token.attrs.get("start")
        number = f' start="{start}"' if isinstance(start, int) else ""
        return f"<{token.tag}{number}>"

    def _link(self, token: Token) -> str:
        if token.nesting == -1:
            return "</a>" if self._links and self._links.pop() else ""
        href = str(token.attrs.get("href", ""))
        self._links.append(_leads_out(href))
        return f'<a href="{html.escape(href)}">' if self._links[-1] else ""


def _words(token: Token) -> str:
    """Return a token's text; for a code block with what stands beside its fence, if a sentence."""
    beside = token.info.strip()
    return f"{beside}\n{token.content}" if " " in beside else token.content


def _leads_out(href: str) -> bool:
    """Tell whether a link names a scheme that is allowed, and a host where it needs one."""
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.netloc or parts.scheme == "mailto")


# --- parsing --------------------------------------------------------------------------------------


def _top_level(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting != 1 and token.type != "inline":
            yield block
            block = []
    if block:
        yield block


def _parse(text: str) -> list[Token]:
    return _MARKDOWN.parse(text)


def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"])
    # Indented text is how papers nest their answers, not code. A link definition would swallow
    # a line of the answer.
    return parser.disable(["code", "reference", "html_block", "html_inline"])


_MARKDOWN = _markdown()
