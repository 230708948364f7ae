"""What a student's code could try, as cells. One that gets somewhere prints ESCAPED.

``{names}`` in braces are filled in by ``runner.py``, which makes what is attacked: sockets that
answer, secrets in files and environments, a process to kill. ``works`` says for whom the attack
gets somewhere when nothing is locked up (``root``, ``user``), so that a test that it does not
get there otherwise can fail; it is empty where trying would harm the machine, or needs luck.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

__all__ = ["ATTACKS", "Attack"]

_BOTH = ("root", "user")


@dataclass(frozen=True)
class Attack:
    """One attack. ``stopped`` is the reason by which its kernel has to end, if it has to.

    ``says`` is a part of what it has to print when it is locked up, or of an error's name.
    """

    name: str
    code: str
    works: tuple[str, ...] = _BOTH
    stopped: str | None = None
    says: str = ""
    bounds: dict[str, float] = field(default_factory=dict)


def _cell(code: str) -> str:
    return textwrap.dedent(code).strip()


def _call(names: str, expression: str) -> str:
    """Return a cell that makes a system call by its number and tells its error."""
    return _cell(f"""
        import ctypes, errno, mmap, os
        libc = ctypes.CDLL(None, use_errno=True)
        {names}
        result = {expression}
        number = ctypes.get_errno()
        print("ESCAPED" if result >= 0 else errno.errorcode[number])
    """)


_SOCKET = """
    import socket
    with socket.socket(socket.{family}, socket.{kind}) as s:
        s.settimeout(2)
        try:
            s.{do}
            s.send(b"hello")
            print("ESCAPED" if s.recv(100) else "nothing")
        except OSError as error:
            print(error)
"""


def _socket(family: str, do: str, kind: str = "SOCK_STREAM") -> str:
    text = _SOCKET.replace("{family}", family).replace("{kind}", kind)
    return _cell(text.replace("{do}", do))


def _reads(path: str) -> str:
    return _cell(f"""
        try:
            print("ESCAPED" if open({path!r}, "rb").read() else "empty")
        except OSError as error:
            print(error)
    """)


def _writes(path: str, *, mode: str = "a") -> str:
    return _cell(f"""
        import os
        new = not os.path.exists({path!r})
        try:
            with open({path!r}, {mode!r}):
                print("ESCAPED")
            if new:
                os.unlink({path!r})
        except OSError as error:
            print(error)
    """)


_MB = 1024**2
_SMALL = {"memory": 300 * _MB, "disk": 50 * _MB}

NETWORK = [
    Attack("a TCP connection to this machine", _socket("AF_INET", "connect(('127.0.0.1', {tcp}))")),
    Attack(
        "a UDP message to this machine",
        _socket("AF_INET", "connect(('127.0.0.1', {udp}))", "SOCK_DGRAM"),
    ),
    Attack(
        "a question to a name server",
        _cell(r"""
            import socket
            query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
            query += b"\x07example\x03org\x00\x00\x01\x00\x01"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(2)
                try:
                    s.sendto(query, ("127.0.0.1", {udp}))
                    print("ESCAPED" if s.recvfrom(1000) else "nothing")
                except OSError as error:
                    print(error)
        """),
    ),
    Attack("a socket by its path", _socket("AF_UNIX", "connect('{unix}')")),
    Attack("an abstract socket", _socket("AF_UNIX", "connect('\\0{abstract}')")),
    Attack(
        "another machine",
        _cell("""
            import socket
            with socket.socket() as s:
                s.settimeout(2)
                try:
                    s.connect(("192.0.2.1", 80))
                    print("ESCAPED")
                except OSError as error:
                    print(error)
        """),
        works=(),
        says="unreachable",
    ),
    Attack(
        "interfaces but the loop",
        _cell("""
            import socket
            names = [name for _, name in socket.if_nameindex()]
            print("ESCAPED" if names != ["lo"] else names)
        """),
        works=(),
    ),
]

READING = [
    Attack("a file at home", _reads("{home}/secret")),
    Attack("the model answers", _reads("{course}/source/hw/part1.ipynb")),
    Attack("another student's work", _reads("{course}/submitted/ben/hw/part1.ipynb")),
    Attack("the gradebook", _reads("{course}/gradebook.db")),
    Attack("the list of users", _reads("/etc/passwd")),
    Attack("this machine's log and run folders", _cell("""
        import os
        print("ESCAPED" if any(os.path.isdir(p) for p in ("/run", "/var", "/home", "/srv")) else 0)
    """)),
    Attack(
        "the environment of another process",
        _cell("""
            import glob
            found = False
            for path in glob.glob("/proc/[0-9]*/environ"):
                try:
                    found = found or b"{secret}" in open(path, "rb").read()
                except OSError:
                    pass
            print("ESCAPED" if found else "not found")
        """),
    ),
    Attack(
        "the list of processes",
        _cell("""
            import os
            others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) == {victim}]
            print("ESCAPED" if others else "only its own")
        """),
    ),
    Attack(
        "files by way of another process's root",
        _cell("""
            import glob
            found = False
            for path in glob.glob("/proc/[0-9]*/root/{course}/gradebook.db"):
                found = True
            print("ESCAPED" if found else "not found")
        """),
    ),
    Attack("a file of the machine by way of the log", _cell("""
        import os
        found = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
                 if os.path.lexists(f"/proc/self/fd/{n}")]
        print("ESCAPED" if any("markbook-log-" in f or "/#" in f for f in found) else found)
    """), works=()),
]  # fmt: skip

WRITING = [
    Attack("the gradebook, written", _writes("{course}/gradebook.db")),
    Attack("a file at home, written", _writes("{home}/secret")),
    Attack("this package", _writes("{package}/escaped.py"), works=("root",)),
    Attack("the interpreter's folder", _writes("{prefix}/escaped.py"), works=("root",)),
    Attack("the system", _writes("/usr/escaped"), works=("root",)),
    Attack("the system's settings", _writes("/proc/sys/kernel/core_pattern"), works=("root",)),
    Attack("the top folder", _writes("/escaped"), works=("root",)),
    Attack("a device", _writes("/dev/escaped"), works=("root",)),
    Attack(
        "the sockets that kernels are spoken to by",
        _cell("""
            import glob, os
            found = [p for p in glob.glob("{temporary}/mbk-*/k-*") if os.access(p, os.W_OK)]
            print("ESCAPED" if found else "not found")
        """),
    ),
    Attack("a folder of the server's own", _writes("/markbook/server/escaped"), works=()),
    Attack("a folder of other kernels", _writes("/markbook/rooms/escaped"), works=()),
    Attack("a device file", _cell("""
        import os, stat
        try:
            os.mknod("disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))
            os.unlink("disk")
            print("ESCAPED")
        except OSError as error:
            print(error)
    """), works=("root",)),
]  # fmt: skip

MEMORY = [
    Attack(
        "too much memory in one process",
        "held = bytearray(400 * 1024**2)\nprint('ESCAPED')",
        says="MemoryError",
        bounds=_SMALL,
    ),
    Attack(
        "too much memory in many processes",
        _cell("""
            import os, time
            for _ in range(6):
                if os.fork() == 0:
                    held = bytearray(b"x") * (120 * 1024**2)
                    time.sleep(20)
                    os._exit(0)
            time.sleep(3)
            states = []
            for p in filter(str.isdigit, os.listdir("/proc")):
                state, parent = open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[:2]
                if int(parent) == os.getpid():
                    states.append(state)
            print("ESCAPED" if states.count("S") == 6 else states)
        """),
        bounds=_SMALL,
    ),
    Attack(
        "memory in a file without a place",
        _cell("""
            import os
            try:
                file = os.memfd_create("held")
                for _ in range(400):
                    os.write(file, bytes(1024**2))
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
        says="not permitted",
        bounds=_SMALL,
    ),
    Attack(
        "memory in segments of System V",
        _call("", "libc.shmget(0, 400 * 1024**2, 0o1600)"),
        works=(),
        says="EPERM",
        bounds=_SMALL,
    ),
    Attack(
        "memory in shared files",
        _cell("""
            import os
            try:
                with open("/dev/shm/held", "wb") as file:
                    for _ in range(100):
                        file.write(bytes(1024**2))
                print("ESCAPED")
            except OSError as error:
                print(error)
            finally:
                os.unlink("/dev/shm/held")
        """),
        says="No space left",
        bounds=_SMALL,
    ),
    Attack(
        "memory in files",
        _cell("""
            try:
                for number in range(10):
                    with open(f"held{number}", "wb") as file:
                        for _ in range(10):
                            file.write(bytes(1024**2))
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
        says="No space left",
        bounds=_SMALL,
    ),
    Attack(
        "memory that is shared and belongs to no file",
        _cell("""
            import mmap, os, time
            try:
                held = [mmap.mmap(-1, 60 * 1024**2) for _ in range(6)]
                for part in held:
                    part.write(b"x" * len(part))
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
        bounds=_SMALL,
    ),
]

PROCESSES = [
    Attack(
        "too many processes",
        _cell("""
            import os, signal, time
            started = []
            try:
                for _ in range(120):
                    pid = os.fork()
                    if pid == 0:
                        time.sleep(20)
                        os._exit(0)
                    started.append(pid)
                print("ESCAPED")
            except OSError as error:
                print(error)
            for pid in started:
                os.kill(pid, signal.SIGKILL)
        """),
        says="temporarily unavailable",
        bounds={"processes": 64},
    ),
    Attack(
        "too many files",
        _cell("""
            try:
                for number in range(2000):
                    open(f"file{number}", "w").close()
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
        says="No space left",
        bounds={"files": 1000},
    ),
    Attack(
        "too large a file",
        _cell("""
            import os
            try:
                file = os.open("large", os.O_CREAT | os.O_WRONLY)
                os.pwrite(file, b"x", 100 * 1024**2)
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
        says="File too large",
        bounds=_SMALL,
    ),
    Attack(
        "too many open files",
        _cell("""
            try:
                held = [open("/dev/null") for _ in range(500)]
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
        says="Too many open files",
        bounds={"open_files": 256},
    ),
    Attack(
        "too much processor time",
        "while True: pass",
        works=(),
        stopped="CPU",
        bounds={"cpu_seconds": 1.0},
    ),
    Attack("a flood of output", "while True: print('x' * 10_000)", works=(), stopped="OUTPUT"),
    Attack(
        "a flood of messages",
        "import sys\nwhile True:\n    print('x'); sys.stdout.flush()",
        works=(),
        stopped="MESSAGES",
    ),
    Attack("one huge message", "print('x' * 200_000_000)", works=(), stopped="OUTPUT"),
    Attack(
        "a process that outlives its kernel",
        _cell("""
            import os, subprocess
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execvp("sleep", ["sleep", "{lasting}"])
                os._exit(0)
            subprocess.Popen(["setsid", "nohup", "sleep", "{lasting}"])
        """),
        works=(),
    ),
    Attack(
        "the end of another's process",
        _cell("""
            import os, time
            try:
                os.kill({victim}, 15)
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
    ),
    Attack(
        "the end of all processes",
        _cell("""
            import os, signal
            try:
                os.kill(-1, signal.SIGKILL)
            except OSError as error:
                print(error)
            os.kill(os.getpid(), signal.SIGKILL)
        """),
        works=(),
        stopped="DIED",
    ),
    Attack(
        "the end of the server",
        _cell("""
            import os
            try:
                os.kill(os.getppid() or 2, 0)
                print("ESCAPED" if os.getppid() else "its parent cannot be seen")
            except OSError as error:
                print(error)
        """),
    ),
    Attack(
        "a signal by a name that lasts",
        _cell("""
            import os
            try:
                os.pidfd_open({victim})
                print("ESCAPED")
            except OSError as error:
                print(error)
        """),
    ),
]

# x86_64 and aarch64 have different numbers; those above 423 are the same.
_NUMBER = "n = lambda x, a: x if os.uname().machine == 'x86_64' else a"
CALLS = [
    Attack(
        "tracing a process",
        _cell("""
            import ctypes, os
            libc = ctypes.CDLL(None, use_errno=True)
            pid = os.fork()
            if pid == 0:
                os._exit(0 if libc.ptrace(0, 0, 0, 0) == 0 else 1)
            _, status = os.waitpid(pid, 0)
            print("ESCAPED" if status == 0 else "refused")
        """),
    ),
    Attack(
        "another process's memory",
        _call(_NUMBER, "libc.syscall(n(310, 270), {victim}, None, 0, None, 0, 0)"),
        works=(),
        says="EPERM",
    ),
    Attack(
        "a user namespace",
        _cell("""
            import ctypes, os
            libc = ctypes.CDLL(None, use_errno=True)
            pid = os.fork()
            if pid == 0:
                os._exit(0 if libc.unshare(0x10000000) == 0 else 1)
            _, status = os.waitpid(pid, 0)
            print("ESCAPED" if status == 0 else "refused")
        """),
    ),
    Attack(
        "a user namespace, by clone",
        _cell("""
            import ctypes, os
            libc = ctypes.CDLL(None, use_errno=True)
            number = 56 if os.uname().machine == "x86_64" else 220
            pid = libc.syscall(number, 0x10000000 | 17, 0, 0, 0, 0)
            if pid == 0:
                os._exit(0)
            print("ESCAPED" if pid > 0 else "refused")
        """),
    ),
    Attack("clone3, whose flags no filter sees", _call("", "libc.syscall(435, None, 0)"),
           works=(), says="ENOSYS"),
    Attack("a mount", _call("", "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)"),
           works=(), says="EPERM"),
    Attack("an unmount", _call("", "libc.umount2(b'/tmp', 2)"), works=(), says="EPERM"),
    Attack("another root", _call("", "libc.chroot(b'/tmp')"), works=(), says="EPERM"),
    Attack("another's namespace", _call("f = os.open('/proc/self/ns/mnt', 0)",
           "libc.setns(f, 0)"), works=(), says="EPERM"),
    Attack("a program in the kernel", _call(_NUMBER, "libc.syscall(n(321, 280), 0, None, 0)"),
           works=(), says="EPERM"),
    Attack("page faults of one's own", _call(_NUMBER, "libc.syscall(n(323, 282), 1)"),
           works=(), says="EPERM"),
    Attack("a queue of calls", _call("p = ctypes.create_string_buffer(120)",
           "libc.syscall(425, 8, p)"), says="EPERM"),
    Attack("the kernel's keys", _call(_NUMBER, "libc.syscall(n(250, 219), 0, -3, 1, 0, 0)"),
           says="EPERM"),
    Attack("counters of the processor", _call(_NUMBER,
           "libc.syscall(n(298, 241), None, 0, -1, -1, 0)"), works=(), says="EPERM"),
    Attack("another kernel", _call(_NUMBER, "libc.syscall(n(320, 294), -1, -1, 0, None, 0)"),
           works=(), says="EPERM"),
    Attack("a module of the kernel", _call(_NUMBER, "libc.syscall(n(313, 273), -1, b'', 0)"),
           works=(), says="EPERM"),
    Attack("packets as they are", _call("", "libc.socket(17, 3, 0)"), works=("root",),
           says="EAFNOSUPPORT"),
    Attack("sockets of the kernel's ciphers", _call("", "libc.socket(38, 5, 0)"), works=(),
           says="EAFNOSUPPORT"),
    Attack("talk with the kernel", _call("", "libc.socket(16, 3, 15)"), says="EAFNOSUPPORT"),
    Attack("typing into a terminal", _call("m, s = os.openpty(); c = ctypes.c_char(b'x')",
           "libc.ioctl(s, 0x5412, ctypes.byref(c))"), works=("root",), says="EPERM"),
    Attack("a handle instead of a name", _call(_NUMBER, "libc.syscall(n(304, 265), -1, None, 0)"),
           works=(), says="EPERM"),
    Attack("a way to more rights", _cell("""
        import subprocess
        said = subprocess.run(["/bin/su", "-c", "id"], capture_output=True, input=b"").stdout
        print("ESCAPED" if b"uid=0" in said else "refused")
    """), works=("root",)),
    Attack("any right at all", _cell("""
        lines = open("/proc/self/status").read().splitlines()
        rights = [l.split()[1] for l in lines if l.startswith("Cap")]
        print("ESCAPED" if any(int(r, 16) for r in rights) else "none")
    """)),
]  # fmt: skip

ATTACKS = [*NETWORK, *READING, *WRITING, *MEMORY, *PROCESSES, *CALLS]
