"""Sockets that were bound outside: who listens, and what is left of processes that were killed."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zmq

from markbook.kernels.sandbox.sockets import CHANNELS, adopt, listen, own_prefix, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's."""
    with tempfile.TemporaryDirectory(prefix="mbt-") as folder:
        yield Path(folder)


def test_a_socket_that_was_bound_elsewhere_is_spoken_to_by_its_path(short: Path) -> None:
    connection = {"transport": "ipc", "ip": f"{short}/k"}
    connection |= {f"{name}_port": number for number, name in enumerate(CHANNELS, 1)}
    files = [listen(f"{short}/k-{number}").detach() for number in range(1, 6)]
    usual = zmq.Socket.bind
    with zmq.Context() as context:
        adopt(connection, files)
        servers = [context.socket(zmq.REP) for _ in CHANNELS]
        for number, server in enumerate(servers, 1):
            server.bind(f"ipc://{short}/k-{number}")
        assert zmq.Socket.bind is usual, "after the last one, sockets bind as ever"
        for number, server in enumerate(servers, 1):
            with context.socket(zmq.REQ) as client:
                client.connect(f"ipc://{short}/k-{number}")
                client.send(b"hello")
                assert server.recv() == b"hello"
                client.linger = 0
            server.close(linger=0)


def test_old_sockets_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    old = time.time() - 200_000
    names = {f"mbk-box{gone.pid}-old": old, f"mbk-box{gone.pid}-new": time.time(),
             f"{own_prefix()}alive": old, "mbk-other": old}  # fmt: skip
    for name, when in names.items():
        (tmp_path / name).mkdir()
        with socket.socket(socket.AF_UNIX) as one:
            here = os.open(tmp_path / name, os.O_RDONLY)
            one.bind(f"/proc/self/fd/{here}/k-1")
            os.close(here)
        os.utime(tmp_path / name, (when, when))
    sweep(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(list(names)[1:])
