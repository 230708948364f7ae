"""How good suggested scores are on public sets of marked answers: ``make bench-suggest``.

    .venv/bin/python benchmarks/suggest.py [FOLDER] [--words] [--drawn] [--only SET,...]
                                           [--output FILE]

Reads the sets from FOLDER (default: ../shared/asag beside the repository) and says so when they
are not there. Prints what ``markbook evaluate`` prints, for each set by each protocol: a few marks
by design, whole questions held out; the official split of SAF. Then a table of all sets, with the
plainest way beside ours: the mean is suggested, and trusted as far as a bell curve says. Fitting
begins with a prior fitted on the other sets as the one that ships is fitted on all, so that each
set is what a course is to Markbook that it never saw. ``--drawn``: a part of each set, as small as
the parts that priors are fitted on (``suggesting/sets.py``); ``--words``: no sentence model;
``--output`` writes the table to a file, too. Some ten minutes of processor time, and as much for
the sentence model's first reading of 20,000 answers.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from suggesting.plain import PlainScores
from suggesting.sets import SETS, draw_set, read_set

from markbook.evaluation import LearnedScores, Protocol, Settings, as_text, evaluate
from markbook.graders.learning.features import read
from markbook.graders.learning.prior import Marked, Prior
from markbook.graders.learning.semantic import open_token_model, semantic_hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markbook.evaluation import EvaluationReport
    from markbook.graders.learning.vectors import TokenModel

HERE = Path(__file__).parent.parent
OFFICIAL = ("saf_english",)  # sets with an official split that is tried
KS = (0, 3, 5, 10)
READ = 0.4  # share of the answers that a person reads, in the table's last columns


def write_drawn(folder: Path, name: str, target: Path) -> None:
    """Write the drawn part of a set as ``markbook evaluate`` reads it."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question_id", "question", "reference", "answer", "score", "max_score"])
        most = {q.question.texts.id: q.points for q in read_set(folder, name)}
        for question in draw_set(folder, name):
            texts = question.texts
            points = most[texts.id]
            for place, (answer, score) in enumerate(
                zip(texts.answers, question.scores, strict=True)
            ):
                # References stand in the rows: each row carries one of them.
                reference = texts.references[place % len(texts.references)]
                row = [texts.id, texts.question, reference, answer, (score or 0.0) * points, points]
                writer.writerow(row)


def prior_without(name: str, folder: Path, model: TokenModel | None) -> Prior | None:
    """Return a prior fitted on the other sets that are there, as ``tools/fit_prior.py`` does."""
    others = [each for each in SETS if each != name and (folder / f"{each}.csv").is_file()]
    drawn = [question for each in others for question in draw_set(folder, each)]
    if not drawn:
        return None
    marked = [
        Marked(read(question.texts, model), np.array(question.scores, dtype=float))
        for question in drawn
    ]
    return Prior.fit(marked, small=True)


def by_marks(report: EvaluationReport, figure: str) -> str:
    """Return one figure after each number of marks."""
    found = [report.find("suggested", k) for k in KS]
    return " / ".join(f"{each.figures[figure].value:.2f}" if each else "-" for each in found)


def read_in_part(report: EvaluationReport) -> str:
    """Return the share within half a point when 40 % are read, frozen and learning on."""
    (point,) = (p for p in report.curve if p.k == 5 and abs(p.share - READ) < 1e-9)
    return f"{point.frozen or 0:.3f} / {point.learning or 0:.3f}"


def line(name: str, report: EvaluationReport, plain: EvaluationReport) -> list[str]:
    """Return one set's line of the table."""
    errors = " / ".join(f"{each.reliability.ece:.3f}" for each in report.calibrations)
    figures = [by_marks(report, figure) for figure in ("pearson", "rmse", "within_half")]
    beside = [by_marks(plain, "within_half"), read_in_part(plain)]
    return [
        f"{name} ({report.answers:,})",
        *figures,
        beside[0],
        errors,
        read_in_part(report),
        beside[1],
    ]


def as_table(lines: Sequence[Sequence[str]], model: str) -> str:
    """Return the table in Markdown."""
    head = ["", "r", "RMSE", "within ½", "... by the mean", "error of confidence",
            "within ½ of all, 40 % read", "... by the mean"]  # fmt: skip
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join([f"{model}:", "", *(f"| {' | '.join(row)} |" for row in rows)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parent / "shared" / "asag")
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--drawn", action="store_true")
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    there = [name for name in asked.only.split(",") if (asked.folder / f"{name}.csv").is_file()]
    if not there:
        print(f"No set of marked answers lies in {asked.folder}: nothing was measured.")
        return 0
    model = None if asked.words else open_token_model()
    if model is None and not asked.words:
        print(semantic_hint())
    lines, notes = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name in there:
            whole = asked.folder / f"{name}.csv"
            part = Path(scratch) / f"{name}.csv" if asked.drawn else whole
            if asked.drawn:
                write_drawn(asked.folder, name, part)
            start = prior_without(name, asked.folder, model)
            settings = Settings(Protocol.FEW_SHOT, folds=5)
            report = evaluate(part, settings, engine=LearnedScores(model, start=start))
            print(as_text(report), flush=True)
            plain = evaluate(part, settings, engine=PlainScores(model, start=start))
            lines.append(line(name, report, plain))
            if name in OFFICIAL:
                seen = evaluate(
                    whole, Settings(Protocol.SEEN), engine=LearnedScores(model, start=start)
                )
                print(as_text(seen), flush=True)
                notes.append(official(seen))
    title = "Words only" if model is None else f"With the sentence model ({model.name})"
    table = "\n\n".join([as_table(lines, title), *notes])
    print(f"\n{table}")
    if asked.output is not None:
        day = f"{datetime.now(tz=UTC):%d %B %Y}".lstrip("0")
        options = "".join(f"--{each} " for each in ("words", "drawn") if getattr(asked, each))
        head = HEAD.format(day=day, options=options, part="a part" if asked.drawn else "all")
        asked.output.write_text(f"{head}\n\n{table}\n", encoding="utf-8")
    return 0


HEAD = """# Suggested scores on public sets of marked answers

Written on {day} by `python benchmarks/suggest.py {options}--output FILE`: {part} of each set, five
folds over questions that begin with a prior fitted on the other sets; on 0 to 5. Figures with
0 / 3 / 5 / 10 marks of each question by design, of the answers that nobody marked. Where 40 % are
read: five of each question by design, then the least certain, as they were certain after five /
with the model learning on; those read count as right. "By the mean": the same prior and process,
the mean suggested and a bell curve's confidence."""


def official(report: EvaluationReport) -> str:
    """Return what the official split of SAF gave."""
    unseen, told = report.find("suggested"), report.find("told")
    constant = report.find("constant", over="all")
    assert unseen is not None
    assert told is not None
    assert constant is not None
    share = told.figures["rmse"].value / 5
    return (
        f"SAF's official split: unseen answers, RMSE as a share of the maximum {share:.3f}; unseen"
        f" questions, RMSE in points {unseen.points_rmse:.3f}, by the constant"
        f" {constant.points_rmse:.3f}."
    )


if __name__ == "__main__":
    raise SystemExit(main())
