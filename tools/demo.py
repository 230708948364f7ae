"""Run the whole course on the sample class, with the commands that a teacher would type."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENTS = ("web-apis-and-testing", "django-auth-and-servers")
RULE = "confidence >= 0.9"
MARKER = "demo-teacher"
DONE, ATTENTION = 0, 1


def main() -> int:
    started = time.monotonic()
    for assignment in ASSIGNMENTS:
        for arguments in _commands(assignment):
            shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
            print(f"\n$ markbook {shown}", flush=True)
            result = subprocess.run(
                [sys.executable, "-m", "markbook", *arguments], cwd=ROOT, check=False
            )
            if result.returncode not in (DONE, ATTENTION):
                print(f"error: the demo stopped: exit code {result.returncode}.", file=sys.stderr)
                return result.returncode
    print(f"\nThe whole course ran in {time.monotonic() - started:.0f} seconds. Look at:\n")
    for assignment in ASSIGNMENTS:
        print(f"  class report          reports/{assignment}/report.html")
    pages = sorted((ROOT / "feedback").glob(f"*/{ASSIGNMENTS[0]}/*.html"))
    if not pages:
        print("error: no feedback was written.", file=sys.stderr)
        return 3
    print(f"  a student's feedback  {pages[0].relative_to(ROOT)}")
    print(f"  a grader as it ran    reports/{ASSIGNMENTS[0]}/graders/jwt-signature.ipynb")
    print(f"\nWhat still waits for a person:  .venv/bin/markbook mark {ASSIGNMENTS[0]}")
    print("To begin again:                 make clean-demo")
    return 0


def _commands(assignment: str) -> tuple[list[str], ...]:
    """Return what a teacher types: the run, then what they marked, then the pages again."""
    return (
        ["run", assignment, "--from", f"sample-class/{assignment}",
         "--accept", RULE, "--marker", MARKER],
        ["mark", assignment, "--from", f"sample-class/marks/{assignment}.jsonl",
         "--marker", MARKER],
        ["feedback", assignment],
        ["stats", assignment],
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
