"""Tries every attack of ``attacks.py``, open and locked up, as whoever runs this: prints JSON.

``python runner.py FOLDER``: the folder is this run's own. What is attacked is made here: sockets
that answer, secrets in files and in an environment, a process to kill.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))
from attacks import ATTACKS, Attack
from nbformat.v4 import new_code_cell, new_notebook

import markbook
from markbook.kernels.execute import execute
from markbook.kernels.limits import Limits
from markbook.kernels.sandbox.bounds import Bounds
from markbook.kernels.sandbox.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 60.0


def main() -> None:
    folder = Path(sys.argv[1])
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)
    who = "root" if os.getuid() == 0 else "user"
    names = _victims(folder)
    found: dict[str, Any] = {"who": who, "uid": os.getuid(), "attacks": {}}
    for attack in ATTACKS:
        tried: dict[str, Any] = {}
        if who in attack.works:
            tried["open"] = _try(attack, names, folder, locked=False)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tried["locked"] = _try(attack, names, folder, locked=True)
        tried["grown"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        tried["survivors"] = _named(names["{lasting}"])
        found["attacks"][attack.name] = tried
    sys.stdout.write(json.dumps(found))


def _try(attack: Attack, names: dict[str, str], folder: Path, *, locked: bool) -> dict[str, Any]:
    # The secret is in an environment only: a command line or a cell would be no proof.
    environment = {"SECRET": names["{secret}"]}
    with subprocess.Popen(["sleep", "600"], env=environment) as victim:
        code = attack.code
        for name, value in {**names, "{victim}": str(victim.pid)}.items():
            code = code.replace(name, value)
        notebook = new_notebook(cells=[new_code_cell(code)])
        try:
            ran = _run(notebook, attack, folder, locked=locked)
        finally:
            survived = victim.poll() is None
            victim.kill()
    outputs = notebook.cells[0].outputs
    said = "".join(
        output.get("text", "") or f"{output.get('ename', '')}: {output.get('evalue', '')}"
        for output in outputs
    )
    stopped = ran.stopped.name if ran.stopped is not None else None
    return {"said": said[-600:], "stopped": stopped, "log": ran.log[-600:], "victim": survived}


def _run(notebook: Any, attack: Attack, folder: Path, *, locked: bool) -> Any:
    bounds = Bounds(**attack.bounds) if locked else Bounds(memory=None)
    limits = Limits(
        total_seconds=_SECONDS,
        cell_seconds=_SECONDS,
        memory=bounds.memory,
        output=1_000_000,
        messages=2_000,
    )
    if not locked:
        with tempfile.TemporaryDirectory(dir=folder) as work:
            return execute(notebook, limits=limits, cwd=Path(work))
    with Room({"part1.ipynb": b"{}"}, bounds=bounds) as room:
        return execute(notebook, limits=limits, cwd=room)


def _victims(folder: Path) -> dict[str, str]:
    home, course = folder / "home", folder / "course"
    for path in ("source/hw/part1.ipynb", "submitted/ben/hw/part1.ipynb", "gradebook.db"):
        (course / path).parent.mkdir(parents=True, exist_ok=True)
        (course / path).write_text("secret")
    home.mkdir()
    (home / "secret").write_text("secret")
    listener = socket.create_server(("127.0.0.1", 0))
    path = f"{folder}/listens"
    abstract = f"markbook-{secrets.token_hex(8)}"
    listeners = [listener]
    for name in (path, f"\0{abstract}"):
        listeners.append(socket.socket(socket.AF_UNIX))
        listeners[-1].bind(name)
        listeners[-1].listen()
    for each in listeners:
        _serve(lambda each=each: _answer(each))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    _serve(lambda: _echo(datagrams))
    return {
        "{tcp}": str(listener.getsockname()[1]),
        "{udp}": str(datagrams.getsockname()[1]),
        "{unix}": path,
        "{abstract}": abstract,
        "{home}": str(home),
        "{course}": str(course),
        "{secret}": secrets.token_hex(16),
        "{package}": str(Path(markbook.__file__).parent),
        "{prefix}": sys.prefix,
        "{temporary}": str(folder),
        "{lasting}": str(100_000 + secrets.randbelow(800_000)),
    }


def _serve(work: Callable[[], None]) -> None:
    def run() -> None:
        while True:
            work()

    threading.Thread(target=run, daemon=True).start()


def _answer(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"hello")
        connection.recv(100)


def _echo(datagrams: socket.socket) -> None:
    data, sender = datagrams.recvfrom(1000)
    datagrams.sendto(data, sender)


def _named(argument: str) -> list[int]:
    """Return the processes of this machine with an argument; those that just end get a moment."""
    until = time.monotonic() + 2
    while True:
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if argument.encode() in entry.read_bytes().split(b"\0"):
                    found.append(int(entry.parent.name))
            except OSError:
                continue
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.05)


main()
