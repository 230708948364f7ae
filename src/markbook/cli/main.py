"""The entry point: verbs are loaded when they are called, errors leave by one exit."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from markbook import __version__
from markbook.cli import show
from markbook.cli.exits import ExitCode, exit_code_of
from markbook.errors import MarkbookError
from markbook.startup import skip_slow_imports

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["VERBS", "cli", "main"]

# In a teacher's order. The help texts stand here so that `markbook --help` imports no verb.
VERBS = {
    "init": "Make a course folder, with an example assignment and its checks in CI.",
    "check": "Check notebooks, rubrics and graders before students get them.",
    "release": "Build what students get, and hand it out.",
    "collect": "Take in papers (Markdown, text) or the nbgrader exchange.",
    "autograde": "Run the submissions, score the code, read the answers.",
    "suggest": "Run the grader notebooks: marks suggested, with evidence.",
    "mark": "Mark what waits for a person, or accept suggestions by a rule.",
    "feedback": "Write each student's feedback page.",
    "stats": "Write the class report.",
    "export": "Write scores or the audit as a file.",
    "run": "Collect to feedback, the whole course run.",
    "evaluate": "Try suggested scores on marks that people gave.",
    "doctor": "Show how a damaged submission is put right.",
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"markbook.cli.verbs.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], VERBS, n=1)
            guess = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(
                f"There is no verb {args[0]!r}.{guess} The verbs are: {', '.join(VERBS)}.", ctx
            ) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs, in a teacher's order"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 done and something needs attention, 2 usage, 3 our fault,"
    " 4 nothing matched, 130 interrupted.",
)
@click.version_option(__version__, prog_name="markbook")
def cli() -> None:
    """Marks conceptual notebook assignments: rubrics, suggestions with evidence, people who
    decide. Run it in a course folder, or name one with --course."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command and exit with a code of ``ExitCode``."""
    skip_slow_imports()
    arguments = list(sys.argv[1:] if args is None else args)
    sys.exit(_run(arguments, debug="--debug" in arguments))  # noqa: TID251  (cli/ may exit)


def _run(arguments: list[str], *, debug: bool) -> int:
    try:
        result = cli.main(arguments, prog_name="markbook", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except BrokenPipeError:
        # The reader went away (`| head`): silence, and no second complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except (click.Abort, KeyboardInterrupt, Exception) as error:
        if debug:
            raise
        message, code = _explain(error)
        show.warn(message)
        return code
    return result if isinstance(result, int) else ExitCode.DONE


def _explain(error: BaseException) -> tuple[str, ExitCode]:
    """Return the one line that a person reads, and the exit code."""
    if isinstance(error, MarkbookError):
        return f"error: {error}", exit_code_of(error)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return (
            "interrupted: nothing is lost; run the same command again to go on.",
            ExitCode.INTERRUPTED,
        )
    message = (
        f"fault: {type(error).__name__}: {error}. This is a fault of Markbook; what was stored"
        " before it stays stored. Run it again with --debug for the traceback."
    )
    return message, ExitCode.FAULT


if __name__ == "__main__":
    main()
