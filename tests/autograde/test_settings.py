"""What the course's nbgrader_config.py says; nbgrader's own classes are the oracle."""

from __future__ import annotations

import pytest

from markbook.autograde.settings import (
    FileRules,
    file_rules,
    late_penalty,
    read_settings,
    refuse_foreign,
)
from markbook.autograde.values import Settings
from markbook.course import Course
from markbook.errors import CourseError


@pytest.fixture
def configured(tmp_path):
    """Return a function that opens a course with these lines in its configuration."""

    def configure(*lines):
        (tmp_path / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *lines]))
        return Course.open(tmp_path)

    return configure


def test_without_a_word_the_settings_are_nbgraders():
    from nbgrader.preprocessors import Execute, IgnorePattern, LimitOutput

    default = Settings()
    assert default.cell_seconds == Execute.timeout.default_value
    assert default.output_lines == LimitOutput.max_lines.default_value
    assert default.traceback_lines == LimitOutput.max_traceback.default_value
    assert default.ignore_stderr == IgnorePattern.pattern.default_value


def test_without_a_word_files_are_treated_as_nbgrader_treats_them():
    from nbgrader.coursedir import CourseDirectory

    assert list(FileRules().ignore) == CourseDirectory().ignore
    assert FileRules().mode == 0o444


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ([], 30.0),
        (["c.ExecutePreprocessor.timeout = 7"], 7.0),
        (["c.Execute.timeout = 9", "c.ExecutePreprocessor.timeout = 7"], 9.0),
        (["c.NotebookClient.timeout = 5"], 5.0),
        (["c.Execute.timeout = None"], None),
        (["c.Execute.timeout = -1"], None),
        (["c.Execute.timeout = 0"], None),
    ],
)
def test_the_time_limit_is_that_of_the_most_specific_section(configured, lines, seconds):
    from nbgrader.preprocessors import Execute
    from traitlets.config.loader import PyFileConfigLoader

    course = configured(*lines)
    assert read_settings(course).cell_seconds == seconds
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    theirs = Execute(config=config).timeout
    assert (theirs if theirs and theirs > 0 else None) == seconds


def test_a_pattern_for_stderr_holds_only_where_it_is_switched_on_as_nbgrader_has_it(configured):
    pattern = "c.IgnorePattern.pattern = 'Warning'"
    assert read_settings(configured(pattern)).ignore_stderr == ""
    enabled = "c.IgnorePattern.enabled = True"
    assert read_settings(configured(pattern, enabled)).ignore_stderr == "Warning"


def test_markbooks_own_section_is_read(configured):
    course = configured(
        "c.Markbook.preload = ['numpy']",
        "c.Markbook.memory = None",
        "c.Markbook.output = 1000",
        "c.Markbook.total_seconds = 60",
        "c.Markbook.suggester = 'openai-compatible'",  # of another step
        "c.Markbook.suggester_options = {'model': 'm'}",
    )
    read = read_settings(course)
    assert (read.preload, read.memory, read.output) == (("numpy",), None, 1000)
    assert read.total_seconds == 60.0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c.Markbook.memroy = 1", r"c\.Markbook\.memroy is not an option.*memory"),
        ("c.Markbook.memory = '4G'", r"c\.Markbook\.memory is '4G': it has to be a number"),
        ("c.Markbook.preload = 'numpy'", r"c\.Markbook\.preload is 'numpy': .*list"),
        ("c.Markbook.output = 0", r"c\.Markbook\.output is 0"),
        ("c.Execute.timeout = '30'", r"c\.Execute\.timeout is '30'"),
        ("c.LimitOutput.max_lines = -2", r"c\.LimitOutput\.max_lines is -2"),
        ("c.IgnorePattern.pattern = '('", r"c\.IgnorePattern\.pattern is '\('"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_its_option(configured, line, message):
    with pytest.raises(CourseError, match=message):
        read_settings(configured(line))


def test_what_is_appended_to_a_list_comes_after_nbgraders_own(configured):
    course = configured(
        "c.CourseDirectory.ignore.append('*.log')",
        "c.Autograde.exclude_overwriting = {'hw': ['a.py'], 'hw2': ['b.py']}",
    )
    rules = file_rules(course, "hw")
    assert rules.ignore == (*FileRules().ignore, "*.log")
    assert rules.keep == {"a.py"}
    assert file_rules(course, "hw3").keep == set()


def test_permissions_are_written_as_nbgrader_reads_them(configured):
    assert file_rules(configured("c.CourseDirectory.groupshared = True"), "hw").mode == 0o664
    assert file_rules(configured("c.Autograde.permissions = 644"), "hw").mode == 0o644
    assert file_rules(configured("c.BaseConverter.permissions = 600"), "hw").mode == 0o600


def test_late_submissions_lose_nothing_unless_the_course_says_so(configured):
    assert late_penalty(configured()) == "none"
    assert late_penalty(configured("c.LateSubmissionPlugin.penalty_method = 'zero'")) == "zero"
    with pytest.raises(CourseError, match="half"):
        late_penalty(configured("c.LateSubmissionPlugin.penalty_method = 'half'"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("c.Autograde.sanitize_preprocessors = []", "Autograde.sanitize_preprocessors"),
        ("c.Autograde.autograde_preprocessors = []", "Autograde.autograde_preprocessors"),
        ("c.Autograde.create_student = False", "Autograde.create_student"),
        ("c.BaseConverter.pre_convert_hook = print", "BaseConverter.pre_convert_hook"),
        ("c.Autograde.post_convert_hook = 'a.b'", "Autograde.post_convert_hook"),
        ("c.AssignLatePenalties.plugin_class = 'late.Sub'", "AssignLatePenalties.plugin_class"),
        ("c.Execute.kernel_name = 'julia'", "Execute.kernel_name"),
        ("c.ExecutePreprocessor.timeout_func = len", "ExecutePreprocessor.timeout_func"),
        ("c.OverwriteCells.enabled = False", "OverwriteCells.enabled"),
        ("c.ClearMetadataPreprocessor.enabled = True", "ClearMetadataPreprocessor.enabled"),
    ],
)
def test_what_only_nbgrader_can_do_is_named_with_the_way_out(configured, line, name):
    with pytest.raises(CourseError, match=rf"c\.{name}\..*--engine nbgrader"):
        refuse_foreign(configured(line))


@pytest.mark.parametrize(
    "line",
    [
        "c.ExecutePreprocessor.timeout = 60",
        "c.ExecutePreprocessor.interrupt_on_timeout = True",
        "c.Execute.startup_timeout = 120",
        "c.Autograde.create_student = True",
        "c.AssignLatePenalties.plugin_class = 'nbgrader.plugins.LateSubmissionPlugin'",
        "c.OverwriteCells.add_missing_cells = True",
        "c.ClearSolutions.code_stub = {'python': '...'}",
    ],
)
def test_what_changes_no_score_or_is_followed_is_not_refused(configured, line):
    refuse_foreign(configured(line))


def test_what_becomes_of_forged_points_is_the_courses_choice(configured):
    assert read_settings(configured()).tests == "verify"
    assert read_settings(configured("c.Markbook.tests = 'as-nbgrader'")).tests == "as-nbgrader"
    with pytest.raises(CourseError, match=r"c\.Markbook\.tests is 'no'.*as-nbgrader"):
        read_settings(configured("c.Markbook.tests = 'no'"))
