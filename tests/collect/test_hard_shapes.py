"""Shapes that once put an answer at another question, or foreign words into an answer."""

from __future__ import annotations

import pytest

from markbook.collect import match_paper

COOKIE, REST, BRANCH = (
    "What is a cookie?",
    "What are some differences between GraphQL and REST?",
    "What is a feature branch and what are they good for?",
)


def answered(match):
    return {
        question: found.text.strip()
        for question, found in match.answers.items()
        if str(found.status) != "not-asked"
    }


def paper(*blocks):
    return "\n\n".join(blocks) + "\n"


CASES = {
    "html headings": (
        f"<h1>Homework</h1>\n<h2>{COOKIE}</h2>\n<p>a small text</p>\n<h2>{REST}</h2>\n<p>two</p>",
        {"cookie": "<p>a small text</p>", "rest": "<p>two</p>"},
    ),
    "points in brackets": (
        f"### {COOKIE} (2 points)\nx\n### {REST} [5 pts]\ny\n### {BRANCH} (optional)\nz",
        {"cookie": "x", "rest": "y", "branches": "z"},
    ),
    "footnote marks and anchors": (
        f"## {COOKIE}[^1]\n\nx\n\n## {REST} {{#rest}}\n\n## {BRANCH}[^2]\n\nz",
        {"cookie": "x", "rest": "", "branches": "z"},
    ),
    "answers in brackets stay answers": (
        f"- {COOKIE} (a small text)\n- {REST} (many)\n- {BRANCH} (nothing)",
        {"cookie": "(a small text)", "rest": "(many)", "branches": "(nothing)"},
    ),
    "answer labels as headings": (
        f"# Question 1\n{COOKIE}\n# Answer\nx\n# Question 2\n{REST}\n# Answer\n",
        {"cookie": "# Answer\nx", "rest": ""},
    ),
    "a question without its mark, and a short answer below it": (
        (
            "Did you enjoy Vim more than Emacs Why or why not (nobody is wrong --- tell us how)\n"
            f"Vim.\n\n{COOKIE}\nx"
        ),
        {"editor": "Vim.", "cookie": "x"},
    ),
    "block quotes that wrap": (
        (
            "> What are some differences\n> between GraphQL\n> and REST?\n\nx\n\n"
            "> What is a feature\n> branch and what are\n> they good for?\n\ny"
        ),
        {"rest": "x", "branches": "y"},
    ),
    "a list of contents above": (
        f"- {COOKIE}\n- {REST}\n\n---\n\n{COOKIE}\n\nx\n\n{REST}\n\ny",
        {"cookie": "x", "rest": "y"},
    ),
    "a statement like another question": (
        f"{COOKIE}\n\nAn HTTP cookie.\n\n{REST}\n\nThere are some differences.",
        {"cookie": "An HTTP cookie.", "rest": "There are some differences."},
    ),
    "a fence around the whole paper": (
        f"```markdown\n- {COOKIE}\n\t- x\n- {REST}\n\t- y\n```",
        {"cookie": "- x", "rest": "- y"},
    ),
    "a sub-heading that repeats half of its question": (
        (
            "## What is an ORM? What are some advantages and disadvantages?\n\n"
            "**What is an ORM?**\n\nx"
            f"\n\n**What is good?**\n\ny\n\n## {REST}\n\nz"
        ),
        {"orm": "**What is an ORM?**\n\nx\n\n**What is good?**\n\ny", "rest": "z"},
    ),
    "a heading named by one word, and its answer": (
        f"# Cookie\na text\n# {REST}\ntwo\n# {BRANCH}\nx",
        {"rest": "two", "branches": "x"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_answers_stand_at_their_questions_in_hard_shapes(name, wordings):
    text, told = CASES[name]
    match = match_paper(text, wordings)
    assert {q: a for q, a in answered(match).items() if q in told} == told
    assert set(answered(match)) <= {*told, "cookie"}


@pytest.mark.parametrize("heading", ["## Answers", "My answers:", ""])
def test_answers_by_number_below_the_list_of_questions_are_put_at_their_questions(
    wordings, heading
):
    listed = f"1. {COOKIE}\n2. {REST}\n3. {BRANCH}"
    below = "1. a text\n\n   of two paragraphs\n\n2) many\n3. none"
    match = match_paper(paper(listed, *filter(None, [heading]), below), wordings)
    assert answered(match) == {
        "cookie": "a text\n\n   of two paragraphs",
        "rest": "many",
        "branches": "none",
    }
    assert match.unmatched == ((heading,) if heading else ())
    assert not match.needs_attention


def test_a_numbered_answer_to_the_last_question_is_not_spread_over_blank_ones(wordings):
    text = f"1. {COOKIE}\n2. {REST}\n3. {BRANCH}\n1. calm\n2. apart\n3. small\n"
    match = match_paper(text, wordings)
    assert answered(match) == {
        "cookie": "",
        "rest": "",
        "branches": "1. calm\n2. apart\n3. small",
    }


def test_an_unknown_question_with_its_own_number_is_no_part_of_the_answer_above_it(wordings):
    text = f"1. {COOKIE}\nx\n2. Your favourite dish\nrice\n3. {REST}\ny\n4. {BRANCH}\nz\n"
    match = match_paper(text, wordings)
    assert answered(match) == {"cookie": "x", "rest": "y", "branches": "z"}
    assert match.unmatched == ("2. Your favourite dish\nrice",)


def test_the_same_question_answered_twice_loses_neither_answer(wordings):
    text = paper(f"## {COOKIE}", "x", f"## {REST}", "y", f"## {COOKIE}", "and more")
    match = match_paper(text, wordings)
    assert answered(match) == {"cookie": "x", "rest": "y"}
    assert match.unmatched == (f"## {COOKIE}\n\nand more",)


def test_a_section_above_nested_questions_is_not_the_end_of_an_answer(wordings):
    text = f"- Web\n\t- {COOKIE}\n\t\t- x\n\t- {REST}\n\t\t- y\n- Git\n\t- {BRANCH}\n\t\t- z\n"
    match = match_paper(text, wordings)
    assert answered(match) == {"cookie": "- x", "rest": "- y", "branches": "- z"}
    assert match.unmatched == ("- Web", "- Git")


def test_a_paper_in_which_no_wording_is_known_is_listed_for_a_person(wordings):
    match = match_paper("- What is a session at login for you?\n\t- x\n", wordings)
    found = [q for q, a in match.answers.items() if a.matched_as]
    assert [doubt.question for doubt in match.doubtful] == found == ["session"]


def test_a_last_short_word_that_wrapped_belongs_to_the_question():
    wordings = {
        "grouping": ("What does `GROUP BY` do in a query? When would you need it?",),
        "cookie": ("What is a cookie?",),
    }
    paper = (
        "#### What does GROUP BY do in a query? When would you need\nit\n\n"
        "it is for sums\n\n#### What is a cookie?\n\nfood\n"
    )
    found = match_paper(paper, wordings)
    assert found.answers["grouping"].text == "it is for sums"
    assert found.answers["cookie"].text == "food"
