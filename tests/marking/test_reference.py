"""The reference names all that rules and reports can say."""

from __future__ import annotations

from markbook.marking import Facts, WaitingReason


def test_every_name_and_reason_is_in_the_reference(repository) -> None:
    text = (repository / "docs" / "reference" / "accept-rules.md").read_text()
    names = {*Facts.__slots__, *map(str, WaitingReason)}
    assert {name for name in names if f"`{name}`" not in text} == set()
