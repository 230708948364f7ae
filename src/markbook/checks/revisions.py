"""Files as they were at a revision, asked of git. Nothing is checked out or written."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Revision"]

_SECONDS = 60.0  # for one question to git: reading a blob takes milliseconds
_MISSING = ("does not exist in", "exists on disk, but not in")


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository that ``root`` lies in; ``name`` is as a person wrote it."""

    root: Path
    name: str
    commit: str

    @classmethod
    def of(cls, root: Path, name: str) -> Revision:
        """Find the revision ``name``.

        Raises ``UsageError`` without git or a repository, ``UnknownName`` for no such revision.
        """
        top = _git(root, "rev-parse", "--show-toplevel")
        if top.returncode:
            raise UsageError(
                f"{root} is not in a git repository that can be read: {_said(top)}.",
                hint="Run 'git init' and commit, or leave out --since.",
            )
        found = _git(root, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
        if found.returncode:
            raise UnknownName(
                f"git knows no revision {name!r} here.",
                hint="Name a commit, a branch or a tag, such as HEAD~1; a shallow clone lacks the"
                " older ones ('git fetch --unshallow').",
            )
        return cls(root, name, found.stdout.decode().strip())

    def read(self, path: Path) -> bytes | None:
        """Return the content that ``path`` (in ``root``) had, None when it was not there."""
        relative = path.relative_to(self.root).as_posix()
        found = _git(self.root, "cat-file", "blob", f"{self.commit}:./{relative}")
        if found.returncode == 0:
            return found.stdout
        if any(words in _said(found) for words in _MISSING):
            return None
        raise UsageError(
            f"git cannot read {relative} at {self.name!r}: {_said(found)}.",
            hint="Try 'git fsck'.",
        )

    def files(self, folder: Path) -> tuple[Path, ...]:
        """Return the files that lay in ``folder`` (in ``root``) and below it, sorted."""
        relative = folder.relative_to(self.root).as_posix()
        # --full-tree would name them as seen from the repository's top, which may lie above root
        found = _git(self.root, "ls-tree", "-r", "-z", "--name-only", self.commit, f"{relative}/")
        if found.returncode:
            raise UsageError(
                f"git cannot list {relative} at {self.name!r}: {_said(found)}.",
                hint="Try 'git fsck'.",
            )
        names = found.stdout.decode("utf-8", "surrogateescape").split("\0")
        return tuple(sorted(self.root / name for name in names if name))


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError(
            "git is not installed, and --since asks it.", hint="Install git, or put it on PATH."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"git did not answer within {_SECONDS:g} s.", hint="Run 'git status' to see why."
        ) from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ").rstrip(".") if lines else f"exit code {done.returncode}"
