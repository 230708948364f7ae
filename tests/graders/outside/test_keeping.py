"""Budget, cache and log by themselves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from markbook.graders.outside import Limits, Reason
from markbook.graders.outside.budget import Budget
from markbook.graders.outside.cache import Cache
from markbook.graders.outside.log import Log

if TYPE_CHECKING:
    from pathlib import Path


def test_no_race_spends_more_than_there_is() -> None:
    budget = Budget(Limits(requests=100, tokens=10_000))

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda _: budget.reserve(1), range(1_000)))

    assert sum(problem is None for problem in said) == budget.requests == 100


def test_a_request_that_would_not_fit_is_not_made() -> None:
    budget = Budget(Limits(requests=10, tokens=100))

    assert budget.reserve(60) is None
    problem = budget.reserve(60)

    assert problem is not None
    assert problem.reason is Reason.BUDGET_TOKENS
    assert (budget.requests, budget.tokens) == (1, 60)


def test_tokens_that_were_not_used_may_be_used_later() -> None:
    budget = Budget(Limits(requests=10, tokens=100))
    budget.reserve(90)

    budget.settle(90, 10)

    assert budget.reserve(90) is None


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b'{"key": "other", "content": "x"}', b'{"content": 3}']
)
def test_a_file_that_is_no_reply_of_ours_counts_as_none(tmp_path: Path, content: bytes) -> None:
    cache = Cache(tmp_path)
    key = cache.key({"a": 1})
    cache.put(key, "said")
    assert cache.get(key) == "said"
    (path,) = tmp_path.rglob("*.json")

    path.write_bytes(content)

    assert cache.get(key) is None


def test_the_order_of_what_is_asked_makes_no_other_key(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    assert cache.key({"a": 1, "b": 2}) == cache.key({"b": 2, "a": 1}) != cache.key({"a": 2})


@pytest.mark.parametrize("secret", ["abcdef", 'ab"cd\\ef'])
def test_a_secret_is_cut_out_of_every_depth_of_a_line(tmp_path: Path, secret: str) -> None:
    log = Log(tmp_path, [secret])

    log.write("q", {"a": [{"b": f"x{secret}x"}], secret: json.dumps({"c": secret}), "n": 1})

    text = (tmp_path / "q.jsonl").read_text()
    assert secret not in text
    assert json.dumps(secret)[1:-1] not in json.loads(text)["[secret]"]
    assert text.count("[secret]") == 3


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    log = Log(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log.write("q", {"n": n, "text": "\u2028 \n" * 500}), range(100)))

    lines = (tmp_path / "q.jsonl").read_bytes().split(b"\n")
    assert sorted(json.loads(line)["n"] for line in lines if line) == list(range(100))
