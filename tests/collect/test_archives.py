"""Archives are unpacked into memory, bounded, and nothing of them leads out."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markbook.collect.archives import Budget, Member, read_tar, read_zip, unpacker_for
from markbook.collect.members import clean_name, unpack
from markbook.errors import PaperError


def zipped(*entries, kind=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(*entries):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for info, data in entries:
            info = tarfile.TarInfo(info) if isinstance(info, str) else info
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def opened(data, name):
    return unpack(unpacker_for(Path(name))(data, Budget.of(len(data))))


TAR = tarred(("ada/a.md", b"one"), ("b.txt", b"two"))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.zip", zipped(("ada/a.md", "one"), ("b.txt", "two"))),
        ("x.ZIP", zipped(("ada\\a.md", "one"), ("./b.txt", "two"))),
        ("x.zip", zipped(("ada/a.md", "one"), ("b.txt", "two"), kind=zipfile.ZIP_LZMA)),
        ("x.tar", TAR),
        ("x.tar.gz", gzip.compress(TAR)),
        ("x.tgz", gzip.compress(TAR)),
        ("x.tar.bz2", bz2.compress(TAR)),
        ("x.tar.xz", lzma.compress(TAR)),
    ],
)
def test_zip_and_tar_give_the_same_files(name, data):
    found = opened(data, name)
    assert (found.files, found.refused) == ({"ada/a.md": b"one", "b.txt": b"two"}, {})


def test_a_file_that_is_packed_but_no_archive_is_none():
    assert unpacker_for(Path("notes.gz")) is None
    assert unpacker_for(Path("essay.md")) is None


def special(name, kind, link="/etc/passwd"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b""


def zip_special(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = (mode | 0o644) << 16
    return info, "/etc/passwd"


def zip_encrypted():
    data = bytearray(zipped(("s.md", "text")))
    for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("x.tar", tarred(special("s", tarfile.SYMTYPE)), "it is a link, not a file"),
        ("x.tar", tarred(special("s", tarfile.LNKTYPE)), "it is a link, not a file"),
        ("x.tar", tarred(special("s", tarfile.FIFOTYPE)), "it is a pipe"),
        ("x.tar", tarred(special("s", tarfile.CHRTYPE)), "it is a pipe, device"),
        ("x.tar", tarred(("/etc/s", b"")), "its name is absolute"),
        ("x.tar", tarred(("a/../../s", b"")), "leads out of the archive"),
        ("x.zip", zipped(zip_special("s", stat.S_IFLNK)), "it is a link, not a file"),
        ("x.zip", zipped(zip_special("s", stat.S_IFIFO)), "it is a pipe"),
        ("x.zip", zipped(("/etc/s", "")), "its name is absolute"),
        ("x.zip", zipped(("C:\\s", "")), "its name is absolute"),
        ("x.zip", zipped(("\\\\host\\s", "")), "its name is absolute"),
        ("x.zip", zipped(("..\\s", "")), "leads out of the archive"),
        ("x.zip", zipped(("a/b/../s", "")), "leads out of the archive"),
        ("x.zip", zipped(("/".join("a" * 40), "")), "deeper than 32"),
        ("x.zip", zip_encrypted(), "it is encrypted"),
    ],
)
def test_what_is_no_plain_file_inside_is_refused_by_name(name, data, why):
    found = opened(data, name)
    assert found.files == {}
    ((_, said),) = found.refused.items()
    assert why in said


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_files_with_one_name_none_is_taken():
    data = zipped(
        ("A.md", "1"), ("a.md", "2"), ("gro\u0308\u00df.md", "3"), ("GR\u00d6SS.md", "4"),
        ("same", "5"), ("same", "6"), ("x", "7"), ("X/y", "8"), ("good.md", "9"),
    )  # fmt: skip
    found = opened(data, "x.zip")
    assert set(found.files) == {"good.md", "X/y"}
    assert {"A.md", "a.md", "same", "x"} <= set(found.refused)


def test_names_are_normal_and_their_changes_are_told():
    found = opened(zipped(("e\u0301.md", "1"), ("a\u202efdp\x07.md", "2")), "x.zip")
    assert set(found.files) == {"\u00e9.md", "a_fdp_.md"}
    assert "'a[U+202E]fdp[U+0007].md'" in " ".join(found.notes)


def test_what_systems_add_is_passed_over():
    litter = ("__MACOSX/._a.md", "a/.DS_Store", ".ipynb_checkpoints/a.ipynb", "good.md")
    assert set(opened(zipped(*((name, "") for name in litter)), "x.zip").files) == {"good.md"}


def bomb(name):
    nothing = b"\0" * 300_000_000
    if name.endswith("zip"):
        return zipped(("s", nothing))
    if name.endswith("tar"):
        info = tarfile.TarInfo("s")
        info.type, info.size = tarfile.REGTYPE, 10**12
        return info.tobuf() + b"x" * 1024
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[name[-3:].strip(".")](
        nothing
    )


@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz", "s.tar.bz2", "s.tar.xz", "s.tar"])
def test_a_bomb_is_refused_before_it_takes_its_memory(name):
    with pytest.raises(PaperError, match=r"unpacks to more than|damaged"):
        opened(bomb(name), name)


def test_a_lie_about_a_size_is_not_believed():
    data = bytearray(zipped(("s", b"\0" * 20_000_000)))
    at = data.index(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<L", 10)
    with pytest.raises(PaperError):
        opened(bytes(data), "s.zip")


def test_bombs_inside_each_other_share_one_allowance():
    inner = zipped(*((f"{n}", b"\0" * 4_000_000) for n in range(2)))
    budget = Budget.of(len(inner))
    list(read_zip(inner, budget))
    with pytest.raises(PaperError, match="unpacks to more than"):
        list(read_zip(inner, budget))


@pytest.mark.parametrize("make", [zipped, tarred])
def test_too_many_files_are_refused(make, monkeypatch):
    data = make(*((f"{n}", b"") for n in range(30)))
    read = read_zip if make is zipped else read_tar
    with pytest.raises(PaperError, match="too many files"):
        list(read(data, Budget(members=10)))


def test_a_tar_whose_sizes_lead_back_ends():
    info = tarfile.TarInfo("s")
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 11 + b"\x00"  # -256, in base 256
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(PaperError):
        opened(bytes(block) * 3, "s.tar")


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\3\4", b"\x1f\x8b\x08", zipped(("a", "b"))[:-30], TAR[:700], b"x" * 2000],
    # Names of their own: a zip holds the time, and xdist's workers have to find the same tests.
    ids=["empty", "zip's start", "gzip's start", "zip cut off", "tar cut off", "no archive"],
)
@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_a_damaged_archive_is_named(name, data):
    if name == "a.tar" and data in {b"", TAR[:700]}:
        return  # an empty tar, and one cut off in a file
    with pytest.raises(PaperError, match="damaged"):
        opened(data, name)


PART = st.sampled_from(["..", ".", "", "a", "C:", "\u202e", "\x00", "x" * 300, "e\u0301", "\ud800"])
NAME = st.lists(PART | st.text(max_size=5), max_size=6).flatmap(
    lambda parts: st.sampled_from(["/", "\\"]).map(lambda by: by.join(parts))
)


@given(NAME)
def test_a_clean_name_stays_inside_and_stays_clean(raw):
    name, fault = clean_name(raw)
    assert bool(name) != bool(fault)
    if name:
        path = Path("/course/submitted/ada/hw") / name
        assert path.resolve().is_relative_to("/course/submitted/ada/hw")
        assert all(len(part.encode()) <= 255 for part in name.split("/"))
        assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in name)
        assert clean_name(name) == (name, "")


@given(st.lists(NAME, max_size=8))
def test_every_member_is_taken_or_refused_and_no_two_fall_together(names):
    found = unpack(Member(name, b"x") for name in names)
    folded = [name.casefold() for name in found.files]
    assert len(set(folded)) == len(folded)
    assert all(isinstance(why, str) and why for why in found.refused.values())


@given(st.binary(max_size=600), st.sampled_from(["a.zip", "a.tar", "a.tgz", "a.txz", "a.tbz2"]))
def test_any_bytes_are_an_archive_or_a_named_error(data, name):
    try:
        opened(data, name)
    except PaperError as error:
        said = error.hint
    else:
        said = "ok"
    assert said


@given(st.data())
def test_a_changed_byte_never_gives_an_error_without_a_name(data):
    whole = bytearray(data.draw(st.sampled_from([ZIP, TAR, gzip.compress(TAR)])))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for name in ("a.zip", "a.tar"):
        try:
            opened(bytes(whole), name)
        except PaperError:
            continue


ZIP = zipped(("ada/a.md", "one"), ("b.txt", "two" * 100))
