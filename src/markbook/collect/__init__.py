"""Collecting: from papers, filled-in notebooks and the exchange to submissions."""

from markbook.collect.exchange import collect_exchange
from markbook.collect.matching import (
    DOUBTFUL_BELOW,
    Doubt,
    MatchedAnswer,
    PaperMatch,
    match_paper,
)
from markbook.collect.papers import collect_papers
from markbook.collect.report import CollectedPaper, CollectReport, PaperFinished, PaperProblem
from markbook.collect.wordings import wordings_of

__all__ = [
    "DOUBTFUL_BELOW",
    "CollectReport",
    "CollectedPaper",
    "Doubt",
    "MatchedAnswer",
    "PaperFinished",
    "PaperMatch",
    "PaperProblem",
    "collect_exchange",
    "collect_papers",
    "match_paper",
    "wordings_of",
]
