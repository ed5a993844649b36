"""Baselines, chosen submissions, and what a version on trial would move."""

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from contest.errors import Refused
from contest.services.baselines import submit_baseline
from contest.services.submissions import choose_final, withdraw_submission
from judging.models import ScoringRun
from judging.services import rescoring, runs
from judging.services.benchmarks import define_benchmark
from leaderboard.services import advancement, standings
from leaderboard.services.trials import moves
from tests.factories import (
    make_event,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
    set_status,
)
from tests.scoring.test_scoring import _no_broker  # noqa: F401

ROWS = 40
LABELS = [n % 2 for n in range(ROWS)]


def table(labels) -> ContentFile:
    rows = "".join(f"r{n:02},{label}\n" for n, label in enumerate(labels))
    return ContentFile(f"id,label\n{rows}".encode(), "p.csv")


def right(count: int) -> list[int]:
    """Labels of which the first ``count`` are right."""
    return [label if n < count else 1 - label for n, label in enumerate(LABELS)]


@pytest.fixture
def organizer(db):
    return make_user()


@pytest.fixture
def round(organizer):
    round = make_round(
        make_track(make_event(organizer)), kind="preliminary", board="live", quota_per_day=50
    )
    define_benchmark(round, organizer, metric="accuracy", public_percent=100,
                     reference=table(LABELS))  # fmt: skip
    return round


def team(round):
    return make_participation(round, make_team(round.track, make_user()))


def send(participation, labels, key="k"):
    from contest.services.submissions import receive

    submission, _created = receive(
        participation=participation, file=table(labels), kind="predictions",
        by=participation.team.memberships.get().user, client_key=key,
    )  # fmt: skip
    return submission


def score_all():
    while runs.run_next("cpu"):
        pass


def shown(round, audience):
    standings.refresh(round)
    return [
        (row.rank, row.participation.team.code, float(row.total))
        for row in standings.current(round, audience).rows.select_related("participation__team")
        if row.total is not None
    ]


# --- Baselines ---------------------------------------------------------------------------------


def test_a_baseline_stands_where_its_score_belongs_and_is_never_ranked(client, round, organizer):
    first, second = team(round), team(round)
    send(first, right(40))
    send(second, right(10))
    sent = {"file": table(right(20)), "kind": "predictions", "client_key": "b", "name_en": "Coin"}
    submission, created = submit_baseline(round, organizer, **sent)
    again, created_again = submit_baseline(round, organizer, **sent)
    assert (again, created, created_again) == (submission, True, False)
    score_all()
    wanted = [(1, first.team.code, 100), (None, "BASE-1", 50), (2, second.team.code, 25)]
    assert shown(round, "full") == wanted
    assert shown(round, "public") == wanted
    page = client.get(
        reverse("leaderboard", args=[round.event.slug, round.slug]),
        headers={"Accept-Language": "en"},
    ).content.decode()
    assert "Coin" in page
    assert "baseline" in page
    for path in (reverse("event", args=[round.event.slug]), "/api/v1/teams/"):
        assert "Coin" not in client.get(path).content.decode()
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    assert "Coin" not in client.get(reverse("desk-teams", args=[round.event.slug])).content.decode()

    set_status(round, "closed")
    proposal = advancement.propose(round, organizer)
    through = proposal.rows.filter(outcome="in").order_by("row__rank")
    assert [row.row.participation for row in through] == [first, second]
    set_status(round, "decided")
    with pytest.raises(Refused):
        submit_baseline(round, organizer, **{**sent, "client_key": "c"})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name_en": " "}, "no_name"),
        ({"kind": "onnx"}, "wrong_kind"),
        ({"file": ContentFile(b"", "p.csv")}, "empty_file"),
    ],
)
def test_a_baseline_that_cannot_be(round, organizer, changed, code):
    sent = {"file": table(LABELS), "kind": "predictions", "client_key": "b", "name_en": "Coin"}
    with pytest.raises(Refused) as caught:
        submit_baseline(round, organizer, **{**sent, **changed})
    assert caught.value.code == code
    assert not round.participations.exists()


# --- The submission that counts ----------------------------------------------------------------


def test_a_team_chooses_the_submission_that_counts(round, organizer):
    participation = team(round)
    captain = participation.team.memberships.get().user
    best, careful = send(participation, right(30), "1"), send(participation, right(24), "2")
    broken = send(participation, [9] * ROWS, "3")
    score_all()
    code = participation.team.code
    assert shown(round, "full") == [(1, code, 75)]
    choose_final(careful, captain)
    choose_final(careful, captain)
    assert shown(round, "full") == [(1, code, 60)]
    with pytest.raises(Refused):
        choose_final(broken, captain)
    with pytest.raises(Refused):
        choose_final(best, organizer)
    withdraw_submission(careful, captain)
    assert shown(round, "full") == [(1, code, 75)], "what was withdrawn counts for nothing"
    choose_final(best, captain)
    choose_final(best, captain, chosen=False)
    participation.refresh_from_db()
    assert participation.final_submission is None
    set_status(round, "closed")
    best.participation.round.refresh_from_db()
    with pytest.raises(Refused):
        choose_final(best, captain)


# --- Trials ------------------------------------------------------------------------------------


def test_who_moves_and_by_how_much_is_known_before(client, round, organizer):
    first, second, third = team(round), team(round), team(round)
    send(first, right(40))
    send(second, right(20))
    send(third, right(10))
    score_all()
    before = shown(round, "full")
    # The second half of the labels was wrong.
    new = define_benchmark(round, organizer, reference=table(right(20)))
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("desk-rescoring", args=[round.event.slug, round.slug])
    act = reverse("desk-rescoring-act", args=[round.event.slug, round.slug])
    assert client.get(page).status_code == 200
    client.post(act, {"action": "start", "version": new.version})
    assert rescoring.progress(new).waiting == 3
    assert b"hx-trigger" in client.get(page, headers={"HX-Request": "true"}).content
    score_all()
    assert shown(round, "full") == before, "nothing changed for anybody yet"
    found = {move.participation: move for move in moves(round, new)}
    assert (found[first].rank_before, found[first].rank_after) == (1, 3)
    assert (found[second].rank_before, found[second].rank_after) == (2, 1)
    assert (found[second].places, found[first].places) == (1, -2)
    assert float(found[second].change) == 50.0
    answer = client.get(page)
    assert second.team.code in answer.content.decode()
    # Not a word of it for teams.
    captain = first.team.memberships.get().user
    client.force_login(captain, backend="django.contrib.auth.backends.ModelBackend")
    tried = ScoringRun.objects.filter(benchmark=new).values_list("pk", flat=True)
    for run in tried:
        assert client.get(f"/api/v1/runs/{run}/").status_code == 404
    assert client.get(f"/api/v1/benchmarks/{new.pk}/").status_code == 404
    listed = client.get("/api/v1/submissions/").json()["results"]
    assert [item["run"]["public_score"] for item in listed] == [1.0]
    own = reverse("participation-submissions", args=[round.event.slug, round.slug, first.team.code])
    assert "0.50000" not in client.get(own).content.decode()

    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    client.post(act, {"action": "adopt", "version": new.version, "reason": "labels"})
    assert shown(round, "full")[0][1] == second.team.code
    again = client.get(page)
    assert again.status_code == 200


def test_a_baseline_that_only_the_new_version_can_score(client, round, organizer):
    send(team(round), right(40))
    submit_baseline(
        round, organizer, file=table([9] * ROWS), kind="predictions", client_key="b", name_en="Nine"
    )
    score_all()
    third_class = [*LABELS[:-2], 9, 9]
    new = define_benchmark(round, organizer, reference=table(third_class))
    rescoring.start(new, organizer)
    score_all()
    found = {move.participation.team.code: move for move in moves(round, new)}
    assert found["BASE-1"].total_before is None
    assert float(found["BASE-1"].total_after) == 5.0
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("desk-rescoring", args=[round.event.slug, round.slug])
    assert client.get(page).status_code == 200


def test_a_frozen_board_stays_whatever_is_chosen_later(round):
    participation = team(round)
    captain = participation.team.memberships.get().user
    chosen, best = send(participation, right(10), "1"), send(participation, right(35), "2")
    score_all()
    choose_final(chosen, captain)
    code = participation.team.code
    round.freeze_at = timezone.now()
    round.save()
    assert shown(round, "public") == [(1, code, 25)]
    choose_final(chosen, captain, chosen=False)
    assert shown(round, "public") == [(1, code, 25)], "the standing of that moment"
    assert shown(round, "full") == [(1, code, 87.5)]
    withdraw_submission(best, captain)
    assert shown(round, "public") == [(1, code, 25)]


def test_places_that_advance_are_watched(round, organizer):
    from leaderboard.services.schemes import save_scheme

    first, second = team(round), team(round)
    save_scheme(round, organizer, advance_count=1, tie_breaks=[], decimals=2, reason="test",
                components=[{"kind": "metric", "source": round, "weight": 1}])  # fmt: skip
    send(first, right(40))
    send(second, right(20))
    score_all()
    new = define_benchmark(round, organizer, reference=table(right(10)))
    rescoring.start(new, organizer)
    score_all()
    found = {move.participation: move for move in moves(round, new)}
    assert found[first].leaves
    assert found[second].enters
