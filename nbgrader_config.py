"""nbgrader's configuration of this course; Markbook reads the same file.

Both `nbgrader` and `markbook` run from this folder. Keep machine-specific settings (the
exchange, a PostgreSQL `db_url`) in `nbgrader_config.local.json` or in the environment, not here.
"""

c = get_config()  # noqa: F821  (nbgrader's loader defines it)

c.CourseDirectory.course_id = "web-development"
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
c.ExecutePreprocessor.timeout = 30
