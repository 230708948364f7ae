"""From bytes to text: every encoding students use, and nothing but the encoding mended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.errors import PaperError
from markbook.text.decode import decode

TEXT = "Caf\u00e9 \u2013 Django\u2019s \u201cserver\u201d"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_text_is_the_same_in_every_encoding(encoding):
    assert decode(TEXT.encode(encoding)).text == TEXT


def test_utf_16_without_a_mark_is_recognised():
    decoded = decode("plain words in UTF-16".encode("utf-16-le"))
    assert decoded.text == "plain words in UTF-16"
    assert "utf-16-le" in decoded.notes[0]


def test_mojibake_is_mended_and_said_with_its_line():
    broken = "It\u2019s caf\u00e9".encode().decode("cp1252")
    decoded = decode(f"fine\n{broken}\nfine".encode())
    assert decoded.text == "fine\nIt\u2019s caf\u00e9\nfine"
    assert decoded.notes == ("Broken characters (mojibake) mended in line 2.",)


def test_a_broken_word_beside_good_characters_is_mended_alone():
    assert decode("\u65e5\u672c Django\u00e2\u20ac\u2122s \u65e5".encode()).text == (
        "\u65e5\u672c Django\u2019s \u65e5"
    )


def test_quotes_ligatures_widths_and_layout_stay_the_students_own():
    text = "\u201c\ufb01ne\u201d \uff21\tx  \n\n&amp; \u00a0end"
    assert decode(text.encode()).text == text


def test_one_windows_line_does_not_garble_the_utf_8_lines():
    decoded = decode("na\u00efve \u65e5\n".encode() + "it\u2019s".encode("cp1252"))
    assert decoded.text == "na\u00efve \u65e5\nit\u2019s"
    assert "line 2" in decoded.notes[0]


def test_line_ends_become_line_feeds_and_that_is_said():
    decoded = decode(b"a\r\nb\rc\n")
    assert decoded.text == "a\nb\nc\n"
    assert len(decoded.notes) == 1


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "empty"),
        (b" \n\t\r\n", "blanks"),
        (b"%PDF-1.7 text", "PDF"),
        (b"PK\x03\x04word/document.xml", "Word"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"{\\rtf1 hello}", "RTF"),
        (b"text\0with\0nul and more", "binary"),
        (bytes(range(1, 9)) * 40, "binary"),
        (b"\xff\xfea", "utf-16"),
    ],
)
def test_what_is_no_text_is_refused_with_a_next_step(data, part):
    with pytest.raises(PaperError) as caught:
        decode(data)
    assert part in caught.value.what
    assert caught.value.hint


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(data):
    try:
        decoded = decode(data)
    except PaperError:
        return
    assert "\r" not in decoded.text
    assert "\0" not in decoded.text


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_ascii_stays_as_it_is(text):
    if text.strip() and not text.startswith(("%PDF", "{\\rtf", "PK", "GIF8", "Rar!")):
        assert decode(text.encode()) == decode(text.encode("utf-8"))
        assert decode(text.encode()).text == text
