"""``markbook evaluate``: how good the suggested scores would have been."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from markbook.cli import options, show
from markbook.cli.exits import ExitCode
from markbook.cli.progress import progress
from markbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markbook.model import Rubric

__all__ = ["command"]

PROTOCOLS = ("unseen-questions", "few-shot", "seen")
_MOST = 1000  # marks by design in one question


def _numbers(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        found = sorted({int(part) for part in value.split(",")})
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers such as 0,3,5,10.") from None
    if not 0 <= found[0] <= found[-1] <= _MOST:
        raise click.BadParameter(f"{value!r}: each number is one of 0 to {_MOST}.")
    return tuple(found)


@click.command("evaluate")
@click.option(
    "--answers",
    "path",
    required=True,
    metavar="FILE.csv",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Marked answers, one in a row.",
)
@click.option(
    "--rubrics",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Rubric files of the questions: their model answers and exemplars are references, too.",
)
@click.option("--protocol", type=click.Choice(PROTOCOLS), default=PROTOCOLS[0], show_default=True)
@click.option("--folds", default=10, show_default=True, type=click.IntRange(min=2))
@click.option(
    "--group",
    default="question_id",
    show_default=True,
    metavar="COLUMN",
    help="Rows that share a value here are never parted.",
)
@click.option(
    "--k",
    "ks",
    default="0,3,5,10",
    show_default=True,
    metavar="K,...",
    callback=_numbers,
    help="Marks by design in each question.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@options.common
def command(  # noqa: PLR0913  (a verb's options)
    path: Path,
    folder: Path | None,
    protocol: str,
    folds: int,
    group: str,
    ks: tuple[int, ...],
    seed: int,
    course_path: Path | None,
    as_json: bool,
) -> int:
    """Try suggested scores on marks that people gave, such as last year's.

    FILE.csv has the columns question_id, question, reference, answer, score and max_score, and
    perhaps score_a, score_b and split. No mark is read before its answer's score is predicted,
    but for those that the protocol lets a person give.
    """
    from markbook.evaluation import LearnedScores, Protocol, Settings, as_text, evaluate
    from markbook.graders.learning.semantic import open_token_model, semantic_hint

    settings = Settings(Protocol(protocol), folds, ks, seed)
    with progress("evaluating", quiet=as_json) as on_event:
        report = evaluate(
            path,
            settings,
            group=group,
            rubrics=_rubrics(folder),
            engine=LearnedScores(open_token_model()),
            on_event=on_event,
        )
    if as_json:
        show.json_out(report.as_dict())
    else:
        show.line(as_text(report))
    hint = semantic_hint()
    if hint:
        show.warn(hint)
    return ExitCode.DONE


def _rubrics(folder: Path | None) -> Mapping[str, Rubric] | None:
    if folder is None:
        return None
    from markbook.rubrics import load_rubrics

    found = load_rubrics(folder)
    if not found:
        raise UsageError(
            f"There is no rubric file in {folder}.", hint="Name a folder such as graders/hw1."
        )
    return found
