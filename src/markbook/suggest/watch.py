"""What graders that run in threads of this process tell of how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markbook.graders.progress import PROGRESS_NAME, read_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markbook.graders.progress import Stage

__all__ = ["Watch"]


class Watch:
    """The scratch folders of runs under way. Folders come from any thread, one thread looks."""

    def __init__(self) -> None:
        self._folders: dict[str, Path] = {}
        self._told: dict[str, Stage] = {}

    def begin(self, question: str, folder: Path) -> None:
        """Take note of the folder in which a question's grader is about to run."""
        self._folders[question] = folder

    def end(self, question: str) -> None:
        """Forget a question."""
        self._folders.pop(question, None)
        self._told.pop(question, None)

    def news(self) -> Iterator[tuple[str, Stage]]:
        """Iterate over the questions whose stage is another than when this was last asked."""
        for question, folder in list(self._folders.items()):
            stage = read_stage(folder / PROGRESS_NAME)
            if stage is not None and stage != self._told.get(question):
                self._told[question] = stage
                yield question, stage
