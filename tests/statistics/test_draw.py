"""Every picture is well-formed, says its figures, and stays inside its frame."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from markbook.statistics import draw

SHARES = st.lists(st.floats(0, 1), max_size=400)


def boxes(picture):
    root = ET.fromstring(str(picture))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    return root, width, height


@given(SHARES)
def test_the_bars_of_the_histogram_count_every_student_inside_the_frame(shares):
    root, width, height = boxes(draw.share_histogram(shares))
    assert sum(int(t.text) for t in root if t.get("class") == "value") == len(shares)
    for bar in root.iter("rect"):
        assert 0 <= float(bar.get("y")) <= height
        assert float(bar.get("x")) + float(bar.get("width")) <= width


def test_full_points_fall_into_the_last_bin_and_a_border_into_the_upper():
    label = boxes(draw.share_histogram([1.0, 0.3, 0.7]))[0].get("aria-label")
    assert "90 to 100 %: 1" in label
    assert "30 to 40 %: 1" in label
    assert "70 to 80 %: 1" in label


@given(
    st.lists(st.floats(0, 4).map(lambda x: round(2 * x) / 2), max_size=300),
    st.sampled_from([0, 1, 4]),
)
def test_the_dots_stay_in_the_frame_however_many_and_whatever_the_maximum(scores, possible):
    root, width, height = boxes(draw.score_dots(scores, possible))
    for dot in root.iter("circle"):
        assert 0 <= float(dot.get("cx")) <= width
        assert 0 <= float(dot.get("cy")) <= height
    for bar in root.iter("rect"):
        assert float(bar.get("y")) >= 0


def test_few_scores_are_one_dot_each_and_the_label_says_them():
    root, _, _ = boxes(draw.score_dots([0.0, 1.5, 1.5], 2))
    assert len(list(root.iter("circle"))) == 3
    assert root.get("aria-label") == "Scores. 0 points: 1; 1.5 points: 2"


def test_a_status_bar_names_its_parts_and_leaves_out_the_empty_ones():
    root, _, _ = boxes(draw.status_bar([("fill", "a<b", 2), ("half", "none", 0), ("rest", "c", 1)]))
    assert root.get("aria-label") == "2 a<b, 1 c"
    assert len(list(root.iter("rect"))) == 2
