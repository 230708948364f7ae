"""Run the whole course on the sample class, with the command that a teacher would type."""

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
        arguments = [
            "run", assignment, "--from", f"sample-class/{assignment}",
            "--accept", RULE, "--marker", MARKER,
        ]  # fmt: skip
        shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
        print(f"\n$ markbook {shown}", flush=True)
        result = subprocess.run(
            [sys.executable, "-m", "markbook", *arguments], cwd=ROOT, check=False
        )
        if result.returncode not in (DONE, ATTENTION):
            print(f"error: the demo stopped with exit code {result.returncode}.", file=sys.stderr)
            return result.returncode
    print(f"\nThe whole course ran in {time.monotonic() - started:.0f} seconds. Look at:\n")
    for assignment in ASSIGNMENTS:
        print(f"  class report         reports/{assignment}/report.html")
    student = _somebody()
    if student is None:
        print("error: no feedback was written.", file=sys.stderr)
        return 3
    print(f"  a student's feedback {student.relative_to(ROOT)}")
    print("  a grader as it ran   reports/web-apis-and-testing/graders/jwt-signature.ipynb")
    print("\nWhat waits for a person:  .venv/bin/markbook mark web-apis-and-testing")
    print("To begin again:           make clean-demo")
    return 0


def _somebody() -> Path | None:
    """Return the feedback of the first student of the first assignment."""
    pages = sorted((ROOT / "feedback").glob(f"*/{ASSIGNMENTS[0]}/*.html"))
    return pages[0] if pages else None


if __name__ == "__main__":
    sys.exit(main())
