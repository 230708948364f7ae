"""The example of the reference is a rubric."""

from __future__ import annotations

from markbook.rubrics import parse_rubric


def test_the_example_of_the_reference_is_a_valid_rubric(repository) -> None:
    text = (repository / "docs" / "reference" / "rubric-file.md").read_text()
    example = text.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert len(parse_rubric(example).criteria) == 3
