"""Pictures that code drew, to stand in a page itself.

A PNG, JPEG or GIF is taken when it is one: by its first bytes and its size in pixels, not by what
the notebook calls it. An SVG stands in an ``<img>``, where browsers run no script and load
nothing; one that would do either when opened by itself is not taken.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Mapping

__all__ = ["picture"]

# Bytes. A figure of matplotlib has 20 to 200 kB.
_BYTES = 2_000_000
# A browser needs 4 bytes a pixel: 40 million are 160 MB.
_PIXELS = 40_000_000
_SIDE = 20_000

# matplotlib and graphviz name the public document type, which nothing loads.
_SVG_PROLOGUE = re.compile(
    r"\ufeff?\s*(?:<\?xml [^>?]*\?>\s*)?"
    r"(?:<!DOCTYPE svg(?:\s+PUBLIC\s+\"[^\">]*\"\s+\"[^\">]*\")?\s*>\s*)?(?=<svg[\s>])"
)
# What could act, or be loaded, when the picture is opened by itself.
_SVG_ACTS = re.compile(
    r"<\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|object|embed|handler|listener|set|animate\w*)"
    r"|<[?!]|\bon[a-z]+\s*=|@import|javascript:"
    r"|(?:href|src)\s*=\s*(?!\s*[\"'](?:\#|data:image/(?:png|jpeg);base64,))"
    r"|url\s*\(\s*(?![\"']?\#)|\\",
    re.IGNORECASE,
)


def picture(kind: str, data: str, size: object = None) -> str:
    """Return a picture of the notebook format as ``<img>``; empty when it is none, or too big.

    ``kind`` is its media type, ``data`` base64 (an SVG: its text). ``size`` is the notebook's
    metadata of it, perhaps with ``width`` and ``height`` in CSS pixels.
    """
    if len(data) > 2 * _BYTES:
        return ""
    if kind == "image/svg+xml":
        return _svg(data)
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (ValueError, binascii.Error):
        return ""
    pixels = _pixels(kind, content)
    if pixels is None or len(content) > _BYTES:
        return ""
    width, height = pixels
    if not (0 < width <= _SIDE and 0 < height <= _SIDE and width * height <= _PIXELS):
        return ""
    return _img(kind, content, _wanted(size, pixels))


def _img(kind: str, content: bytes, size: tuple[int, int] | None) -> str:
    sides = f' width="{size[0]}" height="{size[1]}"' if size else ""
    address = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return f'<img class="picture" alt="Picture that the code drew"{sides} src="{address}">'


def _wanted(size: object, pixels: tuple[int, int]) -> tuple[int, int]:
    """Return the size to show: the notebook's, in the picture's own proportions."""
    width = size.get("width") if isinstance(size, Mapping) else None
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0 < width <= _SIDE:
        return pixels
    wide = max(1, round(width))
    return wide, max(1, round(pixels[1] * wide / pixels[0]))


def _pixels(kind: str, content: bytes) -> tuple[int, int] | None:
    """Return width and height, or None when this is not such a picture."""
    if kind == "image/png" and content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR":
        return _pair(">II", content, 16)
    if kind == "image/gif" and content[:6] in {b"GIF87a", b"GIF89a"}:
        return _pair("<HH", content, 6)
    if kind == "image/jpeg" and content[:3] == b"\xff\xd8\xff":
        return _jpeg(content)
    return None


def _pair(layout: str, content: bytes, offset: int) -> tuple[int, int] | None:
    try:
        first, second = struct.unpack_from(layout, content, offset)
    except struct.error:
        return None
    return int(first), int(second)


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header (ITU T.81, B.2.2)."""
    offset = 2
    while offset + 4 <= len(content) and content[offset] == 0xFF:
        marker = content[offset + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            sides = _pair(">HH", content, offset + 5)
            return sides and (sides[1], sides[0])
        length = int.from_bytes(content[offset + 2 : offset + 4], "big")
        if length < 2:
            return None
        offset += 2 + length
    return None


def _svg(text: str) -> str:
    text = _without_comments(text)
    prologue = _SVG_PROLOGUE.match(text)
    if prologue is None:
        return ""
    body = text[prologue.end() :]
    if len(body) > _BYTES or _SVG_ACTS.search(body):
        return ""
    return _img("image/svg+xml", body.encode("utf-8", "replace"), None)


def _without_comments(text: str) -> str:
    """Take out XML comments; nothing is left of a text with one that does not end."""
    parts, position = [], 0
    while (start := text.find("<!--", position)) >= 0:
        parts.append(text[position:start])
        end = text.find("-->", start + 4)
        if end < 0:
            return ""
        position = end + 3
    return "".join([*parts, text[position:]])
