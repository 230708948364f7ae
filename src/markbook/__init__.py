"""Markbook marks notebooks: rubrics, evidence and people for conceptual assignments."""

__version__ = "0.1.0"
