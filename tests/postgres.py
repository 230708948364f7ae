"""A real PostgreSQL for the tests: started on 127.0.0.1 in a temporary folder, stopped at exit.

Loaded by the conftest of the folders that use it (test modules may not import each other).
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

USER = "markbook"
HOW = "needs PostgreSQL: run tools/install-debian.sh"

_numbers = itertools.count(1)


def programs() -> Path | None:
    """Return the folder of initdb and postgres, the newest of Debian's or that on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _as_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: Debian's package brings an account for it."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


_running: list[tuple[subprocess.Popen[bytes], str, Path]] = []


def server() -> str:
    """Start the server, once a session; return the address of its databases without a name.

    One that went down is followed by another, and what it said is shown.
    """
    if _running and _running[-1][0].poll() is None:
        return _running[-1][1]
    if _running:
        sys.stderr.write(f"PostgreSQL went down: {_running[-1][2].read_text()[-2000:]}\n")
    return _start()


def _start() -> str:
    bin_folder = programs()
    assert bin_folder is not None, HOW
    folder = Path(tempfile.mkdtemp(prefix="markbook-postgres-"))
    atexit.register(_remove, os.getpid(), folder)
    prefix = _as_user(folder)
    data = folder / "data"
    subprocess.run(
        [*prefix, str(bin_folder / "initdb"), "-D", str(data), "-A", "trust", "-U", USER,
         "-E", "UTF8"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*prefix, str(bin_folder / "postgres"), "-D", str(data), "-p", str(port),
             "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
        )  # fmt: skip
    atexit.register(_stop, os.getpid(), process, data, prefix, bin_folder)
    url = f"postgresql+psycopg://{USER}@127.0.0.1:{port}/"
    _wait(url, process)
    _running.append((process, url, log))
    return url


def _stop(owner, process, data, prefix, bin_folder) -> None:
    if os.getpid() != owner:
        return  # a child that a test forked ends; the server goes on
    subprocess.run(
        [*prefix, str(bin_folder / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"],
        check=False, capture_output=True, cwd=data.parent,
    )  # fmt: skip
    process.wait(timeout=20)


def _remove(owner, folder) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, process) -> None:
    import psycopg

    address = url.replace("+psycopg", "") + "postgres"
    for _ in range(300):
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL did not start"
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL did not answer within 30 seconds")


def database(template: str = "template1") -> str:
    """Make a database, a copy of ``template`` (its name), and return its address."""
    import psycopg

    name = f"book{next(_numbers)}"
    address = server().replace("+psycopg", "") + "postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server() + name
