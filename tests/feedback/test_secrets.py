"""Hidden tests and model answers are known again in what code prints, and nothing else is."""

from __future__ import annotations

import pytest

from markbook.feedback.secrets import Secrets, find_secrets

TEST = """assert add(1, 2) == 3
### BEGIN HIDDEN TESTS
assert add(20, 22) == 42, 'the answer'
assert add(1, 2) == 3
x = 1
### END HIDDEN TESTS"""
MODEL = """def add(a, b):
    ### BEGIN SOLUTION
    total = sum((a, b))  # the model
    return total
    ### END SOLUTION"""
SECRETS = find_secrets(["What is a sum?", MODEL, TEST])


def leaks(text, own=(), *, models_too=True):
    return SECRETS.keeper(own, models_too=models_too)(text)


@pytest.mark.parametrize(
    "text",
    [
        TEST,
        repr(TEST),
        "['assert add(20, 22) == 42, \\'the answer\\'\\n']",
        "assert add(20,22)==42,\n'the answer'",
        "a  s s ert add(20, 22) == 42, 'the answer'",
        "### BEGIN HIDDEN TESTS",
        "total = sum((a, b))  # the model",
    ],
)
def test_a_line_of_a_hidden_test_or_of_the_model_is_found(text):
    assert leaks(text)


@pytest.mark.parametrize(
    "text", ["", "3", "assert add(1, 2) == 3", "x = 1", "return total", "the answer", "add(20, 22)"]
)
def test_what_stands_in_the_open_or_in_every_program_is_no_secret(text):
    assert not leaks(text)


def test_a_students_own_line_is_no_secret_even_when_the_model_has_it():
    line = "total = sum((a, b))  # the model"
    assert not leaks(f"Traceback: {line}", own=["def add(a, b):\n", f"    {line}"])
    assert leaks(f"{line} {TEST}", own=[line])


def test_model_answers_that_are_shown_anyway_are_no_secret():
    assert not leaks("total = sum((a, b))  # the model", models_too=False)
    assert leaks(TEST, models_too=False)


def test_a_notebook_without_secrets_hides_nothing():
    assert find_secrets(["plain", "assert f(1)"]) == Secrets()
    assert not Secrets().keeper([], models_too=True)("anything")
