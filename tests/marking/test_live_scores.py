"""Scores learned while people mark, with the process replaced by what it would answer."""

from __future__ import annotations

import pytest

from markbook.marking import Desk, accept
from markbook.model import Expectation


class Host:
    """Asks at once, in the caller's thread; learns that every answer is worth the mean mark."""

    def __init__(self):
        self.requests = []
        self.open = {}
        self.fails = False
        self.note = ""

    def want(self, waiting):
        waiting.ask_scores(self.ask)

    def ask(self, request):
        self.requests.append(request)
        if self.fails:
            return {"error": "MemoryError: "}
        if "open" in request:
            self.open[request["open"]] = len(request["answers"])
        name = request.get("open") or request["marks"]
        if name not in self.open:
            return {"unknown": True}
        scores = {int(place): share for place, share in request.get("scores", {}).items()}
        count = self.open[name]
        mean = sum(scores.values()) / len(scores) if scores else 0.5
        return {
            "marks": len(scores),
            "mean": [scores.get(place, mean) for place in range(count)],
            "suggested": [scores.get(place, mean) for place in range(count)],
            "sd": [0.0 if place in scores else 0.3 for place in range(count)],
            "confidence": [1.0 if place in scores else 0.4 for place in range(count)],
            "first": [place for place in reversed(range(count)) if place not in scores],
            "refused": "nobody agrees" if len(scores) > 1 else None,
            "note": self.note,
        }

    @property
    def taught(self):
        return [list(r["scores"].values()) for r in self.requests if "marks" in r]


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def desk(course, gb, host):
    return Desk(course, gb, "hw", "keys", host)


def save(desk, name, *earned):
    item = desk.item(name, marker="grace")
    return desk.save(name, marker="grace", earned=earned, comment="c", row_version=item.row_version)


def test_nothing_is_learned_before_somebody_wants_the_most_useful_answer(desk, host):
    desk.open_next("grace")
    assert host.requests == []
    desk.open_next("grace", by="useful")
    (opened,) = host.requests
    assert len(opened["answers"]) == 2
    assert opened["question"]
    assert "ada" not in str(opened)


def test_expected_scores_alone_start_no_process(course, gb, host):
    text = gb.answers("hw", "keys")[0].hash
    gb.replace_suggestions("hw", "keys", [], [Expectation("keys", text, 0.5, 0.1, 0.5, 1)])
    desk = Desk(course, gb, "hw", "keys", host)
    save(desk, desk.open_next("grace").id, "right")
    assert host.requests == []


def test_the_next_answer_is_the_most_useful_by_now_and_those_shown_keep_their_place(desk, host):
    first = desk.open_next("grace", by="useful")
    last = max(desk.order("grace"), key=lambda name: desk._table.cases[name].answer.hash)
    assert first.id == last, "the design of this host begins at the end"
    assert (first.position, first.total) == (1, 2)
    second = desk.open_next("grace", by="useful", after=first.id)
    assert (second.position, second.id) != (1, first.id)
    assert desk.open_next("grace", by="useful", after=second.id).id == first.id, "it still waits"
    assert desk.order("grace", "useful") == (first.id, second.id)
    save(desk, first.id, "right")
    assert desk.open_next("grace", by="useful").id == second.id
    assert desk.order("grace", "useful")[0] == second.id, "a new start begins with what is left"


def test_each_mark_is_learned_from_and_each_undo_unlearned(desk, host):
    first = desk.open_next("grace", by="useful").id
    other = next(name for name in desk.order("grace") if name != first)
    assert desk.item(other, marker="grace").expected.mean == 0.5 * desk.cap
    saved = save(desk, first, "right")
    assert saved.expected is None, "a marked answer has its mark"
    expected = desk.item(other, marker="grace").expected
    assert expected.mean == pytest.approx(saved.mark.score)
    assert "learned from 1 mark of this question" in expected.why
    desk.undo(first, marker="grace")
    assert host.taught[-1] == []
    assert desk.item(other, marker="grace").expected.mean == 0.5 * desk.cap


def test_what_could_not_be_used_is_said_beside_the_expected_score(desk, host):
    host.note = "without what other questions taught: hw.npz is broken"
    first = desk.open_next("grace", by="useful").id
    why = desk.item(first, marker="grace").expected.why
    assert why == f"from what is known of other questions; {host.note}"


def test_a_refused_question_says_why_beside_its_answers(desk, rewrite):
    first = desk.open_next("grace", by="useful").id
    other = next(name for name in desk.order("grace") if name != first)
    save(desk, first, "right")
    save(desk, other)
    rewrite("ada", "keys", "another text")
    rewrite("ben", "keys", "and one more")
    assert desk.item(first, marker="grace").expected is None or desk.refresh() is False
    assert desk._live.snapshot is None, "other texts are another question to learn"


def test_marks_that_a_rule_made_teach_nothing(course, gb, desk, host, suggest):
    suggest("keys", {"ada": {"right"}})
    desk.open_next("grace", by="useful")
    assert accept(course, gb, "hw", "confidence >= 0.9", marker="grace").accepted
    desk.refresh()
    assert host.taught == []


def test_a_process_that_fails_is_left_alone_and_marking_goes_on(desk, host):
    host.fails = True
    first = desk.open_next("grace", by="useful").id
    for earned in ((), ("right",), ()):
        save(desk, first, *earned)
    assert len(host.requests) == 2
    assert desk.item(first, marker="grace").mark.earned == ()


def test_without_a_process_stored_ranks_decide_and_are_shown(course, gb, suggest):
    suggest("keys", {"ada": {"right"}, "ben": set()})
    texts = {a.student: a.hash for a in gb.answers("hw", "keys")}
    told = [
        Expectation("keys", texts["ada"], 0.5, 0.25, 0.4, 2, ("prompt-copied",), "too few"),
        Expectation("keys", texts["ben"], 0.75, 0.1, 0.9, 1),
    ]
    gb.replace_suggestions("hw", "keys", gb.suggestions("hw", "keys"), told)
    desk = Desk(course, gb, "hw", "keys")
    order = desk.order("grace", "useful")
    assert [desk.reveal(name, marker="grace") for name in order] == ["ben", "ada"]
    ben, ada = (desk.item(name, marker="grace").expected for name in order)
    assert (ben.mean, ben.confidence, ben.flags) == (0.75 * desk.cap, 0.9, ())
    assert (ada.sd, ada.flags, ada.refused) == (0.25 * desk.cap, ("prompt-copied",), "too few")
    assert ada.why == "as the last run of the graders expected"


def test_copies_of_a_text_come_last_because_one_mark_tells_all(course, gb, host, rewrite):
    texts = {a.student: a.text for a in gb.answers("hw", "keys")}
    rewrite("ben", "keys", texts["ada"])
    desk = Desk(course, gb, "hw", "keys", host)
    first = desk.open_next("grace", by="useful").id
    (opened,) = host.requests
    assert len(opened["answers"]) == 1
    second = desk.order("grace", "useful")[1]
    saved = save(desk, first, "right")
    expected = desk.item(second, marker="grace").expected
    assert expected.mean == saved.mark.score
    assert "this very text was marked already" in expected.why
