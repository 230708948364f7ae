"""nbgrader's configuration of this course; Markbook reads this file and no other.

Both `nbgrader` and `markbook` run from this folder. The exchange differs from machine to machine,
so its folder is named by the environment: MARKBOOK_EXCHANGE=/srv/nbgrader/exchange
"""

import os

c = get_config()  # noqa: F821  (nbgrader's loader defines it)

c.CourseDirectory.course_id = "web-development"
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
c.ExecutePreprocessor.timeout = 30
c.Markbook.preload = ["pytest"]  # hidden tests import it: once, not for every student

if os.environ.get("MARKBOOK_EXCHANGE"):
    c.Exchange.root = os.environ["MARKBOOK_EXCHANGE"]
