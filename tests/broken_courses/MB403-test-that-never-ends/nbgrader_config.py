c = get_config()
c.CourseDirectory.course_id = "broken"
c.ExecutePreprocessor.timeout = 1
