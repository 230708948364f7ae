"""Collecting: from papers, filled-in notebooks and the exchange to submissions."""

from markbook.collect.matching import (
    DOUBTFUL_BELOW,
    Doubt,
    MatchedAnswer,
    PaperMatch,
    match_paper,
)
from markbook.collect.wordings import wordings_of

__all__ = [
    "DOUBTFUL_BELOW",
    "Doubt",
    "MatchedAnswer",
    "PaperMatch",
    "match_paper",
    "wordings_of",
]
