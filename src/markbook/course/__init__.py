"""Where a course keeps its things: the folder, its configuration, its paths."""

from markbook.course.folder import CONFIG_NAME, Course, Step

__all__ = ["CONFIG_NAME", "Course", "Step"]
