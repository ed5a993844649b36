"""Panels over the API: designs, substitutes, ties."""

import pytest
from django.test import Client

from judging.models import Assignment, Tie
from judging.services import ties
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


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def panel(organizer):
    track = make_track(make_event(organizer))
    round = make_round(track, format="roadshow", kind="semifinal")
    for _n in range(6):
        make_participation(round, make_team(track))
    return make_panel(round, [make_judge(track.event) for _n in range(4)], assign=False)


@pytest.fixture
def send(organizer):
    client = Client()
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")

    def send(method, path, data=None):
        answer = getattr(client, method)(
            f"/api/v1/{path}", data, content_type="application/json",
            headers={"Accept-Language": "en"},
        )  # fmt: skip
        return answer.status_code, answer.json() if answer.content else None

    return send


def test_chair_and_anonymity(panel, send):
    chair, *others = panel.judges.all()
    path = f"panels/{panel.pk}/"
    status, shown = send("patch", path, {"chair": chair.pk, "is_anonymous": True})
    assert (status, shown["chair"], shown["is_anonymous"]) == (200, chair.pk, True)
    status, said = send("patch", path, {"judges": [judge.pk for judge in others]})
    assert (status, list(said)) == (400, ["chair"])
    stranger = make_judge(panel.round.event)
    assert send("patch", path, {"chair": stranger.pk})[0] == 400
    assert send("patch", path, {"chair": None})[1]["chair"] is None


def test_a_design_is_tried_and_applied(panel, send):
    path = f"panels/{panel.pk}/design/"
    status, dry = send("post", path, {"k": 2})
    assert (status, dry["applied"], dry["added"], dry["connected"]) == (200, False, 12, True)
    assert (dry["load_min"], dry["load_max"]) == (3, 3)
    assert (dry["overlap_min"], dry["overlap_mean"], dry["overlap_max"]) == (1, 1.0, 1)
    assert not Assignment.objects.exists()
    wish = {"k": 2, "seed": dry["seed"], "dry_run": False, "seen": dry["digest"]}
    status, done = send("post", path, wish)
    assert (status, done["applied"]) == (200, True)
    assert done["assignments"] == dry["assignments"]
    assert panel.assignments.count() == 12
    assert send("post", path, {**wish, "seen": "0"})[1]["code"] == "design_changed"
    assert send("post", path, {"k": 5})[1]["code"] == "too_few_judges"
    assert send("post", path, {"k": 0})[0] == 400


def test_a_substitute(panel, send):
    send("post", f"panels/{panel.pk}/assign_all/")
    out, successor = panel.judges.first(), make_judge(panel.round.event)
    body = {"out": out.pk, "successor": successor.pk, "reason": "ill"}
    status, done = send("post", f"panels/{panel.pk}/substitute/", body)
    assert (status, len(done["given"]), done["left"]) == (200, 6, [])
    assert send("post", f"panels/{panel.pk}/substitute/", body)[1]["given"] == []


def test_the_same_organisation_takes_a_reason(panel, send):
    participation = panel.round.participations.first()
    own = make_judge(panel.round.event, organisation_en=participation.team.organisation_en)
    panel.judges.add(own)
    body = {"panel": panel.pk, "judge": own.pk, "participation": participation.pk}
    status, said = send("post", "assignments/", body)
    assert (status, said["code"]) == (409, "same_organisation")
    status, made = send("post", "assignments/", {**body, "reason": "no other expert"})
    assert (status, made["participation"]) == (201, participation.pk)
    assert send("post", "assignments/", {**body, "participation": None})[0] == 400


def test_ties(panel, send):
    chair = panel.judges.first()
    panel.chair = chair
    panel.save()
    a, b, *_others = panel.round.participations.all()
    body = {"panel": panel.pk, "participations": [a.pk, b.pk]}
    status, tie = send("post", "ties/", body)
    assert (status, tie["status"], tie["decided_by"]) == (201, "open", None)
    assert send("post", "ties/", body)[1]["id"] == tie["id"], "asked again it is the same tie"
    assert send("post", "ties/", {**body, "participations": [a.pk]})[1]["code"] == "bad_tie"
    ties.decide(Tie.objects.get(), chair.user, [b.pk, a.pk], "pitch")
    status, shown = send("get", f"ties/?round={panel.round_id}&status=decided")
    assert shown["results"][0]["order"] == [b.pk, a.pk]
    assert shown["results"][0]["decided_by"] == chair.pk
    assert send("post", f"ties/{tie['id']}/drop/", {})[1]["code"] == "reason_required"
    status, shown = send("post", f"ties/{tie['id']}/drop/", {"reason": "conflict"})
    assert (status, shown["status"]) == (200, "dropped")
