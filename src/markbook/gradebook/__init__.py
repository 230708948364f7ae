"""The only door to nbgrader and to the database: what students earned, and why.

``Gradebook`` holds Markbook's own tables beside nbgrader's in one database;
``markbook.gradebook.nbgrader`` runs nbgrader's own steps in a process of their own.
"""

from markbook.gradebook.book import Gradebook

__all__ = ["Gradebook"]
