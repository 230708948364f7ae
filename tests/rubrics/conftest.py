"""Rubrics to read and to write."""

from __future__ import annotations

import textwrap

import pytest

TEXT = """\
# What the course wants to hear about keys.
question: keys            # the cell's id
start: "zero"

# --- what earns points ---
criteria:
  # the heart of it
  - id: secret
    points: 2   # worth most
    says: 'It says that the key is secret.'
    evidence:
      - a key is secret     # as most say it
      # with other words
      - "nobody else: may have it"
    feedback: >-
      Say what happens when somebody else
      gets the key.
  # --- misconceptions ---
  - id: public
    points: -1.50
    says: Takes the key for
      something public.
  - {id: half, points: 1, says: Half of it.}
pick_one: [[secret, half]]   # never both
floor: 0
exemplars:
  - text: |
      A key is secret.

      Keep it so.
    earns: [secret]
# the end
"""


@pytest.fixture
def rubric_text() -> str:
    return TEXT


@pytest.fixture
def rubric_file(tmp_path):
    """Write text as the rubric file of ``keys`` and return its path."""

    def write(text: str = TEXT, name: str = "keys.yaml"):
        path = tmp_path / name
        path.write_bytes(textwrap.dedent(text).encode())
        return path

    return write
