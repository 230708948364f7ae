"""The decisions of people about answers; shared by the terminal and the page.

``Desk`` is one question under the hands of its markers. ``accept`` turns suggestions into marks
by a rule that a person stated, ``queue`` hands out the answers that wait for a person,
``progress`` counts.
"""

from markbook.marking.accept import AcceptReport, accept
from markbook.marking.cases import Case, Situation, WaitingReason, read_cases
from markbook.marking.decisions import make_mark, marker_name
from markbook.marking.desk import Desk
from markbook.marking.desk_groups import Group, GroupResult
from markbook.marking.desk_items import DeskItem, DeskProgress
from markbook.marking.history import HistoryLine, HistoryState
from markbook.marking.imports import ImportReport, import_marks
from markbook.marking.progress import QuestionProgress, progress
from markbook.marking.queue import Item, MarkingQueue
from markbook.marking.rules import Facts, Rule, parse_rule

__all__ = [
    "AcceptReport",
    "Case",
    "Desk",
    "DeskItem",
    "DeskProgress",
    "Facts",
    "Group",
    "GroupResult",
    "HistoryLine",
    "HistoryState",
    "ImportReport",
    "Item",
    "MarkingQueue",
    "QuestionProgress",
    "Rule",
    "Situation",
    "WaitingReason",
    "accept",
    "import_marks",
    "make_mark",
    "marker_name",
    "parse_rule",
    "progress",
    "read_cases",
]
