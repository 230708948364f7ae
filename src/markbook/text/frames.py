"""HTML that a program wrote, in a frame of its own that can do nothing.

It is cleaned before. The frame is the second wall: without ``allow-scripts`` and
``allow-same-origin`` a browser runs nothing in it, lets it lead nowhere, and keeps it from the page
around it, should the first wall have a hole.
"""

from __future__ import annotations

import base64
import hashlib
import html
import math
import re

__all__ = ["FRAME_STYLE_SOURCE", "framed"]

_STYLE = """:root{color-scheme:light dark}
body{margin:0;font:.9rem/1.55 system-ui,sans-serif;font-variant-numeric:tabular-nums}
table{border-collapse:collapse}
th,td{border:1px solid #8886;padding:.2rem .5rem;text-align:end}
thead{background:#8882}
.heading{font-weight:600}
body>*+*{margin-top:.5em}
pre,code{font:.84rem/1.5 ui-monospace,monospace}
ul,ol{padding-inline-start:1.4em}
.ctl{font:.72rem ui-monospace,monospace;color:#b0483a;border:1px dashed currentColor;
border-radius:3px;padding:0 .25em;margin:0 .1em;white-space:nowrap;unicode-bidi:isolate}
"""
FRAME_STYLE_SOURCE = (
    f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""What the page's own policy has to name: a frame inherits that."""

_HEAD = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"'
    f" content=\"default-src 'none'; style-src {FRAME_STYLE_SOURCE}\"><style>{_STYLE}</style>"
)
_BREAK = re.compile("<(?:tr|br|p|li|hr|div|dt|dd|pre|caption)[ >]")
_TAG = re.compile("<[^>]*>")
# A frame cannot grow with what is in it: its height is guessed, in steps of 2 rem, and it scrolls.
_STEPS = 12
_LINE = 1.8  # rem
_WIDE = 90  # characters


def framed(cleaned: str) -> str:
    """Return clean HTML in a sandboxed ``<iframe>``, about as high as it needs."""
    words = len(_TAG.sub("", cleaned))
    lines = max(len(_BREAK.findall(cleaned)) + cleaned.count("\n") // 4, words / _WIDE) + 1
    step = min(_STEPS, math.ceil(lines * _LINE / 2))
    return (
        f'<iframe class="frame h{step}" sandbox title="Output"'
        f' srcdoc="{html.escape(_HEAD + cleaned)}"></iframe>'
    )
