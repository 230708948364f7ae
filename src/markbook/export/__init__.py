"""Exports: scores and the audit, as files that other programs read."""

from markbook.export.formats import ExportData
from markbook.export.scores import GROUP, ExportReport, export_scores, exporter_names

__all__ = ["GROUP", "ExportData", "ExportReport", "export_scores", "exporter_names"]
