"""The options of the adapter: only addresses, only names of variables, and no secret repeated."""

from __future__ import annotations

from typing import Any

import pytest

from markbook.errors import CourseError, UsageError
from markbook.graders.outside import open_suggester, suggester_names

KEY = "sk-proj-0123456789"
GOOD: dict[str, Any] = {"url": "http://127.0.0.1:1/v1", "model": "m"}


def opened(environment: dict[str, str] | None = None, **options: Any) -> Any:
    given = {name: value for name, value in {**GOOD, **options}.items() if value is not None}
    suggester, _ = open_suggester("openai-compatible", given, environment or {})
    suggester.close()
    return suggester


def test_ours_is_registered_as_any_other_would_be() -> None:
    assert "openai-compatible" in suggester_names()


def test_a_suggester_that_nobody_installed_is_an_error_with_those_that_are_there() -> None:
    with pytest.raises(UsageError, match="openai-compatible"):
        open_suggester("clippy", {}, {})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": None}, "'url' is missing"),
        ({"url": "ftp://host/v1"}, "http:// or https://"),
        ({"url": "file:///etc/passwd"}, "http:// or https://"),
        ({"url": "127.0.0.1:80/v1"}, "http"),
        ({"url": "http://"}, "http:// or https://"),
        ({"url": "http://host:99999/v1"}, "not an address"),
        ({"url": "http://[::1/v1"}, "not an address"),
        ({"url": f"https://me:{KEY}@host/v1"}, "more than an address"),
        ({"url": f"https://host/v1?api_key={KEY}"}, "more than an address"),
        ({"url": "http://host/v1\r\nX: y"}, "http:// or https://"),
        ({"model": None}, "'model' is missing"),
        ({"model": " "}, "'model' is missing"),
        ({"key": KEY}, "does not belong into a file"),
        ({"api_key": KEY}, "does not belong into a file"),
        ({"key_variable": KEY}, "not the name of an environment variable"),
        ({"key_variable": "NOT_SET"}, "NOT_SET is not set"),
        ({"key_variable": "ODD"}, "ODD holds characters"),
        ({"modle": "x"}, "'modle' is not an option"),
        ({"timeout": 0}, "'timeout' is 0"),
        ({"timeout": float("nan")}, "'timeout' is nan"),
        ({"timeout": "60"}, "'timeout' is '60'"),
        ({"requests": 0}, "'requests' is 0"),
        ({"requests": True}, "'requests' is True"),
        ({"tokens": 1.5}, "'tokens' is 1.5"),
        ({"parallel": 500}, "'parallel' is 500"),
        ({"extra": []}, "'extra' has to be a dict"),
        ({"extra": {"messages": []}}, "'extra' may not set 'messages'"),
        ({"extra": {"x": {1, 2}}}, "no JSON"),
    ],
)
def test_an_option_that_makes_no_sense_is_named_and_no_secret_repeated(
    options: dict[str, Any], says: str
) -> None:
    with pytest.raises(CourseError) as raised:
        opened({"ODD": "two words"}, **options)

    assert says in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8080/v1", True),
        ("https://127.0.0.1.example.org/v1", False),
        ("https://api.example.org/v1", False),
        ("http://192.168.0.7/v1", False),
        ("http://localhost.example.org/v1", False),
    ],
)
def test_only_this_machine_is_this_machine(url: str, local: bool) -> None:
    assert opened(url=url).local is local


def test_a_key_is_read_from_the_variable_that_is_named() -> None:
    assert opened({"MY_KEY": f" {KEY}\n"}, key_variable="MY_KEY").secrets == (KEY,)
