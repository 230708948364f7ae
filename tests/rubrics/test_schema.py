"""The JSON Schema that editors use says the same as the reader."""

from __future__ import annotations

import json

import jsonschema
import pytest
from ruamel.yaml import YAML

from markbook.rubrics import rubric_document, rubric_json_schema
from markbook.rubrics.schema import write_json_schema
from markbook.rubrics.splice import DEFAULTS
from markbook.rubrics.version import rubric_from_document


def test_the_published_schema_is_the_one_of_the_code(repository) -> None:
    published = repository / "docs" / "reference" / "rubric.schema.json"
    assert json.loads(published.read_text()) == rubric_json_schema()


def test_writing_the_schema_twice_changes_nothing(tmp_path) -> None:
    assert write_json_schema(tmp_path / "schema.json")
    assert not write_json_schema(tmp_path / "schema.json")


def test_every_rubric_of_the_course_passes_the_schema(repository) -> None:
    check = jsonschema.Draft202012Validator(rubric_json_schema())
    paths = sorted((repository / "graders").glob("*/*.yaml"))
    assert paths
    for path in paths:
        check.validate(YAML(typ="safe").load(path.read_text()))


@pytest.mark.parametrize("key", ["evidense", "version"])
def test_the_schema_refuses_an_unknown_key(key) -> None:
    document = {"question": "q", "criteria": [{"id": "a", "points": 1, "says": "a"}], key: 1}
    with pytest.raises(jsonschema.ValidationError, match=key):
        jsonschema.validate(document, rubric_json_schema())


def test_the_defaults_of_reader_writer_and_model_agree() -> None:
    criterion = {"id": "a", "points": 1.0, "says": "a"}
    document = rubric_document(rubric_from_document({"question": "q", "criteria": [criterion]}))
    top = {key: value for key, value in document.items() if key in DEFAULTS}
    inner = {key: value for key, value in document["criteria"][0].items() if key in DEFAULTS}
    assert top | inner == DEFAULTS
    schema = rubric_json_schema()["properties"]
    for key, value in top.items():
        assert schema[key].get("default", []) == value


def test_every_key_is_described_in_the_reference(repository) -> None:
    text = (repository / "docs" / "reference" / "rubric-file.md").read_text()
    schema = rubric_json_schema()
    keys = set(schema["properties"])
    for part in schema["$defs"].values():
        keys |= set(part["properties"])
    assert {key for key in keys if f"`{key}`" not in text} == set()
