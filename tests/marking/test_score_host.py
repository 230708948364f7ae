"""The process that learns scores, and who speaks with it."""

from __future__ import annotations

import io
import json
import sys
import threading

import numpy as np
import pytest

from markbook.errors import InternalError
from markbook.graders.learning.model import ScoreModel
from markbook.graders.learning.prior import Prior
from markbook.graders.learning.taught import Taught
from markbook.marking.score_host import ScoreHost
from markbook.marking.score_process import Questions, serve

ECHO = (sys.executable, "-c", "import sys\nfor line in sys.stdin: print(line, end='', flush=True)")
DIES = (sys.executable, "-c", "input()")
PATIENCE = 60  # seconds until a test fails that would otherwise hang


class Asking:
    """Asks once and keeps what came."""

    def __init__(self, request):
        self.request = request
        self.reply = None
        self.done = threading.Event()

    def ask_scores(self, ask):
        try:
            self.reply = ask(self.request)
        except InternalError as error:
            self.reply = error
        finally:
            self.done.set()

    def asked(self, host):
        self.done.clear()
        host.want(self)
        assert self.done.wait(PATIENCE)
        return self.reply


@pytest.fixture
def hosted():
    hosts = []

    def make(command):
        hosts.append(ScoreHost(command))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


def test_whoever_wants_is_asked_and_gets_the_reply(hosted):
    host = hosted(ECHO)
    assert [Asking({"n": n}).asked(host) for n in (1, 2)] == [{"n": 1}, {"n": 2}]


def test_a_process_that_dies_is_started_anew_but_not_for_ever(hosted):
    host = hosted(DIES)
    asking = Asking({"n": 1})
    assert [str(asking.asked(host)) for _ in range(4)] == [
        *["The process that learns scores has ended."] * 3,
        "The process that learns scores does not run.",
    ]


def test_no_process_is_left_behind_and_nobody_is_asked_after_the_end(hosted):
    host = hosted(ECHO)
    Asking({}).asked(host)
    process = host._process
    host.close()
    assert process.wait(PATIENCE) is not None
    late = Asking({})
    host.want(late)
    assert not late.done.wait(0.05)


def test_an_error_in_one_question_does_not_end_the_thread_for_the_others(hosted):
    class Broken:
        def ask_scores(self, ask):
            raise ValueError("x")

    host = hosted(ECHO)
    host.want(Broken())
    assert Asking({"n": 3}).asked(host) == {"n": 3}


TEXTS = [
    "The signature proves that nobody changed the token.",
    "It proves that the token was not changed by anybody.",
    "It encrypts the token so that nobody reads it.",
    "Bananas are yellow.",
    "The server signs the token with its key, so changes are found.",
    "I do not know.",
    "",
    "A changed token does not fit its signature.",
]
OPEN = {
    "open": "q",
    "question": "What does the signature of a token prove?",
    "references": ["It proves that nobody changed the token."],
    "answers": TEXTS,
}


def test_a_question_is_opened_learns_and_forgets_what_was_taken_back():
    questions = Questions(ScoreModel(Prior.default()))
    assert questions.answer({"marks": "q", "scores": {}}) == {"unknown": True}
    opened = questions.answer(OPEN)
    arrays = {"mean", "suggested", "sd", "confidence", "first"}
    assert set(opened) == arrays | {"marks", "refused", "note"}
    assert len(opened["mean"]) == len(TEXTS)
    told = questions.answer({"marks": "q", "scores": {"0": 1.0, "3": 0.0}})
    assert (told["marks"], told["mean"][0], told["mean"][3]) == (2, 1.0, 0.0)
    assert not {0, 3} & set(told["first"])
    assert told["mean"][1] != opened["mean"][1]
    assert questions.answer({"marks": "q", "scores": {}}) == opened
    assert "UsageError" in questions.answer({"marks": "q", "scores": {"0": 7.0}})["error"]


def test_what_other_questions_taught_moves_the_first_scores_and_a_broken_file_is_told(tmp_path):
    model = ScoreModel(Prior.default())
    names = np.array(model.prior.names)
    drawn = np.random.default_rng(0).normal(size=(120, len(names))).astype(np.float32)
    centre, spread = model.prior.opinions.centre, model.prior.opinions.spread
    values = (centre + spread * drawn).astype(np.float32)
    nothing = Taught(names, values, np.zeros(120), np.arange(120) // 20)
    (tmp_path / "hard.npz").write_bytes(nothing.to_bytes())
    (tmp_path / "broken.npz").write_bytes(b"broken")
    means, notes = {}, {}
    for name in ("", "hard.npz", "broken.npz", "gone.npz"):
        request = OPEN | {"taught": str(tmp_path / name) if name else ""}
        said = Questions(model).answer(request)
        means[name], notes[name] = said["mean"], said["note"]
    assert sum(means["hard.npz"]) < sum(means[""])
    assert means["broken.npz"] == means["gone.npz"] == means[""]
    assert notes.pop("broken.npz").startswith(
        f"without what other questions taught: {tmp_path / 'broken.npz'}: These are no features"
    )
    assert set(notes.values()) == {""}


def test_the_question_least_lately_used_is_forgotten_first():
    questions = Questions(ScoreModel(Prior.default()))
    for number in range(9):
        assert "error" not in questions.answer(OPEN | {"open": str(number), "answers": TEXTS[:1]})
    assert questions.answer({"marks": "0", "scores": {}}) == {"unknown": True}
    assert "mean" in questions.answer({"marks": "1", "scores": {}})


def test_each_line_has_one_answer_whatever_it_asks():
    out = io.StringIO()
    serve(iter(['{"open": "q"}\n', '{"nonsense": 1}\n']), out, Questions())
    assert ["error" in json.loads(line) for line in out.getvalue().splitlines()] == [True, True]
