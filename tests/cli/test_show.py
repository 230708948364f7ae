"""What is printed cannot command the terminal it is printed on."""

from __future__ import annotations

import json

from markbook.cli import show

ATTACK = "\x1b[2J\x1b]0;title\x07 \u202eabc \x9b31m a\u200bb"


def test_a_students_text_moves_no_cursor_and_changes_no_direction(capsys):
    show.line(ATTACK)
    show.warn(ATTACK)
    show.listing([("a", ATTACK), ("b", "c")])
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not any(unseen in text for unseen in "\x1b\x07\u202e\x9b\u200b")
        assert "[U+001B][2J" in text
        assert "[U+202E]abc" in text


def test_json_has_the_same_value_and_no_controls(capsys):
    show.json_out({"text": ATTACK, "word": "Größe"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"text": ATTACK, "word": "Größe"}
    assert "Größe" in out
    assert not any(unseen in out for unseen in "\x1b\x07\u202e\x9b\u200b")
