"""Names, addresses, greetings and signatures go; what was said about the matter stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.checks.anonymous import NAME, Names

PEOPLE = {
    "ada-lovelace": ("Ada", "Lovelace", "ada@example.org"),
    "elif.yildirim": (),
    "s1234567": ("Will", "Token"),
    "chen-wei": ("Wei", "Chen"),
}
MATTER = "The token is signed; nobody will change it."


@pytest.fixture(scope="module")
def names():
    return Names(PEOPLE, ["A token will be signed by whoever has the key."])


@pytest.mark.parametrize(
    ("written", "left"),
    [
        (MATTER, MATTER),
        (f"Dear Prof. Smith,\n\n{MATTER}\n\nBest regards,\nAda", MATTER),
        (f"Hi Dr. Smith, {MATTER}", MATTER),
        (f"{MATTER}\nThanks!\nada", MATTER),
        (f"{MATTER}\n\n-- Ada Lovelace", MATTER),
        (f"Name: Somebody Else\nStudent ID: 42\n{MATTER}", MATTER),
        ("As ADA I sign it, ada@example.org", f"As {NAME} I sign it, [e-mail]"),
        ("lovelace, ada wrote it", f"{NAME} wrote it"),
        ("I asked Elif Y\u0131ld\u0131r\u0131m and Chen.", f"I asked {NAME} and {NAME}."),
        ("the chen of theirs", "the chen of theirs"),
        ("by Will Token, s1234567", f"by {NAME}, {NAME}"),
        ("Adam's adage, Weighing", "Adam's adage, Weighing"),
        ("Thanks to the signature nobody can change it.",) * 2,
        ("High loads are a problem.\nThanks to caches they pass.",) * 2,
    ],
)
def test_what_tells_who_wrote_it_goes_and_the_rest_stays(names, written, left):
    assert names.without(written, "ada-lovelace") == left


def test_a_student_who_is_not_in_the_class_list_loses_the_parts_of_the_id():
    assert Names({"bo-li": ()}).without("I, bo, and Li.", "bo-li") == f"I, {NAME}, and {NAME}."


@given(
    st.sampled_from(sorted(PEOPLE)),
    st.lists(
        st.sampled_from(
            ["ada", "Lovelace", "Wei", "\n", "Dear Wei,", "the key", "is signed.", "Regards,",
             "\u0130lker", "\ufb03", "a@b.cd", "Name: x", "Chen-Wei", "ELIF", "\r\n", "-", " "]
        ),
        max_size=12,
    ),
)  # fmt: skip
def test_no_name_and_no_address_of_the_author_is_left(student, pieces):
    names = Names(PEOPLE)
    left = names.without(" ".join(pieces), student)
    assert "@" not in left
    words = {word.strip(".,") for word in left.lower().replace("-", " ").split()}
    assert not words & {p for p in student.split("-") if student != "s1234567"}
    assert left == left.strip()
