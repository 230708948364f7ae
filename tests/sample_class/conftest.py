"""Papers that the collector does not read rightly yet, each with its reason.

The truth stays as its author wrote it. The marks are strict: once the collector reads a paper, the
suite fails until its line here is deleted.
"""

from __future__ import annotations

import pytest

NOT_YET = {
    "tricky:exported-from-a-word-processor": (
        "a non-breaking blank after a list number hides the number, and then the answer "
        "'A “JSON Web Token”.' is taken for the question"
    ),
    "tricky:answers-closer-than-questions": (
        "a statement near the usual wording is taken for the question "
        "instead of the sloppy one above it"
    ),
}
HOLDS_ALREADY = "test_no_word_is_kept_twice_or_made_up"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function) or item.originalname == HOLDS_ALREADY:
            continue
        callspec = getattr(item, "callspec", None)
        if callspec is not None and "paper" in callspec.params and callspec.id in NOT_YET:
            item.add_marker(pytest.mark.xfail(reason=NOT_YET[callspec.id], strict=True))
