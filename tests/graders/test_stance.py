"""What a writer takes back, quotes, crosses out or asks is not taken for their statement."""

from __future__ import annotations

import pytest

from markbook.graders.stance import contradicts, held_off
from markbook.graders.tokens import clauses

SAID = "it proves that nobody changed the token"
WRONG = "it hides the payload"


def held(text: str, said: str = SAID, *, misconception: bool = False) -> str:
    start = text.casefold().index(said)
    return held_off(text, start, start + len(said), misconception=misconception)


@pytest.mark.parametrize(
    "text",
    [
        f"It is false that {SAID}.",
        f"It's not true that {SAID}, I think.",
        f"Many people believe that {SAID}, which is what they were told.",
        f"I used to think {SAID}.",
        f"It does not mean that {SAID}.",
        f"There is no way that {SAID}.",
        f"The opposite of: {SAID}.",
        f"{SAID}. That is wrong: anyone can change it.",
        f"{SAID}. But that's not true.",
        f"{SAID}, which is a myth.",
        f"{SAID}. None of this is true.",
        f"{SAID}, but they are mistaken.",
        f"{SAID}. I do not agree with that.",
        f"~~{SAID}~~ No idea.",
        f"<del>{SAID}</del> No idea.",
        f"> {SAID}\n\nSo the book says.",
        f"Is it so that {SAID}?",
    ],
)
def test_what_is_taken_back_crossed_out_quoted_or_asked_is_held_off(text: str) -> None:
    assert held(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{SAID}.",
        f"Many people believe it is encrypted, but {SAID}.",
        f"It is a myth that it is encrypted. Actually {SAID}.",
        f"{SAID}. If the key is wrong, the token is refused.",
        f"{SAID}. It is true for HS256 as well.",
        f"~~It hides the payload.~~ {SAID}.",
        f"What does it do? {SAID}.",
        f"{SAID}: users are who they say they are.",
        f"a > b, and {SAID}.",
        f"{SAID}. This is why the server trusts it. Any questions?",
        f"{SAID}, not that it is encrypted.",
        f"{SAID} is wrong when the key was lost.",
        f"It does not mean that it is encrypted, {SAID}.",
    ],
)
def test_what_is_meant_is_not_held_off(text: str) -> None:
    assert held(text) == ""


def test_if_it_were_so_is_no_misconception_and_may_be_a_reason() -> None:
    text = f"If it were encrypted {WRONG}."
    assert held(text, WRONG, misconception=True)
    assert held(text, WRONG) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Write the tests before the code. Do not write the tests before the code.",
        "Yes, anyone can read it. No, nobody can read it.",
        "The signature hides the payload. The signature does not hide the payload.",
    ],
)
def test_a_statement_beside_its_denial_contradicts_itself(text: str) -> None:
    assert contradicts(clauses(text))


@pytest.mark.parametrize(
    "text",
    [
        "HTTP closes the connection. A WebSocket does not close the connection.",
        "It is encoded. It is not encrypted.",
        "Anyone can read it. Nobody can change it unnoticed.",
        "No. It is only encoded.",
        "Unit tests need no database. Integration tests need a database.",
        "",
    ],
)
def test_two_things_of_which_one_is_denied_do_not_contradict_each_other(text: str) -> None:
    assert not contradicts(clauses(text))


@pytest.mark.parametrize("text", ["it is ", "? ", "> ", "~~a", "<del>", "people think that "])
def test_texts_made_to_be_slow_are_looked_at_once(text: str) -> None:
    assert isinstance(held_off(text * 3_000, 8_000, 8_010), str)
    assert isinstance(contradicts(clauses(text * 3_000)), bool)
