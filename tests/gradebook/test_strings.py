from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from markbook.gradebook.strings import plain, restored, storable

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


@given(ANY_TEXT | ANY_TEXT.map(lambda text: "\x01" + text + "\x01"))
def test_every_text_comes_back_as_it_was(text):
    assert restored(storable(text)) == text


@given(ANY_TEXT)
def test_what_is_stored_can_be_encoded_and_has_no_nul(text):
    assert "\0" not in storable(text)
    storable(text).encode("utf-8")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\x01")))
def test_ordinary_text_is_stored_as_it_is(text):
    assert storable(text) == text


@given(ANY_TEXT)
def test_what_nbgrader_gets_differs_only_where_no_database_could_hold_it(text):
    shown = plain(text)
    shown.encode("utf-8")
    assert len(shown) == len(text)
    assert all(a in (b, "\ufffd") for a, b in zip(shown, text, strict=True))
    if storable(text) == text:
        assert shown == text
