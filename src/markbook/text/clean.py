"""The one sanitiser: of people's text as it was rendered, and of HTML that a program wrote."""

from __future__ import annotations

import html
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import nh3

from markbook.text.controls import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ALLOWED_ATTRIBUTES",
    "ALLOWED_CLASSES",
    "ALLOWED_TAGS",
    "OUTPUT_TAGS",
    "SCHEMES",
    "clean_html",
    "clean_rendered",
]

ALLOWED_TAGS = frozenset(
    "a blockquote br code del details em hr li mark ol p pre span strong summary sup table tbody"
    " td th thead tr ul".split()
)
ALLOWED_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href"}),
    "ol": frozenset({"start"}),
    "mark": frozenset({"data-criterion"}),
}
ALLOWED_CLASSES: Mapping[str, frozenset[str]] = {
    "p": frozenset({"beginning", "notice", "plain"}),
    "span": frozenset({"ctl"}),
    "details": frozenset({"long"}),
}
SCHEMES = frozenset({"http", "https", "mailto"})

# What the HTML of a program's output may be made of: tables, lists and words.
OUTPUT_TAGS = frozenset(
    "b blockquote br caption code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i kbd li ol p pre s samp"
    " small span strong sub sup table tbody td tfoot th thead tr u ul var".split()
)
_OUTPUT_TAGS = set(OUTPUT_TAGS)
_OUTPUT_ATTRIBUTES = {tag: {"colspan", "rowspan"} for tag in ("td", "th")} | {"ol": {"start"}}
# The sanitiser's time grows with the square of the depth: 50 ms at this many, 5 s at ten times.
_ELEMENTS = 4_000
_SURROGATES = re.compile("[\ud800-\udfff]")
_OPENING = re.compile("<[A-Za-z]")
_TAG = re.compile("(<[^>]*>)")
_HEADING = {f"<h{n}>": '<div class="heading">' for n in range(1, 7)} | {
    f"</h{n}>": "</div>" for n in range(1, 7)
}


def _cleaner() -> Callable[[str], str]:
    options: dict[str, Any] = {
        "tags": set(ALLOWED_TAGS),
        "attributes": {tag: set(names) for tag, names in ALLOWED_ATTRIBUTES.items()},
        "allowed_classes": {tag: set(names) for tag, names in ALLOWED_CLASSES.items()},
        "url_schemes": set(SCHEMES),
        "url_relative": "deny",
        "link_rel": "noopener noreferrer nofollow",
    }
    # Made once it takes half the time; older nh3 makes one for every text.
    made = getattr(nh3, "Cleaner", None)
    return made(**options).clean if made else partial(nh3.clean, **options)


_clean_rendered = _cleaner()


def clean_rendered(rendered: str) -> str:
    """Return the HTML of a person's text with the tags and attributes of ``ALLOWED_*`` only."""
    return _clean_rendered(rendered)


def clean_html(markup: str) -> str:
    """Return HTML that a program wrote with nothing but ``OUTPUT_TAGS`` and its words.

    Not even links stay; of attributes only the spans of table cells and where a list starts.
    Headings become ``<div class="heading">``. Empty when no word is left, or when the nesting
    could be so deep that parsing it takes seconds.
    """
    if len(_OPENING.findall(markup)) > _ELEMENTS:
        return ""
    cleaned = nh3.clean(
        _SURROGATES.sub("\ufffd", markup),
        tags=_OUTPUT_TAGS,
        attributes=_OUTPUT_ATTRIBUTES,
        attribute_filter=_small_number,
        link_rel=None,
    )
    # Text is escaped by now, so what looks like a tag is one, and holds numbers at most.
    pieces = _TAG.split(cleaned)
    if not any(word.strip() for word in pieces[::2]):
        return ""
    pieces[::2] = [visible(html.unescape(words)) for words in pieces[::2]]
    pieces[1::2] = [_HEADING.get(tag, tag) for tag in pieces[1::2]]
    return "".join(pieces)


def _small_number(_tag: str, _name: str, value: str) -> str | None:
    return value if value.isascii() and value.isdigit() and len(value) <= 3 else None
