from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbgrader.utils import parse_utc

from markbook.autograde.timestamps import read_timestamp

WRITTEN = st.builds(
    "{}{}".format,
    st.datetimes(),
    st.sampled_from(
        ["", " UTC", "Z", "+02:00", "-0930", " Europe/Berlin", " EST", " 3600", " -7200", " Mars"]
    ),
)


@given(WRITTEN)
@example("Fri Jan 2 03:04:05 2026")
@example("2026-03-29 02:30:00 Europe/Berlin")
def test_a_time_is_what_nbgrader_takes_it_for(text):
    try:
        theirs = parse_utc(text).isoformat()
    except Exception:  # noqa: BLE001  (dateutil raises many kinds)
        with pytest.raises(ValueError, match=r"timestamp\.txt holds no time"):
            read_timestamp(text.encode())
    else:
        assert read_timestamp(text.encode()) == theirs


@pytest.mark.parametrize("data", [None, b"", b" \n"])
def test_no_time_is_none(data):
    assert read_timestamp(data) is None


@pytest.mark.parametrize("data", [b"yesterday", b"\xff\xfe", b"2026-13-01", b"9" * 500, b"1 2 3 4"])
def test_what_holds_no_time_is_said(data):
    with pytest.raises(ValueError, match=r"its timestamp\.txt holds no time: "):
        read_timestamp(data)


def test_a_million_digits_are_no_time_and_are_not_parsed(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("it was parsed")

    monkeypatch.setattr("dateutil.parser.parse", refuse)
    with pytest.raises(ValueError, match=r"its timestamp\.txt holds no time: '9{60}'"):
        read_timestamp(b"9" * 1_000_000)
