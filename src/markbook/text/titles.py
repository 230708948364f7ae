"""Short plain names for things that are written in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["humanise", "split_title"]

_MARKDOWN = MarkdownIt("commonmark")


def split_title(markdown: str, *, width: int = 90) -> tuple[str, str]:
    """Return a plain title for ``markdown``, and the Markdown that is left below it.

    The title is the heading that the text begins with; it is taken out of the rest. Without one
    it is the first sentence, at most ``width`` characters, and the rest is the whole text.
    """
    tokens = _MARKDOWN.parse(markdown)
    if tokens and tokens[0].type == "heading_open" and tokens[0].map:
        rest = "\n".join(markdown.splitlines()[tokens[0].map[1] :]).strip("\n")
        return _plain(tokens[1]), rest
    for token in tokens:
        if token.type == "inline" and _plain(token):
            return _first_sentence(_plain(token), width), markdown
    return "", markdown


def humanise(name: str) -> str:
    """Return a folder's or a question's name as words: ``sql-returning`` is Sql returning."""
    words = name.replace("_", "-").split("-")
    text = " ".join(word for word in words if word)
    return text[:1].upper() + text[1:]


def _plain(token: Token) -> str:
    parts = [
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in token.children or ()
    ]
    return " ".join("".join(parts).split())


def _first_sentence(text: str, width: int) -> str:
    ends = [text.find(mark) + 1 for mark in ("? ", ". ", "! ") if mark in text]
    sentence = text[: min(ends)] if ends else text
    if len(sentence) <= width:
        return sentence
    return sentence[: width - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
