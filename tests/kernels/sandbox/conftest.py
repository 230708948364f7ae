"""Bubblewrap, without which nothing is locked up."""

from __future__ import annotations

import os

import pytest

from markbook.kernels.sandbox.bwrap import find_bwrap


@pytest.fixture(scope="session")
def bubblewrap() -> str:
    """Bubblewrap's program; skips where there is none, but never in CI."""
    program = find_bwrap()
    if program is None:
        hint = "bubblewrap is missing; on Debian: sudo apt-get install bubblewrap"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{hint} (in CI the sandbox has to be attacked)")
        pytest.skip(hint)
    return program
