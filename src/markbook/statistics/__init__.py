"""Statistics: one report of a class, as a page and as figures."""

from markbook.statistics.source import StatsSource
from markbook.statistics.write import StatsReport, write_report

__all__ = ["StatsReport", "StatsSource", "write_report"]
