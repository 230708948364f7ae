"""From the bytes of a student's paper to its text, saying every repair."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import PaperError

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

__all__ = ["Decoded", "decode"]

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", "Ask for the Markdown or text it was made from."),
    (b"PK\x03\x04", "a Word or zip file", "Export it as Markdown or text, or unpack it."),
    (b"PK\x05\x06", "an empty zip file", "Ask for the paper itself, as Markdown or text."),
    (b"\xd0\xcf\x11\xe0", "an old Word file", "Export it as Markdown or text."),
    (b"{\\rtf", "a rich text (RTF) file", "Export it as Markdown or text."),
    (b"\x89PNG", "a picture (PNG)", "Ask for the text itself."),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Ask for the text itself."),
    (b"GIF8", "a picture (GIF)", "Ask for the text itself."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"SQLite format 3", "a database", "Ask for the paper itself, as Markdown or text."),
    (b"\x7fELF", "a program", "Ask for the paper itself, as Markdown or text."),
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# Above this share of control characters a file is not somebody's text.
_MAX_CONTROL_SHARE = 0.02
_EXPORT = "Export the paper as Markdown or text in UTF-8."


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text with line feeds only, the encoding it was in, and one sentence for each repair."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """Decode a paper: by its byte order mark, as UTF-8, or line by line as Windows-1252.

    Mojibake is mended line by line, and nothing else: quotes, ligatures, widths and layout stay
    the student's own. Raises ``PaperError`` for an empty or a binary file.
    """
    _refuse(data)
    notes: list[str] = []
    text, encoding = _to_text(data, notes)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        notes.append("Line ends were CRLF or CR; they are line feeds now.")
    if not text.strip("\ufeff\u200b \t\n\f\v\u00a0"):
        raise PaperError("The file holds nothing but blanks.", hint="Ask the student for the text.")
    controls = len(_CONTROL.findall(text))
    if "\0" in text or controls > max(2, len(text) * _MAX_CONTROL_SHARE):
        raise PaperError("The file is binary, not text.", hint=_EXPORT)
    text = _mend(text, notes)
    return Decoded(text, encoding, tuple(notes))


def _refuse(data: bytes) -> None:
    if not data:
        raise PaperError("The file is empty.", hint="Ask the student for the paper again.")
    for magic, name, hint in _MAGIC:
        if data.startswith(magic):
            raise PaperError(f"The file is {name}, not text.", hint=hint)


def _to_text(data: bytes, notes: list[str]) -> tuple[str, str]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _after_bom(data[len(bom) :], encoding, notes), encoding
    if b"\0" in data[:4096]:
        return _without_bom(data, notes)
    return _plain(data, notes)


def _after_bom(data: bytes, encoding: str, notes: list[str]) -> str:
    notes.append(f"The file began with a byte order mark ({encoding}); it is gone.")
    if encoding == "utf-8":
        return _plain(data, notes)[0]
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise PaperError(
            f"The file says it is {encoding} and is not (byte {error.start}).", hint=_EXPORT
        ) from error


def _without_bom(data: bytes, notes: list[str]) -> tuple[str, str]:
    # Latin text in UTF-16 has a NUL in every other byte; a binary file has them anywhere.
    head = data[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    for encoding, ours, other in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if half and ours > 0.7 * half and other < 0.05 * half:
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            notes.append(f"The file is in {encoding} without saying so.")
            return text, encoding
    raise PaperError("The file is binary, not text (it has NUL bytes).", hint=_EXPORT)


def _plain(data: bytes, notes: list[str]) -> tuple[str, str]:
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    # Line by line, so that one pasted Windows-1252 line does not garble the UTF-8 of the others.
    lines: list[str] = []
    odd: list[int] = []
    utf8 = False
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            lines.append(line.decode("utf-8"))
            utf8 = utf8 or not line.isascii()
        except UnicodeDecodeError:
            odd.append(number)
            lines.append(_western(line))
    where = _numbers(odd)
    notes.append(f"Not UTF-8 in {where}; read there as Windows-1252 (Latin-1).")
    return "\n".join(lines), "utf-8 and cp1252" if utf8 else "cp1252"


def _western(line: bytes) -> str:
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _mend(text: str, notes: list[str]) -> str:
    if text.isascii():
        return text
    from ftfy import TextFixerConfig

    config = TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
    )
    lines = text.split("\n")
    mended: list[int] = []
    for position, line in enumerate(lines):
        if line.isascii():
            continue
        fixed = _mend_line(line, config)
        if fixed != line:
            lines[position] = fixed
            mended.append(position + 1)
    if mended:
        notes.append(f"Broken characters (mojibake) mended in {_numbers(mended)}.")
    return "\n".join(lines)


def _mend_line(line: str, config: TextFixerConfig) -> str:
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    fixed = fix_encoding(line, config)
    if fixed == line and is_bad(line):
        # Good and broken characters in one line: mend the broken words by themselves.
        parts = re.split(r"(\s+)", line)
        fixed = "".join(fix_encoding(part, config) if is_bad(part) else part for part in parts)
    # A repair must not change the layout: one line in, one line out.
    return line if "\n" in fixed or "\r" in fixed else str(fixed)


def _numbers(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:5])
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
    return f"line {shown}" if len(lines) == 1 else f"lines {shown}{more}"
