"""From a key press to the next answer on the screen, with 100 and with 10,000 students.

Real parts: the command, the server, the gradebook, chromium. A marker who never thinks: the next
key is pressed as soon as the next answer is there. Prints p50 and p95 in milliseconds.

    python benchmarks/marking_page.py [--answers 60] [--sizes 100,10000]
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthetic import ASSIGNMENT, class_of, graded_course

if TYPE_CHECKING:
    from collections.abc import Iterator

QUESTION = "jwt-signature"
WARM_UP = 5
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

# Resolves with the milliseconds from the key to the frame that shows another answer.
WATCH = """() => { window.shown = new Promise((done) => {
  const answer = document.getElementById("answer");
  const before = answer.textContent;
  let pressed = null;
  addEventListener("keydown", (e) => { if (e.key === "Enter") pressed = e.timeStamp; },
                   { capture: true, once: true });
  new MutationObserver((_, observer) => {
    if (pressed === null || !answer.textContent || answer.textContent === before) return;
    observer.disconnect();
    requestAnimationFrame((now) => done(Math.max(now, performance.now()) - pressed));
  }).observe(answer, { childList: true, subtree: true, characterData: true });
}); }"""


@contextmanager
def page_address(course: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "markbook", "mark", ASSIGNMENT, "--question", QUESTION,
               "--marker", "bench", "--no-browser"]  # fmt: skip
    process = subprocess.Popen(command, cwd=course, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            found = re.search(r"http://127\S+", line)
            if found:
                yield found.group()
                return
        raise RuntimeError("the page did not start")
    finally:
        process.terminate()
        process.wait(timeout=20)


def measure(browser: Any, address: str, answers: int) -> list[float]:
    from playwright.sync_api import expect

    page = browser.new_page()
    page.goto(address)
    expect(page.locator("#answer")).not_to_be_empty()
    times = []
    for number in range(WARM_UP + answers):
        page.keyboard.press(str(1 + number % 2))
        page.evaluate(WATCH)
        page.keyboard.press("Enter")
        times.append(page.evaluate("() => window.shown"))
    page.close()
    return times[WARM_UP:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--sizes", default="100,10000")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="markbook-bench-") as name, sync_playwright() as web:
        base = graded_course(Path(name) / "base")
        browser = web.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        p95s = []
        print(f"{'students':>10} {'answers':>8} {'p50 ms':>8} {'p95 ms':>8}")
        for size in sizes:
            course = class_of(base, Path(name) / f"class-{size}", size)
            with page_address(course) as address:
                times = measure(browser, address, options.answers)
            cuts = statistics.quantiles(times, n=20)
            p95s.append(cuts[18])
            print(f"{size:>10} {len(times):>8} {statistics.median(times):>8.1f} {cuts[18]:>8.1f}")
            shutil.rmtree(course)
        browser.close()
        print(f"ratio of the p95, {sizes[-1]} to {sizes[0]} students: {p95s[-1] / p95s[0]:.2f}")


if __name__ == "__main__":
    main()
