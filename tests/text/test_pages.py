"""What all pages share: figures, colours, and a policy that fits the style sheet."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.text.pages import format_points

SHEET = (resources.files("markbook.text") / "templates" / "page.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.3"),
        (-1.0, "\u22121"),
        (100.0, "100"),
        (-0.001, "0"),
    ],
)
def test_points_are_written_as_people_write_them(value, text):
    assert format_points(value) == text


def test_a_signed_zero_has_no_sign():
    assert format_points(1.0, signed=True) == "+1"
    assert format_points(0.0, signed=True) == "0"


@given(st.floats(-1000, 1000))
def test_written_points_are_within_half_a_hundredth(value):
    assert abs(float(format_points(value).replace("\u2212", "-")) - value) <= 0.00501


def palettes():
    light, dark, printed = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
    read = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", text)) for text in (light, dark, printed)
    ]
    return [("light", read[0]), ("dark", read[1]), ("print", read[2])]


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("name", "palette"), palettes())
def test_every_text_colour_is_readable_on_every_ground_it_stands_on(name, palette):
    for ink in ("ink", "soft", "accent", "good", "bad", "wait"):
        for ground in ("paper", "card", "sunk"):
            assert contrast(palette[ink], palette[ground]) >= 4.5, (name, ink, ground)
    for ink, ground in [
        ("wait", "wait-tint"),
        ("ink", "mark"),
        ("accent", "mark"),
        ("bad", "mark"),
    ]:
        assert contrast(palette[ink], palette[ground]) >= 4.5, (name, ink, ground)
    assert contrast(palette["card"], palette["soft"]) >= 4.5
    assert contrast(palette["mark-line"], palette["card"]) >= 2
