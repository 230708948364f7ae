"""What plain nbgrader does with the inputs of tests/hostile, by running it.

    python tools/compare_hostile.py [NAME...]

Writes docs/explanation/hostile-compared.md (with names: prints their lines). Each input is handed
in together with an honest student behind it in the alphabet, and `nbgrader autograde` and
`nbgrader generate_feedback` are run on both. All of it happens in a sandbox of bubblewrap in which
nothing but a temporary folder can be written, and without a network but its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

import hostile_page

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "hostile-compared.md"
TIMEOUT = 150  # seconds for each command: a class of two takes three
HONEST = "zzz"
HEADINGS = ("files", "metadata", "folders", "code", "text")
CANARIES = {
    "canary-model": "the model answers",
    "canary-hidden": "the hidden tests",
    "leaked ": "what it may not read",
    "canary-fellow": "another student's answers",
    "canary-home": "a file of the home folder",
    "canary-environment": "the environment",
}

INTRODUCTION = """\
# Hostile submissions: what plain nbgrader does with them

The inputs of [hostile submissions](hostile-submissions.md), given to nbgrader {nbgrader} (nbclient
{nbclient}, Python {python}) on {date}, by `.venv/bin/python tools/compare_hostile.py`. Each is
handed in beside one honest student, who stands behind it in the alphabet; then `nbgrader autograde`
and `nbgrader generate_feedback` are run, in a sandbox in which nothing but a temporary folder can
be written. What stands here was measured: exit codes, the gradebook, the files, the pages, what a
listener heard. What Markbook does is what `tests/hostile` asserts.

Left out: {left_out} inputs that would harm the machine even so (they stand at the end), papers and
archives, which nbgrader does not read, and faults.

| of {total} inputs | plain nbgrader | Markbook |
|---|---|---|
| the honest student is not graded: the class stops, or stands still ({seconds} s) | {stops} | 0 |
| the submission is not graded, with an error | {fails} | {our_fails}, with a reason that names it |
| graded, and more points than the code or the course gives | {forged} | 0; {asked} go to a person |
| something that runs, loads or leads elsewhere is in the page of feedback | {active} | 0 |
| a secret is in what the code wrote, or what a link leads to was copied | {leaked} | 0 |
| something was written, or somebody called, outside of its folder | {outside} | 0 |
| graded without a word, where Markbook names what is wrong | {quiet} | 0 |

An input can be in several lines.

| input | plain nbgrader | Markbook |
|---|---|---|
"""


# --- outside: sandboxes, and the page -----------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--kept", type=Path, help="a file of measurements to go on from")
    parser.add_argument("names", nargs="*", help="only these inputs, and print")
    options = parser.parse_args()
    if options.inside:
        return work(options.inside, options.names)
    catalogue = hostile_page.catalogue()
    every = [e for name in HEADINGS for e in catalogue.inputs(name)]
    chosen = [e for e in every if not options.names or e.name in options.names]
    given = [e for e in chosen if not left_out(e)]
    kept = options.kept.read_text() if options.kept and options.kept.is_file() else ""
    found = {line["name"]: line for line in map(json.loads, kept.splitlines())}
    todo = [each for each in given if each.name not in found]
    with tempfile.TemporaryDirectory(prefix="markbook-compare-") as folder:
        prepare(catalogue, Path(folder) / "plain")
        shares = [todo[n :: options.jobs] for n in range(options.jobs)]
        running = [start(Path(folder), n, share) for n, share in enumerate(shares) if share]
        for process in running:
            process.wait()
        new = "".join(path.read_text() for path in Path(folder).glob("found-*.jsonl"))
    found |= {line["name"]: line for line in map(json.loads, new.splitlines())}
    if options.kept:
        options.kept.write_text(kept + new)
    missing = [each.name for each in given if each.name not in found]
    if missing:
        print(f"not measured: {', '.join(missing)}", file=sys.stderr)
        return 1
    text = page(chosen, given, found)
    if options.names:
        print(text.partition("|---|---|---|\n")[2])
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"written  {PAGE.relative_to(ROOT)}")
    return 0


def left_out(each: Any) -> str:
    """Say why an input is not given to nbgrader, empty where it is."""
    if each.nbgrader:
        return str(each.nbgrader)
    return "It would take the machine's memory." if "isolation" in each.needs else ""


def prepare(catalogue: Any, root: Path) -> None:
    """Make the released course with nbgrader's own command, and its empty gradebook."""
    catalogue.write_course(root)
    command = [str(Path(sys.executable).with_name("nbgrader")), "generate_assignment", "hw"]
    environment = {**os.environ, "PATH": search_path()}
    subprocess.run(command, cwd=root, check=True, capture_output=True, env=environment)


def search_path() -> str:
    """Return a path on which nbgrader finds alembic, which it calls by name."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def start(top: Path, number: int, share: list[Any]) -> subprocess.Popen[bytes]:
    """Run a share of the inputs in a sandbox: nothing writable but ``top``, no network."""
    command = [
        "bwrap", "--die-with-parent", "--new-session", "--unshare-all", "--ro-bind", "/", "/",
        "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--bind", str(top), str(top),
        "--chdir", str(top), sys.executable, str(Path(__file__).resolve()),
        "--inside", str(top / f"found-{number}.jsonl"), *[each.name for each in share],
    ]  # fmt: skip
    environment = {
        "PATH": search_path(),
        "HOME": str(top / f"home-{number}"),
        "MARKBOOK_TEST_SECRET": "canary-environment",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONWARNINGS": "ignore",
        "TMPDIR": str(top / f"tmp-{number}"),
        "LC_ALL": "C.UTF-8",
    }
    for name in ("HOME", "TMPDIR"):
        Path(environment[name]).mkdir()
    Path(environment["HOME"], "secret.txt").write_text("canary-home")
    return subprocess.Popen(command, env=environment)


# --- inside: one input after the other ----------------------------------------------------------


def work(target: Path, names: list[str]) -> int:
    import nbgrader.apps.nbgraderapp  # noqa: F401  (imported once, forked for each command)

    catalogue = hostile_page.catalogue()
    wanted = [e for name in HEADINGS for e in catalogue.inputs(name) if e.name in set(names)]
    with target.open("a") as stream:
        for each in wanted:
            began = time.monotonic()
            try:
                line = {"name": each.name} | measure(catalogue, target.parent, each)
            except Exception as error:  # noqa: BLE001  (the others are measured all the same)
                print(f"{each.name}: {error!r}", file=sys.stderr, flush=True)
                continue
            stream.write(json.dumps(line) + "\n")
            stream.flush()
            print(f"{time.monotonic() - began:5.1f} s  {each.name}: {line['says']}", flush=True)
    return 0


def measure(catalogue: Any, top: Path, each: Any) -> dict[str, Any]:
    """Run nbgrader on one input and an honest student; returns what was seen."""
    room = Path(tempfile.mkdtemp(prefix="room-"))
    root, witness = room / "course", room / "witness"
    shutil.copytree(top / "plain", root)
    witness.mkdir()
    release = root / "release" / "hw"
    honest = catalogue.course_data()["honest"]
    catalogue.hand_in(root / "submitted" / HONEST / "hw", release, honest["ada"])
    if "fay" in str(each.make):  # she is who it is against
        catalogue.hand_in(root / "submitted" / "fay" / "hw", release, honest["fay"])
    places = {"ROOT": str(root), "WITNESS": str(witness), "HOME": os.environ["HOME"]}
    with listening(places) as heard:
        try:
            catalogue.Maker(root / "submitted" / each.student / "hw", release, places).run(each)
            before = files_of(root)
            graded = nbgrader(root, "autograde", "hw")
            shown = nbgrader(root, "generate_feedback", "hw")
            if "sleep(3)" in str(each.make):
                time.sleep(3.5)  # what goes on after the grading does it then
            found = look(catalogue, root, each, graded, shown)
            found["changed"] = sorted(
                name for name, text in files_of(root).items() if before.get(name, text) != text
            )
            found["written"] = [path.name for path in witness.iterdir()]
            found["called"] = len(heard)
        finally:
            shutil.rmtree(room, ignore_errors=True)
    found["says"] = sentence(each, found)
    return found


def nbgrader(root: Path, *arguments: str) -> tuple[int, str]:
    """Run a command of nbgrader's in a fork of this process; returns its code and its words."""
    log = root.parent / "log"
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            os.chdir(root)
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            from nbgrader.apps.nbgraderapp import NbGraderApp

            try:
                NbGraderApp.launch_instance(argv=list(arguments))
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(bool(end.code))
        except BaseException:  # noqa: BLE001  (the child ends here, whatever it was)
            import traceback

            traceback.print_exc()
            code = 71
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), log.read_text(errors="replace")
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1, f"still running after {TIMEOUT} seconds"


def look(
    catalogue: Any, root: Path, each: Any, graded: tuple[int, str], shown: tuple[int, str]
) -> dict[str, Any]:
    """Return what stands in the gradebook, in the files and in the pages."""
    scores = scores_of(root / "gradebook.db", each.student)
    deserved = catalogue.expected_scores(each) or catalogue.course_data()["full"]
    points = {cell["id"]: cell["points"] for cell in catalogue.course_data()["cells"]
              if "points" in cell}  # fmt: skip
    folder = root / "autograded" / each.student / "hw"
    pages = root / "feedback"
    text = read(pages / each.student / "hw" / "part.html")
    plain = read(pages / HONEST / "hw" / "part.html")
    kept = "".join(outputs_of(path) for path in sorted(folder.glob("*"))) if folder.is_dir() else ""
    return {
        "codes": [graded[0], shown[0]],
        "last": telling(graded[1], root) if graded[0] else "",
        "honest": (root / "autograded" / HONEST / "hw" / "part.ipynb").is_file(),
        "graded": (folder / "part.ipynb").is_file() and bool(scores),
        "forged": {
            name: [score, deserved[name]]
            for name, (score, _) in scores.items()
            if name in deserved and score is not None and score > (deserved[name] or 0)
        },
        "set_by_hand": sorted(n for n, (_, manual) in scores.items() if manual is not None),
        "points": {n: s for n, (s, _) in scores.items() if s is not None and s > points[n]},
        "most": maxima(root / "gradebook.db", points),
        "active": sorted((Counter(active(text)) - Counter(active(plain))).keys()),
        "size": len(text),
        "followed": followed(root / "submitted" / each.student / "hw", folder),
        "leaked": sorted({what for word, what in CANARIES.items() if word in kept}),
        "noticed": any(
            # every student's hidden tests make the last two of these
            not re.search("checksum' for cell mean-(?:hidden|partial)", line)
            for line in re.findall(r"^\[\w+ \| (?:WARNING|ERROR)\].*", graded[1], re.MULTILINE)
        ),
    }


def scores_of(database: Path, student: str) -> dict[str, tuple[float | None, float | None]]:
    query = """
        select base_cell.name, grade.auto_score, grade.manual_score from grade
        join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        where submitted_assignment.student_id = ?"""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            return {name: (auto, hand) for name, auto, hand in connection.execute(query, [student])}
        except sqlite3.Error:
            return {}


def maxima(database: Path, points: dict[str, float]) -> list[str]:
    """Return the cells whose points are not the course's any more."""
    query = """select base_cell.name, grade_cells.max_score from base_cell
               join grade_cells on grade_cells.id = base_cell.id"""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        found = dict(connection.execute(query).fetchall())
    return sorted(name for name, most in found.items() if most != points[name])


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def followed(handed_in: Path, graded: Path) -> list[str]:
    """Return the links of a submission in whose place there is now what they lead to."""
    if handed_in.is_symlink():
        return ["the folder"] if graded.is_dir() else []
    links = [path for path in handed_in.glob("**/*") if path.is_symlink()]
    names = [path.relative_to(handed_in) for path in links]
    return [str(name) for name in names if (graded / name).exists()]


def outputs_of(path: Path) -> str:
    """Return what a graded file shows that the student did not write: outputs, copied files."""
    if not path.is_file() or path.stat().st_size > 100_000_000:
        return ""
    if path.suffix != ".ipynb":
        return read(path)
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except (ValueError, KeyError):
        return ""
    other = path.name != "part.ipynb"
    # a traceback shows the hidden test that failed: that is nbgrader's way, not the student's
    shown = "".join(json.dumps(cell.get("outputs", [])) for cell in cells)
    words = [str(c["source"]) for c in cells if other or c["cell_type"] == "markdown"]
    return shown.replace("canary-hidden", "") + "".join(words)


class _Active(HTMLParser):
    """Counts in a page what does something."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "form", "base", "meta", "style", "link"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            text = re.sub(r"\s", "", value or "").lower()
            if name.startswith("on"):
                self.found.append(f"{name}=")
            if name in ("href", "src") and text.startswith(("javascript:", "data:text", "file:")):
                self.found.append(f"{text.partition(':')[0]}: link")
            if name == "src" and text.startswith(("http:", "//")):
                self.found.append(f"{tag} from elsewhere")

    handle_startendtag = handle_starttag


def active(text: str) -> list[str]:
    parser = _Active()
    parser.feed(text[:40_000_000])
    return parser.found


def telling(said: str, root: Path) -> str:
    """Return the last line that names an exception, else the last that nbgrader calls an error."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in said.splitlines()]
    named = [line for line in lines if re.match(r"^[\w.]*(?:Error|Exception|Interrupt)\b", line)]
    fatal = [line for line in lines if re.match(r"\[\w+ \| (?:ERROR|CRITICAL)\]", line)]
    fatal = [line for line in fatal if not re.search("Please see|There was an|Traceback", line)]
    rest = [line for line in lines if line and "Please see" not in line]
    last = (named or fatal or rest or ["without a word"])[-1]
    last = re.sub(r"^\[\w+ \| \w+\] ", "", last).replace(str(root), "")
    return last.replace("|", r"\|").replace("`", "'")[:120]


def files_of(root: Path) -> dict[str, str]:
    """Return what authors and students laid down, without what nbgrader writes."""
    found = {}
    for step in ("source", "release", "graders", "submitted"):
        for here, _, names in os.walk(root / step):
            for name in names:
                path = Path(here, name)
                if path.is_file() and not path.is_symlink():
                    stat = path.stat()
                    relative = os.fsencode(path.relative_to(root)).decode("utf-8", "replace")
                    found[relative] = f"{stat.st_size}:{stat.st_mtime_ns}"
    return found


@contextlib.contextmanager
def listening(places: dict[str, str]) -> Any:
    """Listen as tests/hostile does: by TCP, by a socket's file and by an abstract name."""
    heard: list[bytes] = []
    folder = tempfile.mkdtemp(prefix="s-", dir="/tmp")
    places |= {"SOCKET": f"{folder}/s", "ABSTRACT": f"markbook-{Path(folder).name}"}
    lines = [socket.socket(), *(socket.socket(socket.AF_UNIX) for _ in range(2))]
    for line, address in zip(
        lines, (("127.0.0.1", 0), places["SOCKET"], f"\0{places['ABSTRACT']}"), strict=True
    ):
        line.bind(address)
        line.listen()
    places["PORT"] = str(lines[0].getsockname()[1])

    def hear(line: socket.socket) -> None:
        while True:
            try:
                caller, _ = line.accept()
            except OSError:
                return
            heard.append(b"")
            caller.close()

    for line in lines:
        threading.Thread(target=hear, args=(line,), daemon=True).start()
    try:
        yield heard
    finally:
        for line in lines:
            line.shutdown(socket.SHUT_RDWR)
            line.close()


# --- saying it ----------------------------------------------------------------------------------


def sentence(each: Any, found: dict[str, Any]) -> str:
    parts = []
    if found["codes"][0] == -1:
        parts.append(f"**the class stands still**: `{found['last']}`")
    elif not found["honest"]:
        parts.append(f"**the class stops**: `{found['last']}`")
    elif not found["graded"]:
        words = f": `{found['last']}`" if found["last"] else ", exit code 0"
        parts.append(f"not graded{words}")
    else:
        parts.append("graded")
    if found["forged"]:
        told = ", ".join(f"{n} {got:g}" for n, (got, _) in sorted(found["forged"].items()))
        parts.append(f"**points for nothing**: {told}")
    wrote = [*found["written"], *found["changed"]]
    told = {
        "more points than there are: {}": sorted(found["points"]),
        "**wrote its own score**": found["set_by_hand"],
        "**in the page**: {}": [f"`{kind}`" for kind in found["active"]],
        "**got at** {}": found["leaked"],
        "**what a link leads to was copied**": found.get("followed"),
        "**wrote outside**: {}": wrote[:3],
        "**called a server**": found["called"],
    }
    parts += [words.format(", ".join(what or ())) if isinstance(what, list) else words
              for words, what in told.items() if what]  # fmt: skip
    if found["size"] > 5_000_000:
        parts.append(f"a page of {found['size'] / 1e6:.0f} MB")
    return "; ".join(parts)


def page(chosen: list[Any], given: list[Any], found: dict[str, Any]) -> str:
    lines = [found[each.name] for each in given]
    outside = ("written", "changed", "called", "set_by_hand")
    text = INTRODUCTION.format(
        nbgrader=version("nbgrader"),
        nbclient=version("nbclient"),
        python=sys.version.split()[0],
        date=datetime.now(UTC).date().isoformat(),
        left_out=len(chosen) - len(given),
        total=len(given),
        seconds=TIMEOUT,
        stops=sum(not line["honest"] for line in lines),
        fails=sum(line["honest"] and not line["graded"] for line in lines),
        forged=sum(bool(line["forged"] or line["set_by_hand"]) for line in lines),
        active=sum(bool(line["active"]) for line in lines),
        leaked=sum(bool(line["leaked"] or line.get("followed")) for line in lines),
        outside=sum(any(line[name] for name in outside) for line in lines),
        quiet=sum(
            line["graded"] and not line["noticed"] and "graded" not in each.statuses
            for each, line in zip(given, lines, strict=True)
        ),
        our_fails=sum(each.statuses == ("failed",) for each in given),
        asked=sum(bool(each.expect.get("forged")) for each in given),
    )
    for each in given:
        text += f"| {each.name} | {sentence(each, found[each.name])} | {ours(each)} |\n"
    harmful = [each for each in chosen if left_out(each)]
    text += "\n## Left out\n\n| input | why |\n|---|---|\n"
    for each in harmful:
        text += f"| {each.name} | {left_out(each)} |\n"
    return text


def ours(each: Any) -> str:
    said = next((text for text in each.expect.get("says", ()) if text), "")
    shown = "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in said)
    words = f": `{shown}`" if shown else ""
    forged = "; a person decides" if each.expect.get("forged") else ""
    return f"{' or '.join(each.statuses)}{words}{forged}".replace("|", r"\|")


if __name__ == "__main__":
    sys.exit(main())
