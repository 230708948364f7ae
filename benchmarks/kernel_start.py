"""From nothing to the first executed cell: a cold ipykernel and a forked one, turn by turn.

Wall time in milliseconds, medians, this process pinned to ``--cores`` cores with all that it
starts. ``cold`` is what nbclient does with the kernelspec python3; ``plain`` is the same client
with markbook-python3; ``forked`` is Markbook's own manager, whose client need not wait for IOPub
to be drained. The processor time is of the kernel (all its threads) up to the end of the cell.

    python benchmarks/kernel_start.py [--rounds 15] [--cores 1] [--preload numpy,matplotlib]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from markbook.kernels.forked import ForkedKernelManager

CODE = "6 * 7"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--preload", default="", help="module names, with commas")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-chosen.cores :])
    preload = tuple(filter(None, chosen.preload.split(",")))
    print(f"load {os.getloadavg()[0]:.2f}, {chosen.cores} core(s), {chosen.rounds} rounds")
    sides = {"cold": cold, "plain": plain, "forked": forked}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(-1, chosen.rounds):
            for name in sides if number % 2 else reversed(sides):
                measured = await sides[name](folder, preload)
                if number >= 0:  # the first of each warms caches, and starts the fork server
                    found[name].append(measured)
    medians = {
        name: {step: statistics.median(turn[step] for turn in turns) for step in turns[0]}
        for name, turns in found.items()
    }
    steps = list(medians["forked"])
    print(f"{'':8}" + "".join(f"{step:>11}" for step in steps))
    for name, values in medians.items():
        print(f"{name:8}" + "".join(f"{values[step]:11.1f}" for step in steps))
    for name in ("plain", "forked"):
        ratio, whole = (medians["cold"][s] / medians[name][s] for s in ("to cell", "all"))
        print(f"cold / {name}: {ratio:.1f} to the cell, {whole:.1f} with the end")


async def cold(folder: str, preload: tuple[str, ...]) -> dict[str, float]:
    manager = AsyncKernelManager(kernel_name="python3", transport_encryption="auto")
    return await _measure(manager, folder, wait=True)


async def plain(folder: str, preload: tuple[str, ...]) -> dict[str, float]:
    return await _measure(AsyncKernelManager(kernel_name="markbook-python3"), folder, wait=True)


async def forked(folder: str, preload: tuple[str, ...]) -> dict[str, float]:
    manager = ForkedKernelManager()
    manager.preload = preload
    return await _measure(manager, folder, wait=False)


async def _measure(manager: Any, folder: str, *, wait: bool) -> dict[str, float]:
    marks = [time.perf_counter()]
    await manager.start_kernel(cwd=folder)
    marks.append(time.perf_counter())
    client = manager.client()
    client.start_channels(hb=wait)
    if wait:
        await client.wait_for_ready(timeout=60)
    else:
        await client.get_iopub_msg(timeout=60)  # the welcome: this client hears IOPub
    marks.append(time.perf_counter())
    sent = client.execute(CODE)
    idle = False
    while not idle:
        message = await client.get_iopub_msg(timeout=60)
        own = message["parent_header"].get("msg_id") == sent
        idle = own and message["content"].get("execution_state") == "idle"
    await client.get_shell_msg(timeout=60)
    marks.append(time.perf_counter())
    processor = _processor_time(manager.provisioner.pid)
    client.stop_channels()
    await manager.shutdown_kernel()
    marks.append(time.perf_counter())
    steps = [(b - a) * 1000 for a, b in itertools.pairwise(marks)]
    names = ("start", "connect", "cell", "end")
    total = {"to cell": sum(steps[:3]), "all": sum(steps), "processor": processor}
    return dict(zip(names, steps, strict=True)) | total


def _processor_time(pid: int) -> float:
    """Return the milliseconds that all threads of a process have run."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


if __name__ == "__main__":
    asyncio.run(main())
