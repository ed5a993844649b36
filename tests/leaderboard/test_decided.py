"""What was signed stands, what is not published stays inside, and races lose nothing."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection

from contest.models import Event, Round, Team
from contest.services import rounds
from contest.services.events import add_organizer, save_event
from contest.services.teams import (
    accept_invitation,
    disqualify_team,
    edit_team,
    invite,
    register_team,
    reinstate_team,
    withdraw_team,
)
from judging.services.benchmarks import define_benchmark
from judging.services.panels import recuse
from leaderboard.models import Award
from leaderboard.services import advancement, awards, standings
from leaderboard.services.schemes import save_scheme
from tests.factories import (
    make_event,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
    set_status,
)
from tests.leaderboard.test_standings import (
    FULL,
    _no_broker,  # noqa: F401
    automated,
    decided,
    organizer,  # noqa: F401
    people,
    placed,
    refusal,
    roadshow,
    submit,
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db


def published(round, organizer):  # noqa: F811
    advancement.sign_off(decided(round, organizer), organizer)
    round.refresh_from_db()
    rounds.publish_round(round, organizer)
    standings.refresh(round)
    return Round.objects.get(pk=round.pk)


def shown(round):
    standing = standings.public_standing(Round.objects.get(pk=round.pk))
    return None if standing is None else [
        (row.rank, row.participation.team.code, row.total) for row in standing.rows.all()
    ]  # fmt: skip


def test_nothing_moves_a_signed_ranking(track, organizer):  # noqa: F811
    teams, judges = people(track, 3, 2)
    round = published(roadshow(track, teams, judges, [[9, 2], [5, 5], [4, 4]]), organizer)
    before, inside = shown(round), placed(round)
    recuse(judges[1], teams[0], judges[1].user, "late, and by the judge alone")
    disqualify_team(teams[1], organizer, "late")
    standings.refresh(round)
    standings.refresh_stale()
    assert shown(round) == before
    assert placed(round) == inside


def test_a_result_that_is_taken_back_is_gone_at_once(organizer):  # noqa: F811
    track = make_track(make_event(organizer))  # noqa: F811
    round = automated(track, [40, 30], board="live")
    round = published(round, organizer)
    assert standings.public_standing(round).is_result
    hidden = shown(round)
    rounds.unpublish_round(round, organizer, "typo")
    live = shown(round)  # before any worker ran
    assert live is None or live != hidden
    standings.refresh_stale()
    standing = standings.public_standing(Round.objects.get(pk=round.pk))
    assert standing is not None
    assert not standing.is_result
    rounds.publish_round(Round.objects.get(pk=round.pk), organizer)
    standings.refresh_stale()
    assert shown(round) == hidden, "a lost message is made good by the regular refresh"


def test_an_earlier_rounds_hidden_scores_do_not_come_out_with_a_later_one(organizer):  # noqa: F811
    track = make_track(make_event(organizer))  # noqa: F811
    first = automated(track, [40, 30], board="after")
    teams = [p.team for p in first.participations.all()]
    second = make_round(track, board="live", ordinal=2)
    for team in teams:
        make_participation(second, team)
    save_scheme(
        second, organizer, advance_count=1, tie_breaks=[], decimals=2, reason="test",
        components=[{"kind": "metric", "source": first, "weight": 1}],
    )  # fmt: skip
    standings.refresh(second)
    assert shown(second) is None
    advancement.sign_off(decided(second, organizer), organizer)
    second.refresh_from_db()
    refusal("source_unpublished", lambda: rounds.publish_round(second, organizer))


def test_a_submission_that_waits_for_its_score_stops_the_decision(organizer):  # noqa: F811
    track = make_track(make_event(organizer))  # noqa: F811
    round = automated(track, [40])
    slow = make_participation(round, make_team(track, make_user()))
    submission = submit(slow, 20)
    set_status(submission, "received")
    rounds.close_round(round, organizer)
    refusal("scoring_pending", lambda: advancement.propose(round, organizer))
    set_status(submission, "scored")
    assert advancement.propose(round, organizer)


def test_revoking_takes_back_the_next_rounds_assignments_too(track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 2)
    round = roadshow(track, teams, judges, [[9, 9], [5, 5]])
    final = make_round(track, kind="final", format="roadshow", ordinal=2, status="draft")
    proposal = advancement.sign_off(decided(round, organizer), organizer)
    from tests.factories import make_panel

    make_panel(final, [judges[0]])
    advancement.revoke(proposal, organizer, "appeal")
    recuse(judges[0], teams[0], organizer, "x")
    recuse(judges[1], teams[0], organizer, "x")
    round.refresh_from_db()
    advancement.sign_off(advancement.propose(round, organizer), organizer)
    assert [p.team for p in final.participations.all()] == [teams[1]]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_tie_is_decided_for_as_many_as_there_are_places_or_for_all(track, organizer, count):  # noqa: F811
    teams, judges = people(track, 5, 1)
    round = roadshow(track, teams, judges, [[9], [7], [7], [7], [7]], advance=3)
    proposal = decided(round, organizer)
    tied = [round.participations.get(team=team).pk for team in teams[1:]]
    refusal(
        "wrong_number",
        lambda: advancement.decide_tie(proposal, organizer, tied[:count], "reason"),
    )
    assert proposal.rows.filter(outcome="tied").count() == 4
    advancement.decide_tie(proposal, organizer, tied, "all in")
    assert proposal.rows.filter(outcome="in").count() == 5


def test_who_left_wins_no_prize(track, organizer):  # noqa: F811
    teams, judges = people(track, 2, 1)
    round = roadshow(track, teams, judges, [[9], [5]], advance=0)
    award = Award.objects.create(round=round, name_en="First", first_rank=1, last_rank=1)
    rounds.close_round(round, organizer)
    standings.refresh(round)
    disqualify_team(teams[0], organizer, "cheated")
    awards.allocate(round, organizer)  # before any worker ran
    assert [w.participation.team for w in award.winners.all()] == [teams[1]]
    gone = round.participations.get(team=teams[0])
    refusal("not_taking_part", lambda: awards.give(award, gone, organizer))


def reference(values):
    return ContentFile(
        ("id,label\n" + "".join(f"r{n},{v}\n" for n, v in enumerate(values))).encode(), "r.csv"
    )


def test_less_is_better_whenever_the_benchmark_is_defined(organizer):  # noqa: F811
    """The scheme was looked at before; its bounds must not turn the ranking upside down."""
    track = make_track(make_event(organizer))  # noqa: F811
    round = make_round(track, quota_per_day=50)
    good, bad = (make_participation(round, make_team(track, make_user())) for _ in range(2))
    standings.refresh(round)  # makes the default scheme
    define_benchmark(
        round, organizer, metric="rmse", public_percent=50, reference=reference([0.5] * 40)
    )
    from contest.services.submissions import receive
    from judging.models import ScoringRun
    from judging.services import runs as scoring

    for participation, value in ((good, 0.5), (bad, 0.9)):
        rows = "".join(f"r{n},{value}\n" for n in range(40))
        receive(
            participation=participation, file=ContentFile(f"id,label\n{rows}".encode(), "p.csv"),
            kind="predictions", by=participation.team.memberships.get().user, client_key="k",
        )  # fmt: skip
    for run in ScoringRun.objects.all():
        assert scoring.run(run.pk) == "succeeded"
    assert [code for _rank, code, _total in placed(round)] == [good.team.code, bad.team.code]
    upside_down = [{"kind": "metric", "source": round, "weight": 1, "worst": 0.0, "best": 1.0}]
    with pytest.raises(ValidationError):
        save_scheme(
            round,
            organizer,
            advance_count=1,
            tie_breaks=[],
            decimals=2,
            reason="test",
            components=upside_down,
        )
    right = [{"kind": "metric", "source": round, "weight": 1, "worst": 2.0, "best": 0.0}]
    save_scheme(
        round,
        organizer,
        advance_count=1,
        tie_breaks=[],
        decimals=2,
        reason="test",
        components=right,
    )
    assert [total for _rank, _code, total in placed(round)] == [100, 80]
    assert standings.current(round, FULL).method["components"][0]["worst"] == 2.0


# --- Teams and rounds --------------------------------------------------------------------------


def test_a_save_of_what_was_read_before_undoes_no_move(organizer):  # noqa: F811
    event = make_event(organizer)
    team = make_team(make_track(event), make_user())
    round = make_round(team.track)
    stale_team, stale_round, stale_event = (
        Team.objects.get(pk=team.pk), Round.objects.get(pk=round.pk), Event.objects.get(pk=event.pk)
    )  # fmt: skip
    disqualify_team(team, organizer, "x")
    rounds.close_round(round, organizer)
    event.move_to("draft", by=organizer)
    edit_team(stale_team, organizer, name_en="New name")
    stale_round.name_en = "New name"
    rounds.save_round(stale_round, organizer)
    save_event(stale_event, organizer)
    for thing, status in ((team, "disqualified"), (round, "closed"), (event, "draft")):
        thing.refresh_from_db()
        assert thing.status == status
    assert (team.name_en, round.name_en) == ("New name", "New name")


def test_who_registers_while_a_round_is_closed_is_in_when_it_reopens(organizer):  # noqa: F811
    track = make_track(make_event(organizer))  # noqa: F811
    round = make_round(track)
    rounds.close_round(round, organizer)
    late = make_team(track, make_user())
    rounds.reopen_round(round, organizer, "more time")
    assert round.participations.get().team == late


def test_a_team_comes_back_after_disqualification_and_withdrawal(organizer):  # noqa: F811
    track = make_track(make_event(organizer))  # noqa: F811
    team = make_team(track, make_user())
    disqualify_team(team, organizer, "x")
    round = make_round(track, status="draft")
    rounds.open_round(round, organizer)
    assert not round.participations.exists()
    reinstate_team(team, organizer, "mistake")
    assert round.participations.get(team=team).status == "active"
    withdraw_team(team, organizer)
    reinstate_team(team, organizer, "they asked")
    team.refresh_from_db()
    assert (team.status, round.participations.get().status) == ("registered", "active")


def test_invitations_are_limited_by_the_size_of_a_team(organizer):  # noqa: F811
    event = make_event(organizer, max_members=3)
    captain = make_user()
    team = make_team(make_track(event), captain)
    invite(team, "a@example.org", captain)
    invite(team, "b@example.org", captain)
    refusal("team_full", lambda: invite(team, "c@example.org", captain))


def test_a_team_that_left_takes_nobody_in(organizer):  # noqa: F811
    captain = make_user()
    team = make_team(make_track(make_event(organizer)), captain)
    invitation = invite(team, "a@example.org", captain)
    withdraw_team(team, captain)
    refusal("team_not_competing", lambda: accept_invitation(invitation, make_user()))
    refusal("team_not_competing", lambda: invite(team, "b@example.org", captain))


def test_nobody_organizes_and_competes(organizer):  # noqa: F811
    event = make_event(organizer)
    track = make_track(event)  # noqa: F811
    new = {"track": track, "team": {"name_en": "T", "country": "CN"}, "entry": {"title_en": "P"}}
    refusal("organizer_cannot_compete", lambda: register_team(by=organizer, **new))
    captain = make_user()
    team = make_team(track, captain)
    invitation = invite(team, organizer.email, captain)
    refusal("organizer_cannot_compete", lambda: accept_invitation(invitation, organizer))
    refusal("member_cannot_organize", lambda: add_organizer(event, captain.email, organizer))


@pytest.mark.django_db(transaction=True)
def test_registering_while_the_round_opens_loses_no_team():
    organizer = make_user()  # noqa: F811
    track = make_track(make_event(organizer))  # noqa: F811
    round = make_round(track, status="draft")
    captains = [make_user() for _ in range(4)]
    start, failed = threading.Barrier(5), []

    def run(call):
        try:
            start.wait()
            call()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    calls = [
        lambda by=by: register_team(
            by=by, track=track, team={"name_en": "T", "country": "CN"}, entry={"title_en": "P"}
        )
        for by in captains
    ]
    calls.append(lambda: rounds.open_round(Round.objects.get(pk=round.pk), organizer))
    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert round.participations.count() == 4


def test_filters_do_not_tell_which_hidden_objects_exist(client):
    hidden = make_round(make_track(make_event(status="draft")), status="draft")
    for path in ("participations", "standings", "awards", "schemes", "benchmarks"):
        answers = [
            client.get(f"/api/v1/{path}/", {"round": pk}).json()["count"]
            for pk in (hidden.pk, 10**9)
        ]
        assert answers == [0, 0], path


@pytest.mark.parametrize("rank", ["-1e1000000", "1e400", "9" * 5000, "0x10", "-1"])
def test_a_number_in_a_filter_is_a_small_whole_one(client, rank):
    assert client.get("/api/v1/standing-rows/", {"rank": rank}).status_code == 400
