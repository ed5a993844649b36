"""What a tablet is given and what becomes of what it sends."""

import json

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contest.models import EntryFile
from contest.services.rounds import close_round
from judging.models import Mark, Panel, RecordEntry, Scoresheet
from judging.services import stage, ties
from judging.services.panels import recuse
from judging.services.scoresheets import return_sheet
from judging.services.tablet import pseudonym
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
)

pytestmark = pytest.mark.django_db


class Hall:
    def __init__(self, client):
        self.organizer = make_user()
        self.track = make_track(make_event(self.organizer))
        self.round = make_round(self.track, format="roadshow", kind="semifinal")
        for n in range(3):
            make_participation(self.round, make_team(self.track, code=f"T-{n}"), running_order=n)
        self.judge = make_judge(self.track.event)
        self.panel = make_panel(self.round, [self.judge])
        self.criteria = list(self.panel.rubric.criteria.all())
        self.assignments = list(self.panel.assignments.order_by("participation__running_order"))
        self.client = client
        client.force_login(self.judge.user)

    def package(self, **headers):
        return self.client.get("/api/v1/tablet/", headers=headers)

    def teams(self):
        return self.package().json()["rounds"][0]["teams"]

    def send(self, *operations, device="left"):
        answer = self.client.post(
            "/api/v1/tablet/outbox/",
            json.dumps({"device": device, "operations": operations}),
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content
        return answer.json()["outcomes"]

    def tap(self, key, value="7.5", team=0, criterion=0, **more):
        return {
            "kind": "mark", "key": key, "assignment": self.assignments[team].pk,
            "criterion": self.criteria[criterion].pk, "value": value, **more,
        }  # fmt: skip

    def complete(self, team=0):
        return [self.tap(f"t{team}-{n}", "8", team, n) for n in range(3)]

    def submit(self, key, team=0, value="8"):
        return {
            "kind": "submit", "key": key, "assignment": self.assignments[team].pk,
            "marks": {str(c.pk): value for c in self.criteria},
        }  # fmt: skip


@pytest.fixture
def hall(client):
    return Hall(client)


def test_the_package_holds_everything_a_sheet_needs(hall):
    hall.send(*hall.complete(), {"kind": "comment", "key": "c", "text": "clear",
                                 "assignment": hall.assignments[0].pk})  # fmt: skip
    package = hall.package().json()
    (round,) = package["rounds"]
    first = round["teams"][0]
    assert [team["code"] for team in round["teams"]] == ["T-0", "T-1", "T-2"]
    assert first["sheet"]["marks"][str(hall.criteria[0].pk)] == {"value": "8.00", "number": 2}
    assert first["sheet"]["comment"] == {"text": "clear", "number": 5}
    assert round["teams"][1]["sheet"] is None
    (rubric,) = round["rubrics"].values()
    assert rubric["criteria"][0]["maximum"] == "10.00"
    assert round["stage"]["count"] == 3


def test_the_package_is_sent_only_when_it_changed(hall):
    first = hall.package()
    again = hall.package(if_none_match=first.headers["ETag"])
    assert again.status_code == 304
    stage.call_next(hall.round, hall.organizer)
    changed = hall.package(if_none_match=first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.json()["rounds"][0]["stage"]["current"]["code"] == "T-0"


def test_the_package_asks_no_more_when_teams_are_added(hall):
    hall.send(*hall.complete())
    hall.package()
    with CaptureQueriesContext(connection) as few:
        hall.package()
    for n in range(10, 20):
        make_participation(hall.round, make_team(hall.track, code=f"T-{n}"), running_order=n)
        hall.panel.assignments.create(
            judge=hall.judge, participation=hall.round.participations.last()
        )
    with CaptureQueriesContext(connection) as many:
        assert len(hall.teams()) == 13
    assert len(many) <= len(few)


def test_an_outbox_sent_twice_is_done_once(hall):
    outbox = [*hall.complete(), hall.submit("s")]
    first = hall.send(*outbox)
    assert [outcome["outcome"] for outcome in first] == ["saved"] * 4
    assert hall.send(*outbox) == first
    assert Mark.objects.count() == 3
    assert Scoresheet.objects.get().status == "submitted"


def test_a_bad_operation_does_not_hold_up_the_others(hall):
    outcomes = hall.send(
        hall.tap("a", "7.3"),
        {"kind": "dance", "key": "b"},
        hall.tap("c", "7", assignment=10**6),
        hall.tap("d", "7\x00"),
        {"kind": "comment", "key": "e", "text": "\x00", "assignment": hall.assignments[0].pk},
        hall.tap("f", "7"),
    )
    assert [(o["key"], o["outcome"]) for o in outcomes] == [
        ("a", "refused"), ("b", "refused"), ("c", "refused"), ("d", "refused"), ("e", "refused"),
        ("f", "saved"),
    ]  # fmt: skip
    assert all(o["detail"] for o in outcomes[:5])


def test_two_tablets_meet_in_a_conflict_that_the_judge_resolves(hall):
    (first,) = hall.send(hall.tap("a", "6"))
    (refused,) = hall.send(hall.tap("b", "9"), device="right")
    assert refused["outcome"] == "conflict"
    assert (refused["current"]["value"], refused["current"]["device"]) == ("6.00", "left")
    resolved = hall.tap("c", "9", base=first["number"])
    assert hall.send(resolved, device="right")[0]["outcome"] == "saved"
    assert hall.send(hall.tap("d", "5"))[0]["outcome"] == "conflict", "and the other way round"
    assert Mark.objects.get().value == 9


def test_what_comes_after_the_lock_is_refused_and_taken_once_the_sheet_is_returned(hall):
    hall.send(*hall.complete(), hall.submit("s"))
    close_round(hall.round, hall.organizer)
    late = hall.tap("late", "6")
    assert hall.send(late)[0]["code"] == "sheet_submitted"
    assert hall.send(hall.tap("x", "6", team=1))[0]["code"] == "round_not_open"
    return_sheet(Scoresheet.objects.get(assignment=hall.assignments[0]), hall.organizer, "late tap")
    team = hall.teams()[0]
    assert (team["sheet"]["status"], team["sheet"]["returned"]) == ("returned", "late tap")
    assert hall.send(late)[0]["outcome"] == "saved", "the same tap, sent again"


def test_a_conflict_of_interest_is_declared_on_the_tablet(hall):
    outcome = hall.send({"kind": "recuse", "key": "r", "text": "adviser",
                         "assignment": hall.assignments[0].pk})[0]  # fmt: skip
    assert outcome["outcome"] == "saved"
    assert hall.teams()[0]["recused"] == "adviser"
    assert hall.send(hall.tap("a"))[0]["code"] == "recused"


def test_the_chair_decides_a_tie_on_the_tablet(hall):
    Panel.objects.update(chair=hall.judge)
    pair = list(hall.round.participations.order_by("running_order")[:2])
    tie = ties.ask(hall.panel, pair, hall.organizer)
    (shown,) = hall.package().json()["ties"]
    assert [team["code"] for team in shown["teams"]] == ["T-0", "T-1"]
    order = [pair[1].pk, pair[0].pk]
    decision = {"kind": "tie", "key": "t", "tie": tie.pk, "order": order, "text": "pitch"}
    assert hall.send(decision)[0]["outcome"] == "saved"
    assert hall.send(decision)[0]["outcome"] == "saved"
    assert hall.package().json()["ties"] == []
    tie.refresh_from_db()
    assert (tie.status, tie.decided_by, tie.reason) == ("decided", hall.judge, "pitch")


def test_a_judge_sees_and_sends_nothing_of_another(hall, client):
    hall.send(*hall.complete())
    other = make_judge(hall.track.event)
    client.force_login(other.user)
    assert hall.package().json()["rounds"] == []
    assert hall.send(hall.tap("a"))[0]["code"] == "not_assigned"
    assert RecordEntry.objects.count() == 4


def test_an_anonymous_review_says_nothing_of_who_the_team_is(hall, settings, tmp_path):
    team = hall.assignments[0].participation.team
    team.entry.repository = "https://example.org/who-we-are"
    team.entry.save()
    kept = EntryFile(entry=team.entry, original_name="who-we-are.pdf", size=5, sha256="2" * 64)
    kept.file.save("a.pdf", ContentFile(b"%PDF-"), save=True)
    Panel.objects.update(is_anonymous=True)
    (round,) = hall.package().json()["rounds"]
    round["stage"] = None
    text = json.dumps(round, ensure_ascii=False)
    for part in (team.name_en, team.organisation_en, team.code, "who-we-are", 'participation": 1'):
        assert part not in text
    shown = next(t for t in round["teams"] if t["assignment"] == hall.assignments[0].pk)
    assert shown["code"] == pseudonym(hall.assignments[0].participation)
    assert shown["files"][0]["name"] == "1.pdf"
    answer = hall.client.get(shown["files"][0]["url"])
    assert answer.headers["Content-Disposition"] == 'inline; filename="1.pdf"'
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert b"".join(answer.streaming_content) == b"%PDF-"


def test_a_recused_judge_gets_no_files(hall):
    team = hall.assignments[0].participation.team
    kept = EntryFile(entry=team.entry, original_name="a.pdf", size=5, sha256="2" * 64)
    kept.file.save("a.pdf", ContentFile(b"%PDF-"), save=True)
    address = hall.teams()[0]["files"][0]["url"]
    recuse(hall.judge, team, hall.judge.user, "adviser")
    assert hall.teams()[0]["files"] == []
    assert hall.client.get(address).status_code == 403
