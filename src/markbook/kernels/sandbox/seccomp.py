"""The system calls that a student's code does not get, as a filter for Linux's seccomp.

Honest libraries try many of them and go on when they may not, so most are refused with an
error. Numbers are from Linux's own tables; what is not listed is allowed.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from markbook.kernels.sandbox import syscalls

__all__ = ["install", "program"]

# name: number on x86_64, on aarch64 (None: not there)
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes' memory and files
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # memory that no limit of a process counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # parts of Linux that had most of its holes
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    # the machine
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
}
_CLONE3 = (435, 435)  # glibc goes on with clone, whose flags a filter can see
_CLONE, _SOCKET, _IOCTL, _KILL, _MMAP = (56, 220), (41, 198), (16, 29), (62, 129), (9, 222)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_NEW_NAMESPACES = 0x7E020000
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16  # libzmq aborts without NETLINK_ROUTE, which is 0
_TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into somebody's terminal
_SHARED_ANONYMOUS = 0x21  # pages that no process's count need show
_X32 = 0x40000000

_ALLOW, _ERROR, _DIE = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _MASK, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_SET_FILTER, _SPEC_ALLOW = 1, 4
_SECCOMP = (317, 277)


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse(number: int) -> bytes:
    return _op(_RETURN, _ERROR | number)


def _argument(index: int) -> bytes:
    return _op(_LOAD, _ARGUMENTS + 8 * index)  # the low half: both processors are little-endian


def program(machine: str, *, shared_memory: bool) -> bytes | None:
    """Return the filter for a processor, None where there is none for it.

    Without ``shared_memory`` no memory can be shared that belongs to no file: its size would be
    seen in no process.
    """
    if machine not in _ARCHITECTURES:
        return None
    which, architecture = _ARCHITECTURES[machine]
    code = [
        _op(_LOAD, _ARCHITECTURE),
        _op(_EQUAL, architecture, 1, 0),
        _op(_RETURN, _DIE),  # another processor's numbers mean other calls
        _op(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        code += [_op(_ABOVE, _X32, 0, 1), _refuse(errno.ENOSYS)]
    for numbers in _REFUSED.values():
        number = numbers[which]
        if number is not None:
            code += [_op(_EQUAL, number, 0, 1), _refuse(errno.EPERM)]
    code += [_op(_EQUAL, _CLONE3[which], 0, 1), _refuse(errno.ENOSYS)]
    code += _when(
        _CLONE[which],
        [_argument(0), _op(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM)],
    )
    code += _when(_SOCKET[which], _sockets())
    code += _when(
        _IOCTL[which],
        [
            _argument(1),
            *(op for t in _TERMINAL for op in (_op(_EQUAL, t, 0, 1), _refuse(errno.EPERM))),
        ],
    )
    # A kernel is process 1 of its namespace, which Linux lets nobody in it kill; one that kills
    # itself all the same is meant to end.
    code += _when(
        _KILL[which],
        [
            _argument(0),
            _op(_ABOVE, 2, 3, 0),
            _argument(1),
            _op(_EQUAL, 9, 0, 1),
            _op(_RETURN, _DIE),
        ],
    )
    if not shared_memory:
        shared = [_op(_MASK, _SHARED_ANONYMOUS), _op(_EQUAL, _SHARED_ANONYMOUS, 0, 1)]
        code += _when(_MMAP[which], [_argument(3), *shared, _refuse(errno.EPERM)])
    code.append(_op(_RETURN, _ALLOW))
    return b"".join(code)


def _when(number: int, then: list[bytes]) -> list[bytes]:
    """Return code for one call that ends with allowing it; the others go on after it."""
    return [_op(_EQUAL, number, 0, len(then) + 1), *then, _op(_RETURN, _ALLOW)]


def _sockets() -> list[bytes]:
    families = [_UNIX, _INET, _INET6]
    allowed = [op for f in families for op in (_op(_EQUAL, f, 0, 1), _op(_RETURN, _ALLOW))]
    return [
        _argument(0),
        *allowed,
        _op(_EQUAL, _NETLINK, 0, 3),
        _argument(2),
        _op(_EQUAL, 0, 0, 1),
        _op(_RETURN, _ALLOW),
        _refuse(errno.EAFNOSUPPORT),
    ]


def install(code: bytes) -> None:
    """Put this process, and all it starts, under the filter. It must have one thread."""
    which, _ = _ARCHITECTURES[syscalls.machine()]
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    syscalls.call(_SECCOMP[which], _SET_FILTER, _SPEC_ALLOW, header)
