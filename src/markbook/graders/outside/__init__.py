"""Outside models that suggest by choice: any endpoint, asked about what the graders leave open.

Off unless a course switches it on. A suggester (an entry point of ``markbook.suggesters``) makes
single requests; everything else is the same for all of them and stands here: what is sent and what
is covered, the strict check of what comes back, cache, budget, new tries, log, and how far a
verdict is trusted.
"""

from markbook.graders.outside.ask import CACHE_NAME, LOG_NAME, Inquiry, Outside, Tally
from markbook.graders.outside.base import Attempt, Problem, Reason, Suggester
from markbook.graders.outside.budget import Limits
from markbook.graders.outside.calibrate import CAP, FEWEST, Calibration
from markbook.graders.outside.registry import open_suggester, suggester_names
from markbook.graders.outside.reply import Verdict
from markbook.graders.outside.withheld import covered

__all__ = [
    "CACHE_NAME",
    "CAP",
    "FEWEST",
    "LOG_NAME",
    "Attempt",
    "Calibration",
    "Inquiry",
    "Limits",
    "Outside",
    "Problem",
    "Reason",
    "Suggester",
    "Tally",
    "Verdict",
    "covered",
    "open_suggester",
    "suggester_names",
]
