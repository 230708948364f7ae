"""The filter of system calls, read by a small machine of the test's own."""

from __future__ import annotations

import errno
import struct

import pytest

from markbook.kernels.sandbox.seccomp import program

X86, ARM = 0xC000003E, 0xC00000B7
ALLOW, DIE = 0x7FFF0000, 0x80000000


def verdict(
    machine: str, architecture: int, number: int, *arguments: int, shared: bool = True
) -> int:
    """Run the filter as Linux does: 8 bytes an operation, an accumulator, jumps ahead only."""
    code = program(machine, shared_memory=shared)
    assert code is not None
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(*arguments, *[0] * 6)[:6])
    at = accumulator = 0
    while True:
        operation, yes, no, value = struct.unpack_from("=HBBI", code, at * 8)
        at += 1
        if operation == 0x06:
            return value
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif operation == 0x54:
            accumulator &= value
        else:
            test = {0x15: accumulator == value, 0x35: accumulator >= value,
                    0x45: bool(accumulator & value)}[operation]  # fmt: skip
            at += yes if test else no


def refused(number: int) -> int:
    return 0x00050000 | number


@pytest.mark.parametrize(
    ("machine", "architecture", "ptrace", "read", "clone", "socket", "kill", "mmap"),
    [("x86_64", X86, 101, 0, 56, 41, 62, 9), ("aarch64", ARM, 117, 63, 220, 198, 129, 222)],
)
def test_calls_are_judged_by_number_and_arguments(  # noqa: PLR0913  (numbers of one processor)
    machine: str, architecture: int, ptrace: int, read: int, clone: int, socket: int, kill: int,
    mmap: int,
) -> None:  # fmt: skip
    def judged(number: int, *arguments: int, shared: bool = True) -> int:
        return verdict(machine, architecture, number, *arguments, shared=shared)

    assert judged(read) == ALLOW
    assert judged(ptrace) == refused(errno.EPERM)
    assert judged(435) == refused(errno.ENOSYS)
    assert judged(clone, 17) == ALLOW
    assert judged(clone, 0x10000000 | 17) == refused(errno.EPERM)
    assert judged(socket, 1, 1) == ALLOW
    assert judged(socket, 16, 3, 0) == ALLOW
    assert judged(socket, 16, 3, 15) == refused(errno.EAFNOSUPPORT)
    assert judged(socket, 17, 3) == refused(errno.EAFNOSUPPORT)
    assert judged(kill, 1, 9) == DIE
    assert judged(kill, 1, 15) == ALLOW
    assert judged(kill, 7, 9) == ALLOW
    assert judged(mmap, 0, 1, 3, 0x21) == ALLOW
    assert judged(mmap, 0, 1, 3, 0x21, shared=False) == refused(errno.EPERM)
    assert judged(mmap, 0, 1, 3, 0x22, shared=False) == ALLOW
    assert judged(mmap, 0, 1, 3, 0x01, shared=False) == ALLOW


def test_another_processors_calls_end_the_process() -> None:
    assert verdict("x86_64", 0x40000003, 11) == DIE


def test_calls_of_x32_are_refused() -> None:
    assert verdict("x86_64", X86, 0x40000000 | 101) == refused(errno.ENOSYS)


def test_a_processor_that_is_not_known_has_no_filter() -> None:
    assert program("riscv64", shared_memory=True) is None
