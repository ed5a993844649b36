"""From scores to standings, to who advances, to prizes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from contest.errors import Refused
from contest.services import rounds
from contest.services.submissions import receive, withdraw_submission
from contest.services.teams import disqualify_team, withdraw_team
from judging.models import ScoringRun
from judging.services import runs as scoring
from judging.services.benchmarks import define_benchmark
from judging.services.panels import recuse
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
from leaderboard.models import Award, Standing
from leaderboard.services import advancement, awards, standings
from leaderboard.services.schemes import ensure_scheme, save_scheme
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_rubric,
    make_team,
    make_track,
    make_user,
)

pytestmark = pytest.mark.django_db
FULL, PUBLIC = standings.FULL, standings.PUBLIC


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr(scoring, "wake", lambda *args: None)


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def track(organizer):
    return make_track(make_event(organizer))


def roadshow(track, teams, judges, marks, *, advance=1, ordinal=1, **fields):
    """A roadshow whose sheets are all submitted; ``marks[team][judge]`` on one 0–10 criterion."""
    round = make_round(track, format="roadshow", kind="semifinal", ordinal=ordinal, **fields)
    for n, team in enumerate(teams, start=1):
        make_participation(round, team, running_order=n)
    panel = make_panel(round, judges, make_rubric(track.event, weights=(1,)))
    for assignment in panel.assignments.all():
        value = marks[teams.index(assignment.participation.team)][judges.index(assignment.judge)]
        if value is None:
            continue
        sheet = open_sheet(assignment)
        user = assignment.judge.user
        save_mark(sheet, panel.rubric.criteria.get(), Decimal(str(value)), sent=Sent("k"), by=user)
        submit_sheet(sheet, user)
    scheme = ensure_scheme(round)
    scheme.advance_count = advance
    scheme.save()
    return round


def people(track, teams, judges):
    return [make_team(track) for _ in range(teams)], [
        make_judge(track.event) for _ in range(judges)
    ]


def placed(round, audience=FULL):
    standings.refresh(round)
    standing = standings.current(round, audience)
    return [(row.rank, row.participation.team.code, row.total) for row in standing.rows.all()]


def test_judges_are_trimmed_and_ranked(track):
    teams, judges = people(track, 2, 5)
    round = roadshow(track, teams, judges, [[1, 8, 8, 8, 10], [9, 9, 9, 0, 9]])
    a, b = teams
    assert placed(round) == [(1, b.code, Decimal(90)), (2, a.code, Decimal(80))]
    standing = standings.current(round, FULL)
    sheets = standing.rows.get(participation__team=a).explanation["components"][0]["sheets"]
    assert sorted(Decimal(s["total"]) for s in sheets if s["dropped"]) == [10, 100]


def test_a_recused_sheet_is_as_if_it_were_not_there(track, organizer):
    teams, judges = people(track, 2, 3)
    round = roadshow(track, teams, judges, [[8, 8, 2], [7, 7, 7]])
    assert placed(round)[0][1] == teams[1].code
    recuse(judges[2], teams[0], organizer, "adviser")
    assert placed(round)[0] == (1, teams[0].code, Decimal(80))
    row = standings.current(round, FULL).rows.first()
    assert [s["why_not"] for s in row.explanation["components"][0]["sheets"]].count("recused") == 1


def test_the_same_inputs_keep_the_same_standing(track):
    teams, judges = people(track, 2, 2)
    round = roadshow(track, teams, judges, [[8, 7], [6, 5]])
    standings.refresh(round)
    first = standings.current(round, FULL)
    standings.refresh(round)
    assert standings.current(round, FULL) == first
    withdraw_team(teams[0], make_user())
    standings.refresh(round)
    second = standings.current(round, FULL)
    assert second.input_digest != first.input_digest
    assert Standing.objects.filter(pk=first.pk, is_current=False).exists()
    ranks = dict(second.rows.values_list("participation__team__code", "rank"))
    assert ranks == {teams[1].code: 1, teams[0].code: None}


def test_a_team_without_a_sheet_is_not_ranked_and_it_is_said_why(track):
    teams, judges = people(track, 2, 1)
    round = roadshow(track, teams, judges, [[5], [None]])
    assert placed(round) == [(1, teams[0].code, Decimal(50)), (None, teams[1].code, None)]
    row = standings.current(round, FULL).rows.last()
    assert row.explanation["missing"]


def test_judges_marks_are_for_nobody_before_publication(track, organizer):
    teams, judges = people(track, 2, 1)
    round = roadshow(track, teams, judges, [[5], [4]], board="live")
    standings.refresh(round)
    assert standings.public_standing(round) is None
    assert not standings.visible_standings(make_user()).exists()
    assert standings.visible_standings(organizer).get().audience == FULL
    rounds.close_round(round, organizer)
    advancement.sign_off(advancement.propose(round, organizer), organizer)
    standings.refresh(round)
    assert standings.public_standing(round) is None
    rounds.publish_round(round, organizer)
    standings.refresh(round)
    rows = list(standings.public_standing(round).rows.all())
    assert [row.rank for row in rows] == [1, 2]
    assert "sheets" not in rows[0].explanation["components"][0], "single sheets stay inside"


# --- Automated rounds ------------------------------------------------------------------------

TRUE = {f"r{n}": n % 2 for n in range(40)}


def automated(track, right_counts, **fields):
    round = make_round(track, quota_per_day=50, quota_total=50, **fields)
    define_benchmark(
        round, make_user(), metric="accuracy", public_percent=50,
        reference=ContentFile(csv(TRUE), "r.csv"),
    )  # fmt: skip
    for right in right_counts:
        submit(make_participation(round, make_team(track, make_user())), right)
    return round


def csv(rows):
    return ("id,label\n" + "".join(f"{k},{v}\n" for k, v in rows.items())).encode()


def submit(participation, right, now=None):
    """Predictions of which the first ``right`` are right; scored at once."""
    rows = {k: v if n < right else 1 - v for n, (k, v) in enumerate(TRUE.items())}
    submission, _new = receive(
        participation=participation, file=ContentFile(csv(rows), "p.csv"), kind="predictions",
        by=participation.team.memberships.get().user, client_key=f"{right}-{now}", now=now,
    )  # fmt: skip
    for run in ScoringRun.objects.filter(submission=submission):
        assert scoring.run(run.pk) == "succeeded"
    return submission


def test_the_public_sees_public_scores_and_the_hidden_part_decides(track):
    round = automated(track, [40, 20])
    standings.refresh(round)
    full, public = standings.current(round, FULL), standings.public_standing(round)
    private = ScoringRun.objects.order_by("private_score").first()
    part = public.rows.last().explanation["components"][0]
    assert part["value"] == private.public_score
    assert set(part) == {"name", "kind", "weight", "scaled", "metric", "value"}
    inside = full.rows.last().explanation["components"][0]
    assert inside["value"] == private.private_score
    assert full.rows.first().total == 100


def test_a_frozen_board_shows_the_moment_of_the_freeze(track):
    now = timezone.now()
    round = automated(track, [], freeze_at=now - timedelta(hours=1))
    participation = make_participation(round, make_team(track, make_user()))
    submit(participation, 20, now=now - timedelta(hours=2))
    standings.refresh(round)
    before = [(row.rank, row.total) for row in standings.public_standing(round).rows.all()]
    submit(participation, 40, now=now)
    standings.refresh(round)
    after = [(row.rank, row.total) for row in standings.public_standing(round).rows.all()]
    assert after == before
    assert standings.current(round, FULL).rows.get().total == 100


def test_a_withdrawn_submission_no_longer_counts(track):
    round = automated(track, [])
    participation = make_participation(round, make_team(track, make_user()))
    submit(participation, 20)
    best = submit(participation, 40)
    standings.refresh(round)
    assert standings.current(round, FULL).rows.get().total == 100
    withdraw_submission(best, participation.team.memberships.get().user)
    standings.refresh(round)
    assert standings.current(round, FULL).rows.get().total < 100


def test_an_earlier_round_carries_over_with_its_weight(track, organizer):
    preliminary = automated(track, [40, 40])
    teams = [p.team for p in preliminary.participations.order_by("pk")]
    judges = [make_judge(track.event)]
    round = roadshow(track, teams, judges, [[5], [9]], ordinal=2)
    save_scheme(
        round, organizer, advance_count=1, tie_breaks=["judges"], decimals=2, reason="test",
        components=[
            {"kind": "judges", "source": round, "weight": Decimal(60)},
            {"kind": "metric", "source": preliminary, "weight": Decimal(40)},
        ],
    )  # fmt: skip
    # 0.6·50 + 0.4·100 = 70 and 0.6·90 + 0.4·100 = 94
    assert placed(round) == [(1, teams[1].code, Decimal(94)), (2, teams[0].code, Decimal(70))]


# --- Who advances ----------------------------------------------------------------------------


def decided(round, organizer):
    rounds.close_round(round, organizer)
    return advancement.propose(round, organizer)


def refusal(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code


def test_sign_off_fills_the_next_round(track, organizer):
    teams, judges = people(track, 3, 1)
    round = roadshow(track, teams, judges, [[9], [7], [8]], advance=2)
    final = make_round(track, kind="final", format="roadshow", ordinal=2, status="draft")
    refusal("round_not_closed", lambda: advancement.propose(round, organizer))
    proposal = decided(round, organizer)
    assert advancement.propose(round, organizer) == proposal, "again gives the same"
    advancement.sign_off(proposal, organizer)
    advancement.sign_off(proposal, organizer)
    round.refresh_from_db()
    assert round.status == "decided"
    assert {p.team for p in final.participations.all()} == {teams[0], teams[2]}
    refusal("reason_required", lambda: advancement.revoke(proposal, organizer, ""))
    advancement.revoke(proposal, organizer, "appeal")
    round.refresh_from_db()
    assert round.status == "closed"
    assert not final.participations.exists()


def test_a_tie_across_the_cut_is_never_cut_in_silence(track, organizer):
    teams, judges = people(track, 4, 1)
    round = roadshow(track, teams, judges, [[9], [7], [7], [5]], advance=2)
    proposal = decided(round, organizer)
    outcomes = dict(proposal.rows.values_list("row__participation__team__code", "outcome"))
    assert outcomes == {
        teams[0].code: "in", teams[1].code: "tied", teams[2].code: "tied", teams[3].code: "out",
    }  # fmt: skip
    assert advancement.seats_left(proposal) == 1
    refusal("tie_open", lambda: advancement.sign_off(proposal, organizer))
    chosen = [round.participations.get(team=teams[2]).pk]
    outside = [round.participations.get(team=teams[3]).pk]
    refusal("reason_required", lambda: advancement.decide_tie(proposal, organizer, chosen, " "))
    refusal("not_tied", lambda: advancement.decide_tie(proposal, organizer, outside, "x"))
    advancement.decide_tie(proposal, organizer, chosen, "earlier registration")
    signed = advancement.sign_off(proposal, organizer)
    assert signed.reason == "earlier registration"
    assert {r.row.participation.team for r in signed.rows.filter(outcome="in")} == {
        teams[0], teams[2],
    }  # fmt: skip


def test_a_ranking_that_changed_since_the_proposal_is_not_signed(track, organizer):
    teams, judges = people(track, 3, 2)
    round = roadshow(track, teams, judges, [[9, 9], [8, 2], [7, 7]], advance=1)
    proposal = decided(round, organizer)
    recuse(judges[0], teams[0], organizer, "found out late")
    disqualify_team(teams[0], organizer, "not eligible")
    refusal("standing_outdated", lambda: advancement.sign_off(proposal, organizer))
    fresh = advancement.propose(round, organizer)
    assert fresh != proposal
    signed = advancement.sign_off(fresh, organizer)
    assert signed.rows.get(outcome="in").row.participation.team == teams[2]


def test_a_decision_stands_once_published_or_built_upon(track, organizer):
    teams, judges = people(track, 2, 1)
    round = roadshow(track, teams, judges, [[9], [7]], advance=1)
    final = make_round(track, kind="final", format="roadshow", ordinal=2, status="draft")
    proposal = advancement.sign_off(decided(round, organizer), organizer)
    rounds.publish_round(round, organizer)
    refusal("published", lambda: advancement.revoke(proposal, organizer, "x"))
    rounds.unpublish_round(round, organizer, "typo")
    rounds.open_round(final, organizer)
    refusal("next_round_begun", lambda: advancement.revoke(proposal, organizer, "x"))
    refusal(
        "round_decided",
        lambda: save_scheme(
            round, organizer, advance_count=2, tie_breaks=[], decimals=2, reason="test",
            components=[{"kind": "judges", "source": round, "weight": 1}],
        ),
    )  # fmt: skip


def test_prizes_go_by_rank_and_by_name(track, organizer):
    teams, judges = people(track, 4, 1)
    round = roadshow(track, teams, judges, [[9], [8], [7], [7]], advance=0)
    first = Award.objects.create(round=round, name_en="First", first_rank=1, last_rank=1)
    second = Award.objects.create(round=round, name_en="Second", first_rank=2, last_rank=3)
    special = Award.objects.create(round=round, name_en="Special")
    refusal("round_not_closed", lambda: awards.allocate(round, organizer))
    rounds.close_round(round, organizer)
    standings.refresh(round)
    refusal("award_tied", lambda: awards.allocate(round, organizer))
    second.last_rank = 2
    second.save()
    awards.allocate(round, organizer)
    awards.allocate(round, organizer)
    assert [w.participation.team for w in first.winners.all()] == [teams[0]]
    assert [w.participation.team for w in second.winners.all()] == [teams[1]]
    participation = round.participations.get(team=teams[3])
    winner = awards.give(special, participation, organizer)
    assert awards.give(special, participation, organizer) == winner
    refusal("award_given", lambda: awards.delete_award(special, organizer))
    awards.take_back(winner, organizer)
    awards.delete_award(special, organizer)


def test_the_published_result_does_not_say_whom_judges_excluded(track, organizer, client):
    """As it does not show their sheets: a rank is missing, and that is all."""
    teams, judges = people(track, 2, 1)
    round = roadshow(track, teams, judges, [[9], [8]], advance=1)
    advancement.sign_off(decided(round, organizer), organizer)
    round.refresh_from_db()
    rounds.publish_round(round, organizer)
    standings.refresh(round)
    inside = standings.current(round, standings.FULL).rows.first().explanation["components"][0]
    assert inside["vetoed"] is False
    standing = standings.public_standing(round)
    answer = client.get("/api/v1/standing-rows/", {"standing": standing.pk})
    assert len(answer.json()["results"]) == 2
    assert "vetoed" not in answer.content.decode()
