"""Bringing a damaged submission in line with its master: by id, then order, then text."""

from markbook.autograde.alignment.align import align
from markbook.autograde.alignment.files import align_files
from markbook.autograde.alignment.values import Alignment, CannotAlign, How

__all__ = ["Alignment", "CannotAlign", "How", "align", "align_files"]
