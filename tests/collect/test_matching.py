"""Every answer at its question, in every shape, and nothing lost."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from markbook.collect import match_paper

ANSWERS = (
    "a thing that the server sends",
    "First paragraph of it, with some thoughts.\n\nSecond paragraph, which goes further.",
    "- one\n- two\n\t- deeper\n- three",
    "1. write something\n2. run it\n3. see it fail",
    "```python\n# What is a feature branch and what are they good for?\nx\n\n- y\n```\nas above",
    'Somebody asked "can the thief see what\'s inside" and the answer was yes.',
    "idk",
    "Yes! Who would not? Everybody does it.",
    "It depends.\nSometimes one line follows another.\nAnd a third one.",
    "> a famous word\n\nand what I think of it",
    "so **bold** and `code` and <b>html</b>",
)


def words(text):
    return Counter(re.findall(r"\w+", text))


def squash(text):
    return " ".join(text.split())


def typo(word):
    return word[:2] + word[3] + word[2] + word[4:]


def misspelt(text, pick):
    long = re.findall(r"[a-z]{7,}", text)
    word = long[pick % len(long)] if long else ""
    return text.replace(word, typo(word)) if word else text


REWORDINGS = {
    "": lambda text, _: text,
    "lower": lambda text, _: text.lower(),
    "upper": lambda text, _: text.upper(),
    "bare": lambda text, _: re.sub(r"[`,]|[.?]$", "", text),
    "ticks": lambda text, _: re.sub(r"\b(ORM|REST|cookie|Vim|fixture)\b", r"`\1`", text, count=1),
    "typo": misspelt,
    "quotes": lambda text, _: text.replace("'", "\u2019"),
    "marks": lambda text, _: text.replace("?", "??", 1),
}


@st.composite
def rewordings(draw, text):
    """The same question as another student would type it."""
    change = REWORDINGS[draw(st.sampled_from(sorted(REWORDINGS)))]
    return change(text, draw(st.integers(0, 9)))


@st.composite
def papers(draw, wordings, markers, shape):
    ids = draw(st.permutations(sorted(wordings)))[: draw(st.integers(4, len(wordings)))]
    if draw(st.booleans()):
        ids = [name for name in wordings if name in ids]
    marker = draw(st.sampled_from(sorted(markers)))
    plain = marker in ("plain", "leading blank")
    unwrapped = ("html", "underlined", "closed heading")
    wrap = draw(st.sampled_from([0, 0, 60, 38])) if marker not in unwrapped else 0
    made = shape(
        marker=marker,
        gap=draw(st.sampled_from([0, 1])),
        between=draw(st.sampled_from([1, 2])) if not plain else draw(st.sampled_from([0, 1, 3])),
        indent=draw(st.sampled_from(["", "", "  ", "\t"])),
        wrap=wrap,
        hang=draw(st.sampled_from(["", "  "])),
        title=draw(st.sampled_from(["", "# Homework 3", "Answers by Kim"])),
    )
    asked, truth = [], {}
    for name in ids:
        question = draw(rewordings(wordings[name][0]))
        answer = draw(st.sampled_from(("", *ANSWERS)))
        asked.append((question, answer))
        truth[name] = answer
    return made, asked, truth


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_answer_stands_at_its_question_whatever_the_shape(
    data, wordings, markers, shape, render
):
    made, asked, truth = data.draw(papers(wordings, markers, shape))
    paper = render(made, asked)
    match = match_paper(paper, wordings)
    told = {name: squash(truth[name]) if name in truth else None for name in wordings}
    found = {
        name: None if answer.status == "not-asked" else squash(answer.text)
        for name, answer in match.answers.items()
    }
    assert found == told, paper
    assert match.unmatched == ((made.title,) if made.title else ()), paper
    assert match.preamble == match.unmatched


FRAGMENTS = (
    "What is a cookie?",
    "what is an orm what are some advantages",
    "If a cookie is stolen, can the thief",
    "see what's inside the session?",
    "Compare and contrast browser, proxy and database caches. They differ.",
    "What is quicksort?",
    "```",
    "```js",
    "~~~",
    "---",
    "===",
    "# ",
    "## ",
    "- ",
    "* [ ] ",
    "1. ",
    "Q: ",
    "A: ",
    "**",
    "> ",
    "| ",
    "|---|---|",
    "\t",
    "    ",
    "\n",
    "\n\n",
    "plain words of an answer",
    "Name: Kim",
    "student: kim",
    "<b>",
    "\u200b",
    "\u00a0",
    "\U0001f600",
)
documents = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("\n".join),
    st.text(max_size=200),
)
LABELS = {"a", "ans", "answer", "q", "question", "1", "x"}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(text="```0\n```")
@given(text=documents)
def test_no_word_of_any_text_is_lost_or_made_up(text, wordings):
    match = match_paper(text, wordings)
    kept = words("\n".join(match.unmatched))
    for answer in match.answers.values():
        kept += words(answer.text) + words(answer.matched_as)
    lost = words(text) - kept
    assert {word.lower().strip("_") for word in lost} <= LABELS | TAGS | {""}, (text, match)
    assert kept - words(text) == Counter()
    assert set(match.preamble) <= set(match.unmatched)
    assert set(match.answers) == set(wordings)


TAGS = {"b"}


def told(match):
    return {
        name: answer.text for name, answer in match.answers.items() if answer.status != "not-asked"
    }


def test_an_answer_keeps_tabs_blank_lines_and_trailing_blanks_inside(wordings):
    paper = "- What is a cookie?\n\n\t- one: \n\t\t- two\n\n\t- three\n\n- What is an ORM?\n\tx\n"
    match = match_paper(paper, wordings)
    assert match.answers["cookie"].text == "\t- one: \n\t\t- two\n\n\t- three"
    assert match.answers["orm"].text == "\tx"


def test_a_blank_question_is_not_answered_by_its_neighbour(wordings):
    paper = "## What is a cookie?\n## What is an ORM?\n-\n## What is a feature branch?\nA branch."
    match = match_paper(paper, wordings)
    assert {n: str(match.answers[n].status) for n in ("cookie", "orm", "branches", "rest")} == {
        "cookie": "blank",
        "orm": "blank",
        "branches": "answered",
        "rest": "not-asked",
    }


def test_answers_beside_their_questions_are_cut_after_the_question(wordings):
    paper = (
        "**What is a cookie?** A small text.\n\n"
        "2. What is an ORM? What are some advantages and disadvantages? - Maps rows.\n\n"
        "| What is a feature branch and what are they good for? | a branch |\n\n"
        "Q: What are some differences between GraphQL and REST? A: one endpoint"
    )
    assert told(match_paper(paper, wordings)) == {
        "cookie": "A small text.",
        "orm": "Maps rows.",
        "branches": "a branch",
        "rest": "A: one endpoint",
    }


FOREIGN = {
    "bullet": "- What is a cookie?\n  - a\n- What is quicksort?\n  - b\n- What is an ORM?\n  - c",
    "heading": "## What is a cookie?\na\n## What is quicksort?\nb\n## What is an ORM?\nc",
    "number": "1. What is a cookie?\na\n2. What is quicksort?\nb\n3. What is an ORM?\nc",
    "bold": "**What is a cookie?**\na\n\n**What is quicksort?**\nb\n\n**What is an ORM?**\nc",
    "label": "Q: What is a cookie?\na\nQ: What is quicksort?\nb\nQ: What is an ORM?\nc",
    "plain": "What is a cookie?\n\na\n\nWhat is quicksort and why so quick?\n\nb\n\n"
    "What is an ORM?\n\nc",
}


def test_a_question_nobody_asked_is_not_glued_to_the_answer_above_it(wordings):
    for shape, paper in FOREIGN.items():
        match = match_paper(paper, wordings)
        answers = {name: text.strip(" -") for name, text in told(match).items()}
        assert answers == {"cookie": "a", "orm": "c"}, shape
        assert len(match.unmatched) == 1, shape
        assert match.unmatched[0].rstrip().endswith("b"), shape
        assert match.needs_attention, shape


def test_headings_below_the_question_level_belong_to_the_answer(wordings):
    paper = "## What is a cookie?\n### In short\na\n### At length\nb\n## What is an ORM?\nc"
    assert told(match_paper(paper, wordings)) == {
        "cookie": "### In short\na\n### At length\nb",
        "orm": "c",
    }


def test_a_list_of_contents_is_not_taken_for_the_answers(wordings):
    contents = "1. What is a cookie?\n2. What is an ORM?\n3. What is a feature branch?"
    paper = (
        f"{contents}\n\n## What is a cookie?\na\n## What is an ORM?\nb\n"
        "## What is a feature branch?\nc"
    )
    match = match_paper(paper, wordings)
    assert told(match) == {"cookie": "a", "orm": "b", "branches": "c"}
    assert match.preamble == (contents,)


def test_both_halves_of_a_question_asked_apart_stay_one_answer(wordings):
    paper = (
        "- What is an ORM?\n  - maps rows\n- What are some advantages and disadvantages?\n"
        "  - short, slow\n- What is a cookie?\n  - text"
    )
    answer = match_paper(paper, wordings).answers["orm"].text
    assert "maps rows" in answer
    assert "short, slow" in answer


def test_a_fence_that_is_never_closed_does_not_swallow_the_questions_below(wordings):
    paper = "## What is a cookie?\n```\ncode\n## What is an ORM?\nmaps rows"
    assert told(match_paper(paper, wordings)) == {"cookie": "```\ncode", "orm": "maps rows"}


def test_prose_before_the_first_question_needs_attention_and_a_title_does_not(wordings):
    title = match_paper("# Homework 3\n\nKim Lee\n\n## What is a cookie?\nx", wordings)
    assert title.unmatched == title.preamble == ("# Homework 3", "Kim Lee")
    assert not title.needs_attention
    prose = match_paper("Sorry for being late, I was ill.\n\n## What is a cookie?\nx", wordings)
    assert prose.unmatched == ("Sorry for being late, I was ill.",)
    assert prose.preamble == ()
    assert prose.needs_attention


def test_a_statement_is_not_taken_for_the_question_it_answers(wordings):
    paper = "wat is a cookie\n\nA HTTP cookie.\n\nWhat is an ORM?\n\nAn ORM."
    assert told(match_paper(paper, wordings)) == {"cookie": "A HTTP cookie.", "orm": "An ORM."}


def test_a_wording_far_from_the_known_ones_is_listed_for_a_person(wordings):
    paper = (
        "## What is a cookie?\na\n## What is an ORM?\nb\n## What is a feature branch?\nc\n"
        "## In what ways is GraphQL unlike REST?\nd"
    )
    match = match_paper(paper, wordings)
    assert match.answers["rest"].text == "d"
    assert [doubt.question for doubt in match.doubtful] == ["rest"]


def test_a_paper_without_any_known_question_is_all_unmatched(wordings):
    match = match_paper("Just some text.\n\nAnd more.", wordings)
    assert match.unmatched == ("Just some text.", "And more.")
    assert match.found == 0
    assert match.needs_attention


def test_an_answer_that_begins_beside_its_question_keeps_its_paragraphs_apart(wordings):
    match = match_paper("What is a cookie? A small text.\n\nA browser keeps it.", wordings)
    assert match.answers["cookie"].text == "A small text.\n\nA browser keeps it."
