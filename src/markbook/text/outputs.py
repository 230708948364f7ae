"""What code wrote and drew, as clean HTML for a page: text, tables, pictures and errors.

The outputs are those of a notebook cell that a student's code filled, so they may hold anything.
What comes back holds no script, style, link or address: text is escaped, HTML passes
``clean_html`` and stands in a sandboxed frame, and pictures are checked and stand in the page
itself. Nothing here raises, whatever the outputs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.text.clean import clean_html
from markbook.text.controls import visible
from markbook.text.frames import framed
from markbook.text.pictures import picture
from markbook.text.render import render_markdown
from markbook.text.terminal import plain_text, without_colours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Allowance", "render_outputs"]

# About four screens; the whole is in the student's own notebook.
_LINES = 200
_CHARACTERS = 20_000
# Terminal codes are taken out of so much, since a progress bar is mostly those.
_RAW = 400_000
# What is longer than this is folded away, so that the next question stays in sight.
_FOLDED_LINES = 12
_FOLDED_CHARACTERS = 1_500
_MESSAGE = 500
_MARKUP = 200_000

_HIDDEN = "An output is left out here: it repeats a hidden test or a model answer."
_NO_ROOM = "Further outputs are not shown: there is more than a page can hold."
_TOO_LARGE = "An output is not shown: it is larger than what a page can hold."
_TAG = re.compile("<[^<>]*>")
_STOPPED = "MarkbookStopped"


@dataclass(slots=True)
class Allowance:
    """What one page may still show: ``outputs``, and characters of them with all their tags."""

    outputs: int = 200
    characters: int = 8_000_000


def render_outputs(
    outputs: Iterable[object],
    allowance: Allowance,
    *,
    hides: Callable[[str], bool] | None = None,
) -> str:
    """Return a cell's outputs (as they stand in the notebook's JSON) as HTML, in their order.

    What is shown is taken off ``allowance``. An output with a text of which ``hides`` is true is
    left out, with a sentence in its place.
    """
    hidden = hides or (lambda _text: False)
    pieces: list[str] = []
    for output in _joined(outputs):
        if allowance.outputs <= 0:
            pieces.append(_notice(_NO_ROOM))
            break
        piece = _notice(_HIDDEN) if any(map(hidden, _texts(output))) else _rendered(output)
        allowance.outputs -= 1
        if len(piece) > allowance.characters:
            pieces.append(_notice(_TOO_LARGE))
            continue
        allowance.characters -= len(piece)
        pieces.append(piece)
    return "".join(pieces)


# --- reading ------------------------------------------------------------------------------------


def _joined(outputs: Iterable[object]) -> list[Mapping[str, object]]:
    """Return the outputs that are any, what was printed in many pieces as one."""
    found: list[Mapping[str, object]] = []
    for output in outputs:
        if not isinstance(output, Mapping):
            continue
        last = found[-1] if found else {}
        if output.get("output_type") == "stream" and _same_stream(last, output):
            found[-1] = {**last, "text": _text(last.get("text")) + _text(output.get("text"))}
        else:
            found.append(output)
    return found


def _same_stream(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return one.get("output_type") == "stream" and one.get("name") == other.get("name")


def _text(value: object) -> str:
    """Return a text of the notebook format, which may stand there as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _texts(output: Mapping[str, object]) -> list[str]:
    """Return all that a reader of an output could find in it."""
    if output.get("output_type") == "stream":
        return [without_colours(_text(output.get("text"))[:_RAW])]
    if output.get("output_type") == "error":
        return [
            _text(output.get("ename")),
            _text(output.get("evalue"))[:_RAW],
            without_colours(_traceback(output)),
        ]
    texts = [_text(value)[:_RAW] for value in _data(output).values()]
    return [*texts, *(html.unescape(_TAG.sub("", text)) for text in texts)]


def _data(output: Mapping[str, object]) -> Mapping[str, object]:
    data = output.get("data")
    if not isinstance(data, Mapping):
        return {}
    return {kind: value for kind, value in data.items() if isinstance(kind, str)}


def _traceback(output: Mapping[str, object]) -> str:
    lines = output.get("traceback")
    if not isinstance(lines, list):
        return ""
    return "\n".join(line for line in lines if isinstance(line, str))[:_RAW]


# --- one output ---------------------------------------------------------------------------------


def _rendered(output: Mapping[str, object]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        warned = output.get("name") == "stderr"
        return _printed(_text(output.get("text")), stderr=warned)
    if kind == "error":
        return _error(output)
    if kind in ("execute_result", "display_data"):  # it may be a list, which no set can look up
        return _shown(_data(output), output.get("metadata"))
    return ""


def _printed(text: str, *, stderr: bool = False) -> str:
    if not text.strip():
        return ""
    label = "Warnings and messages (standard error)" if stderr else "Output"
    says = f'<p class="stream">{label}</p>' if stderr else ""
    return f'<div class="output">{_block(text, label, says=says, warned=stderr)}</div>'


def _error(output: Mapping[str, object]) -> str:
    name, value = (_text(output.get(key)).strip() for key in ("ename", "evalue"))
    value = plain_text(value[:_RAW])
    shown = visible(value[:_MESSAGE]) + ("…" if len(value) > _MESSAGE else "")
    if name == _STOPPED:
        return f'<p class="notice">{shown}</p>'
    title = visible(plain_text(name[:_MESSAGE]) or "Error")
    says = f'<p class="error"><strong>{title}</strong>{": " if shown else ""}{shown}</p>'
    traceback = _traceback(output)
    if traceback.strip():
        says += _block(traceback, "Traceback", fold=True)
    return f'<div class="output">{says}</div>'


def _shown(data: Mapping[str, object], metadata: object) -> str:
    """Return the best form of a displayed value that a page can hold."""
    sizes = metadata if isinstance(metadata, Mapping) else {}
    for kind, render in _FORMS:
        if kind in data:
            piece = render(_text(data[kind]), sizes.get(kind))
            if piece:
                return f'<div class="output">{piece}</div>'
    if not data:
        return ""
    kinds = ", ".join(sorted(kind[:60] for kind in data)[:5])
    return _notice(f"An output that a page cannot show ({kinds}).")


def _html(text: str, _size: object) -> str:
    if len(text) > _MARKUP:
        return ""
    return _rich(clean_html(text))


def _markdown(text: str, _size: object) -> str:
    return _rich(clean_html(render_markdown(text))) if text.strip() else ""


def _rich(cleaned: str) -> str:
    if not cleaned or len(cleaned) > 2 * _MARKUP:
        return ""
    rows = cleaned.count("<tr>") + cleaned.count("<br>") + cleaned.count("<p>")
    piece = framed(cleaned)
    if rows <= _FOLDED_LINES and len(cleaned) <= 4 * _FOLDED_CHARACTERS:
        return piece
    size = f"{cleaned.count('<tr>')} rows" if "<tr>" in cleaned else "long"
    return f'<details class="fold"><summary>Output ({size})</summary>{piece}</details>'


def _picture(kind: str) -> Callable[[str, object], str]:
    return lambda text, size: picture(kind, text, size)


def _plain(text: str, _size: object) -> str:
    return _block(text, "Output") if text.strip() else ""


_FORMS: Sequence[tuple[str, Callable[[str, object], str]]] = (
    ("text/html", _html),
    ("text/markdown", _markdown),
    ("image/png", _picture("image/png")),
    ("image/jpeg", _picture("image/jpeg")),
    ("image/gif", _picture("image/gif")),
    ("image/svg+xml", _picture("image/svg+xml")),
    ("text/latex", _plain),
    ("text/plain", _plain),
)


# --- text ---------------------------------------------------------------------------------------


def _block(
    text: str, label: str, *, says: str = "", warned: bool = False, fold: bool = False
) -> str:
    """Return a text as it would stand in a terminal, cut where it is endless, folded if long."""
    lines = plain_text(text[:_RAW]).rstrip("\n").split("\n")
    kept, room = [], _CHARACTERS
    for line in lines[:_LINES]:
        kept.append(line[:room])
        room -= len(line) + 1
        if room <= 0:
            break
    shown = "\n".join(kept)
    kind = "out warned" if warned else "out"
    block = f'<pre class="{kind}" role="group" aria-label="{label}" tabindex="0">'
    block += f"{visible(shown)}</pre>"
    if len(text) > _RAW or len(kept) < len(lines) or room < 0:
        block += _notice(f"The rest is not shown; it has {len(text):,} characters in all.")
    if not fold and len(kept) <= _FOLDED_LINES and len(shown) <= _FOLDED_CHARACTERS:
        return says + block
    size = f"{len(kept)} lines" if len(kept) > 1 else f"{len(shown):,} characters"
    return f'<details class="fold"><summary>{label} ({size})</summary>{block}</details>'


def _notice(sentence: str) -> str:
    return f'<p class="notice">{html.escape(sentence)}</p>'
