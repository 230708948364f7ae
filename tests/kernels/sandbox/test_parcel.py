"""A submission's files cross as bytes: what is made of them lies below the folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.kernels.sandbox.parcel import pack, read_inputs, unpack

if TYPE_CHECKING:
    from pathlib import Path


def unpacked(folder: Path, *layers: dict[str, bytes]) -> dict[str, bytes]:
    folder.mkdir()
    unpack(pack(layers), str(folder))
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    files = {"a": b"1", "b/c/d.txt": b"\0\xff", "ü 字": b""}
    assert unpacked(tmp_path / "in", files) == files


def test_an_upper_layer_covers_a_lower_one(tmp_path: Path) -> None:
    found = unpacked(
        tmp_path / "in", {"a": b"upper", "d": b""}, {"a": b"lower", "d/e": b"", "f": b"1"}
    )
    assert found == {"a": b"upper", "d": b"", "f": b"1"}


def test_a_parcel_can_be_opened_again(tmp_path: Path) -> None:
    parcel = pack([{"a": b"1"}])
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        unpack(os.dup(parcel), str(tmp_path / name))
        assert (tmp_path / name / "a").read_bytes() == b"1"
    os.close(parcel)


@given(st.dictionaries(st.text(alphabet="a./\\", min_size=1, max_size=8), st.just(b"x")))
def test_no_path_leads_out(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("outer")
    unpacked(folder / "in", files)
    assert [path.name for path in folder.iterdir()] == ["in"]


def test_a_link_that_is_there_already_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").symlink_to(tmp_path / "outside")
    unpack(pack([{"a": b"1"}]), str(tmp_path / "in"))
    assert (tmp_path / "outside").read_text() == "mine"


def test_inputs_are_files_and_folders_without_their_links(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("1")
    (tmp_path / "data" / "link").symlink_to("/etc/passwd")
    (tmp_path / "b").write_text("2")
    assert read_inputs(tmp_path, ["data", "b"]) == {"data/a": b"1", "b": b"2"}


@pytest.mark.parametrize("name", ["/etc/hostname", "../x", "gone", "link"])
def test_an_input_that_is_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="no file or folder below"):
        read_inputs(tmp_path, [name])
