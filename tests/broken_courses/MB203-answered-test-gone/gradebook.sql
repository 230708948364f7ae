-- nbgrader's and Markbook's tables, as far as they say whose work hangs on a cell
CREATE TABLE assignment (id, name);
CREATE TABLE notebook (id, name, assignment_id);
CREATE TABLE base_cell (id, name, notebook_id, type);
CREATE TABLE submitted_assignment (id, assignment_id, student_id);
CREATE TABLE submitted_notebook (id, assignment_id, notebook_id);
CREATE TABLE markbook_answer (assignment, notebook, question, student, status);
CREATE TABLE markbook_mark (assignment, notebook, question, student);
INSERT INTO assignment VALUES ('a', 'hw'), ('b', 'another');
INSERT INTO notebook VALUES ('n', 'part', 'a'), ('m', 'part', 'b');
INSERT INTO base_cell VALUES
  ('1', 'keys', 'n', 'GradeCell'), ('2', 'keys', 'n', 'SolutionCell'),
  ('3', 'doors', 'n', 'GradeCell'), ('4', 'doors', 'n', 'SolutionCell'),
  ('5', 'add', 'n', 'SolutionCell'), ('6', 'add-visible', 'n', 'GradeCell'),
  ('7', 'add-hidden', 'n', 'GradeCell'), ('8', 'welcome', 'n', 'SourceCell'),
  ('9', 'gone', 'm', 'GradeCell');
INSERT INTO submitted_assignment VALUES
  ('s1', 'a', 'ada'), ('s2', 'a', 'ben'), ('s3', 'a', 'cleo'), ('s4', 'b', 'ada');
INSERT INTO submitted_notebook VALUES
  ('t1', 's1', 'n'), ('t2', 's2', 'n'), ('t3', 's3', 'n'), ('t4', 's4', 'm');
INSERT INTO markbook_answer VALUES
  ('hw', 'part', 'keys', 'ada', 'answered'), ('hw', 'part', 'keys', 'ben', 'answered'),
  ('hw', 'part', 'keys', 'cleo', 'blank'),
  ('hw', 'part', 'doors', 'ada', 'answered'), ('hw', 'part', 'doors', 'ben', 'blank'),
  ('hw', 'part', 'doors', 'cleo', 'blank');
INSERT INTO markbook_mark VALUES ('hw', 'part', 'doors', 'ada'), ('hw', 'part', 'doors', 'ben');
