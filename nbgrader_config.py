"""nbgrader's configuration of this course; Markbook reads the same file.

Both `nbgrader` and `markbook` run from this folder. What belongs to one machine only (where the
exchange lies, say) goes into the user's own Jupyter configuration, not in here.
"""

c = get_config()  # noqa: F821  (nbgrader's loader defines it)

c.CourseDirectory.course_id = "web-development"
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
c.ExecutePreprocessor.timeout = 30
