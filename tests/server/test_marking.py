"""Marking through the API: what is handed out, what is stored, what two people see."""

from __future__ import annotations

import dataclasses

import pytest

from markbook.gradebook import Gradebook
from markbook.model import AnswerStatus


def marks(course, question="keys"):
    with Gradebook.open(course) as gb:
        return {m.student: m for m in gb.marks("hw", question)}


def decide(client, item, earned=("right",), **more):
    body = {"earned": list(earned), "row_version": item["row_version"]}
    return client.item(item["id"], "mark", body | more)


def rewrite(course, question, student, text):
    with Gradebook.open(course) as gb:
        answers = [a for a in gb.answers("hw") if a.student == student]
        new = {"text": text, "status": AnswerStatus.ANSWERED}
        changed = [dataclasses.replace(a, **new) if a.question == question else a for a in answers]
        gb.save_submission(gb.record("hw", student), changed)


def test_a_question_comes_with_all_that_a_marker_needs(grace):
    asked = grace.get(f"{grace.api()}/question").json
    assert [c["id"] for c in asked["criteria"]] == ["right", "example", "muddle"]
    assert [c["points"] for c in asked["criteria"]] == [2, 1, -1]
    assert asked["cap"] == 3
    assert "What about keys?" in asked["prompt_html"]
    assert "A key must stay secret" in asked["model_answer_html"]
    assert asked["exemplars"][0]["earns"] == ["right"]
    assert (asked["start"], asked["floor"], asked["bonus"]) == ("zero", 0, False)


def test_a_bonus_question_is_worth_its_extra_credit(grace):
    asked = grace.get(f"{grace.api('story')}/question").json
    assert (asked["cap"], asked["bonus"], asked["points"]) == (2, True, 0)


def test_a_suggestion_comes_with_its_evidence_in_the_text(grace):
    item = grace.open("doors")
    assert item["mark"] is None
    suggested = {s["criterion"]: s for s in item["suggestions"]}
    assert suggested["right"]["awarded"] is True
    assert suggested["right"]["confidence"] == 0.8
    assert '<mark data-criterion="right">They</mark>' in item["html"]
    assert item["why"] == "suggested"


def test_marking_stores_the_decision_under_ones_name_and_hands_out_the_next(course, client):
    first = client.open("doors")
    reply = decide(client, first, ["right"], comment="Well **said**.", next={"only": "open"})
    assert reply.status == 200
    assert reply.json["saved"]["mark"]["score"] == 2
    assert reply.json["next"]["id"] != first["id"]
    (stored,) = marks(course, "doors").values()
    assert (stored.earned, stored.marker, stored.comment) == (("right",), "grace", "Well **said**.")
    with Gradebook.open(course) as gb:
        (grade,) = [g for g in gb.grades("hw") if g.question == "doors" and g.manual_score]
        assert (grade.student, grade.manual_score) == (stored.student, 2)


def test_nothing_earned_is_a_mark_and_not_marked_is_none(course, client):
    item = client.open()
    saved = decide(client, item, []).json["saved"]
    assert (saved["mark"]["earned"], saved["mark"]["score"]) == ([], 0)
    assert client.item(item["id"]).json["item"]["mark"]["score"] == 0
    assert client.open("doors")["mark"] is None


@pytest.mark.parametrize(("adjustment", "score"), [(1000, 3), (-1000, 0), (0.5, 2.5)])
def test_an_adjustment_cannot_leave_the_bounds_of_the_rubric(course, client, adjustment, score):
    item = client.open()
    saved = decide(client, item, adjustment=adjustment, reason="a try").json["saved"]
    assert saved["mark"]["score"] == score
    (stored,) = marks(course).values()
    assert stored.score == score


def test_the_last_answer_has_no_next_one(client):
    item = client.open()
    while item is not None:
        reply = decide(client, item, next={})
        assert reply.status == 200
        item = reply.json["next"]
    assert client.open() is None
    assert client.get(f"{client.api()}/progress").json["open"] == 0


def test_a_stale_save_shows_both_versions_and_stores_neither_over_the_other(course, client, serve):
    item = client.open()
    with serve(course, marker="ben") as other:
        other.sign_in()
        theirs = decide(other, item, ["example"], comment="ben's")
        assert theirs.status == 200
        yours = decide(client, item, ["right"], comment="grace's")
    assert yours.status == 409
    told = yours.json
    assert told["error"]["code"] == "stale-mark"
    assert told["yours"]["earned"] == ["right"]
    assert told["yours"]["comment"] == "grace's"
    assert (told["theirs"]["earned"], told["theirs"]["marker"]) == (["example"], "ben")
    (stored,) = marks(course).values()
    assert (stored.earned, stored.marker) == (("example",), "ben")
    again = decide(client, told["item"], ["right"], comment="grace's")
    assert again.status == 200
    (stored,) = marks(course).values()
    assert (stored.earned, stored.marker) == (("right",), "grace")


def test_a_text_that_changed_meanwhile_is_shown_and_not_marked_unseen(course, client):
    item = client.open("doors")
    student = "ada" if "open" in item["text"] else "cleo"
    rewrite(course, "doors", student, "A new text.")
    reply = decide(client, item)
    assert reply.status == 409
    assert reply.json["theirs"] is None
    assert reply.json["item"]["text"] == "A new text."
    assert marks(course, "doors") == {}


def test_two_sessions_get_different_answers(course, client, serve):
    mine = client.open("doors")
    with serve(course, marker="ben") as other:
        theirs = other.sign_in().open("doors")
        assert theirs["id"] != mine["id"]
        assert other.item(mine["id"]).json["item"]["leased_to"] == "grace"
        assert other.open("doors", after=theirs["id"])["id"] != mine["id"]
        assert client.item(mine["id"], "release").status == 200
        assert other.item(mine["id"]).json["item"]["leased_to"] is None


def test_undo_takes_the_mark_back_and_the_history_keeps_it(course, client):
    item = client.open()
    decide(client, item, ["right"])
    undone = client.item(item["id"], "undo").json["item"]
    assert undone["mark"] is None
    assert marks(course) == {}
    place = f"{client.api()}/item/{item['id']}/history"
    lines = client.get(place).json["history"]
    assert [(line["who"], line["what"]) for line in lines] == [("grace", "mark"), ("grace", "undo")]
    assert lines[0]["after"]["earned"] == ["right"]


def test_revealing_a_name_is_written_down(course, client):
    item = client.open()
    name = client.item(item["id"], "reveal").json["student"]
    assert name in ("ada", "ben", "cleo")
    with Gradebook.open(course) as gb:
        events = [e for e in gb.events("hw") if e.what == "revealed"]
    assert [(e.who, e.subject["student"]) for e in events] == [("grace", name)]


def test_a_flag_is_seen_by_everybody(course, client, serve):
    item = client.open()
    client.item(item["id"], "flag", {"flagged": True, "note": "look again"})
    with serve(course, marker="ben") as other:
        seen = other.sign_in().item(item["id"]).json["item"]
        assert (seen["flagged"], seen["flag_note"]) == (True, "look again")
    assert client.item(item["id"], "flag", {"flagged": False}).json["item"]["flagged"] is False


def test_comments_used_before_are_found_again(client):
    item = client.open()
    decide(client, item, comment="Say who keeps the key.")
    found = client.get(f"{client.api()}/comments?search=keeps").json["comments"]
    assert found == ["Say who keeps the key."]
    assert client.get(f"{client.api()}/comments?search=zebra").json["comments"] == []


def test_a_rubric_edit_is_shown_before_it_is_made_and_keeps_what_fits(course, client):
    item = client.open()
    decide(client, item, ["right"])
    version = client.get(f"{client.api()}/question").json["version"]
    edits = [{"kind": "repoint", "criterion": "right", "points": 1}]
    body = {"edits": edits, "base_version": version}
    file = course.rubric("hw", "keys")
    before = file.read_text()
    impact = client.post(f"{client.api()}/rubric/preview", body).json
    assert [(c["item"], c["before"], c["after"]) for c in impact["changes"]] == [(item["id"], 2, 1)]
    assert file.read_text() == before
    applied = client.post(f"{client.api()}/rubric/apply", body)
    assert applied.status == 200, applied.body
    assert applied.json["question"]["criteria"][0]["points"] == 1
    assert client.item(item["id"]).json["item"]["mark"]["score"] == 1
    stale = client.post(f"{client.api()}/rubric/apply", body)
    assert (stale.status, stale.json["error"]["code"]) == (409, "stale-rubric")
    assert stale.json["theirs"]["criteria"][0]["points"] == 1
    assert stale.json["yours"]["edits"][0]["points"] == 1


def test_a_group_is_marked_at_once_and_taken_back_at_once(course, client):
    for student, text in {"ada": "They open.", "ben": "They open!", "cleo": "they  OPEN"}.items():
        rewrite(course, "doors", student, text)
    (group,) = client.get(f"{client.api('doors')}/groups").json["groups"]
    assert (group["size"], group["open"], group["identical"]) == (3, 3, True)
    assert [m["likeness"] for m in group["members"]] == [1, 1, 1]
    place = f"{client.api('doors')}/groups"
    left_out = group["members"][0]["id"]
    body = {"earned": ["right"], "comment": "All alike.", "skip": [left_out]}
    result = client.post(f"{place}/{group['id']}/mark", body).json
    assert (len(result["saved"]), result["skipped"], result["left"]) == (2, [left_out], [])
    stored = marks(course, "doors")
    assert {(m.score, m.comment, m.marker) for m in stored.values()} == {(2, "All alike.", "grace")}
    assert len(stored) == 2
    assert client.post(f"{place}/undo", {"batch": result["batch"]}).json == {"undone": 2}
    assert marks(course, "doors") == {}
    assert client.post(f"{place}/undo", {"batch": "no-such-batch"}).status == 404
    assert client.post(f"{place}/no-such-group/mark", body).status == 404


def test_similar_answers_are_shown_beside_without_their_authors(course, client):
    rewrite(course, "doors", "ada", "Doors keep people out of rooms that are not theirs to enter.")
    rewrite(course, "doors", "cleo", "Doors keep the people out of rooms that are not theirs.")
    item = client.open("doors")
    assert [s["id"] != item["id"] and "Doors keep" in s["html"] for s in item["similar"]] == [True]
    assert 0 < item["similar"][0]["likeness"] <= 1


def test_what_students_wrote_comes_as_text_and_not_as_markup(course, client):
    payload = '<script>x()</script><img src=x onerror=x()>[a](javascript:x()) <b onclick="x()">'
    rewrite(course, "doors", "ada", payload)
    rewrite(course, "doors", "cleo", payload)
    item = client.open("doors")
    assert item["text"] == payload
    assert "<script" not in item["html"]
    assert "<img" not in item["html"]
    assert "<b " not in item["html"]
    assert "href" not in item["html"]


def test_a_question_without_a_rubric_says_what_to_do(course, serve):
    course.rubric("hw", "keys").unlink()
    with serve(course) as client:
        client.sign_in()
        reply = client.post(f"{client.api()}/open")
        assert (reply.status, reply.json["error"]["code"]) == (409, "course")
        assert "keys" in reply.json["error"]["what"]
        page = client.get("/markbook/a/hw/q/keys")
        assert page.status == 409
        assert "text/html" in page.headers["Content-Type"]
        assert client.get("/markbook/a/hw").status == 200
