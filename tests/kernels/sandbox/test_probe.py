"""A machine that cannot lock up student code says so, and what to do."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from markbook.errors import IsolationError
from markbook.kernels.sandbox import probe, room
from markbook.kernels.sandbox.probe import abilities, require_isolation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Look anew, before and after: what was found is kept for the process."""

    def forget() -> None:
        probe._trouble.cache_clear()
        room.wrap_of.cache_clear()

    forget()
    yield
    forget()


def _a_bwrap_that(says: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_isolation_that_is_there_is_not_refused(bubblewrap: str) -> None:
    require_isolation()
    assert all(ability.there for ability in abilities() if ability.needed), abilities()


def test_isolation_without_bubblewrap_is_refused_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "defpath", str(tmp_path))
    with pytest.raises(IsolationError, match=r"not installed.*apt-get install bubblewrap.*none"):
        require_isolation()
    found = {ability.name: ability for ability in abilities()}
    assert not found["bubblewrap"].there
    assert not found["a kernel locked up"].there


def test_isolation_that_the_machine_refuses_is_refused_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _a_bwrap_that("No permissions to create new namespace", tmp_path, monkeypatch)
    with pytest.raises(IsolationError) as raised:
        require_isolation()
    said = str(raised.value)
    assert "No permissions to create new namespace" in said
    assert "namespaces" in raised.value.hint
    assert "--isolation none" in raised.value.hint


def test_every_ability_that_is_missing_says_how_to_get_it() -> None:
    assert all(ability.how for ability in abilities())
