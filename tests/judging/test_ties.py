"""Ties that go to the chair, and what the ranking makes of the decision."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from contest.errors import Refused
from contest.services import rounds
from judging.models import Panel, RecordEntry, TiedTeam
from judging.services import tablet, ties
from judging.services.panels import edit_judge, recuse
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
from leaderboard.services import advancement, standings, unranked
from leaderboard.services.schemes import save_scheme
from leaderboard.services.tied import ties_of
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


@pytest.fixture
def by():
    return make_user()


@pytest.fixture
def panel(by):
    """Three teams with the same marks, and a fourth below."""
    track = make_track(make_event(by))
    round = make_round(track, format="roadshow", kind="semifinal")
    for n in range(4):
        make_participation(round, make_team(track, code=f"T-{n}"))
    chair = make_judge(track.event)
    panel = make_panel(round, [chair], make_rubric(track.event, weights=(100,)))
    Panel.objects.filter(pk=panel.pk).update(chair=chair)
    for assignment in panel.assignments.select_related("participation__team"):
        sheet = open_sheet(assignment)
        value = Decimal(5 if assignment.participation.team.code == "T-3" else 8)
        criterion = panel.rubric.criteria.get()
        save_mark(sheet, criterion, value, sent=Sent("k"), by=chair.user)
        submit_sheet(sheet, chair.user)
    save_scheme(
        round, by, advance_count=1, tie_breaks=["judges", "chair"], decimals=2, reason="test",
        components=[{"kind": "judges", "source": round, "weight": 100, "aggregation": "mean"}],
    )  # fmt: skip
    panel.refresh_from_db()
    return panel


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code


def teams(panel):
    return list(panel.round.participations.order_by("team__code").select_related("team"))


def ranks(panel):
    standings.refresh(panel.round)
    standing = standings.current(panel.round, standings.FULL)
    return {
        row.participation.team.code: row.rank
        for row in standing.rows.select_related("participation__team")
    }


def test_the_chair_parts_a_tie(panel, by):
    assert ranks(panel) == {"T-0": 1, "T-1": 1, "T-2": 1, "T-3": 4}
    a, b, c, _d = teams(panel)
    tie = ties.ask(panel, [a, b, c], by)
    assert ties.ask(panel, [c, b, a], by) == tie, "asked again it is the same tie"
    chair = panel.chair.user
    refused("not_chair", lambda: ties.decide(tie, by, [c.pk, a.pk, b.pk], "pitch"))
    refused("bad_tie", lambda: ties.decide(tie, chair, [c.pk, a.pk], "pitch"))
    refused("reason_required", lambda: ties.decide(tie, chair, [c.pk, a.pk, b.pk], " "))
    ties.decide(tie, chair, [c.pk, a.pk, b.pk], "pitch")
    ties.decide(tie, chair, [c.pk, a.pk, b.pk], "pitch")
    refused("tie_decided", lambda: ties.decide(tie, chair, [a.pk, c.pk, b.pk], "pitch"))
    assert ranks(panel) == {"T-2": 1, "T-0": 2, "T-1": 3, "T-3": 4}
    assert RecordEntry.objects.get(kind="tie").text == f"#{tie.pk} T-2 > T-0 > T-1"
    ties.drop(tie, by, "the chair had a conflict of interest")
    ties.drop(tie, by, "the chair had a conflict of interest")
    entry = RecordEntry.objects.get(kind="tie_dropped")
    assert entry.text == f"#{tie.pk} T-2 > T-0 > T-1"
    assert (entry.judge, entry.by) == (panel.chair, by)
    assert entry.reason == "the chair had a conflict of interest"
    assert ranks(panel) == {"T-0": 1, "T-1": 1, "T-2": 1, "T-3": 4}
    assert TiedTeam.objects.filter(place=1).count() == 1, "what was decided stays on record"


def test_a_decision_places_nobody_whom_the_chair_was_not_asked_about(panel, by):
    a, b, _c, d = teams(panel)
    tie = ties.ask(panel, [a, b], by)
    ties.decide(tie, panel.chair.user, [b.pk, a.pk], "pitch")
    assert ranks(panel) == {"T-0": 1, "T-1": 1, "T-2": 1, "T-3": 4}
    ties.decide(ties.ask(panel, [b, d], by), panel.chair.user, [d.pk, b.pk], "pitch")
    assert ranks(panel)["T-3"] == 4, "nor does it lift a team above a better total"


def test_a_tie_needs_a_chair_and_teams_of_the_round(panel, by):
    a, *_others = teams(panel)
    refused("bad_tie", lambda: ties.ask(panel, [a], by))
    refused("bad_tie", lambda: ties.ask(panel, [a, make_participation()], by))
    Panel.objects.filter(pk=panel.pk).update(chair=None)
    refused("no_chair", lambda: ties.ask(panel, teams(panel)[:2], by))


def test_the_judges_veto_excludes_a_team(panel):
    from judging.models import Criterion

    sheet = panel.assignments.get(participation=teams(panel)[0]).scoresheet
    veto = Criterion.objects.create(
        rubric=panel.rubric, kind="veto", name_en="Is it open source?", maximum=1, step=1
    )
    for assignment in panel.assignments.all():
        assignment.scoresheet.marks.create(
            criterion=veto, value=0 if assignment.scoresheet == sheet else 1
        )
    assert ranks(panel) == {"T-0": None, "T-1": 1, "T-2": 1, "T-3": 3}
    row = standings.current(panel.round, standings.FULL).rows.get(rank=None)
    assert unranked.why_unranked(row) == [str(unranked.VETOED)]


def interest(panel, team, which):
    """Let the chair have an interest in the team, of either kind."""
    if which == "conflict":
        return recuse(panel.chair, team, panel.chair.user, "adviser")
    return edit_judge(panel.chair, make_user(), organisation_zh=f"{team.organisation_zh}计算机系")


@pytest.mark.parametrize("which", ["conflict", "organisation"])
def test_a_chair_with_an_interest_is_not_asked(panel, by, which):
    a, b, c, _d = teams(panel)
    interest(panel, b.team, which)
    with translation.override("en"), pytest.raises(Refused) as caught:
        ties.ask(panel, [a, b], by)
    assert caught.value.code == "chair_conflict"
    said = " ".join(caught.value.messages)
    assert panel.chair.name in said
    assert "T-1" in said
    assert ties.ask(panel, [a, c], by)


@pytest.mark.parametrize("which", ["conflict", "organisation"])
@pytest.mark.parametrize("anonymous", [False, True])
def test_a_chair_who_has_an_interest_by_now_decides_nothing(panel, by, which, anonymous):
    Panel.objects.filter(pk=panel.pk).update(is_anonymous=anonymous)
    a, b, c, _d = teams(panel)
    tie, other = ties.ask(panel, [a, b], by), ties.ask(panel, [a, c], by)
    interest(panel, b.team, which)
    assert [shown["id"] for shown in tablet.package(panel.chair)["ties"]] == [other.pk]
    with translation.override("en"), pytest.raises(Refused) as caught:
        ties.decide(tie, panel.chair.user, [a.pk, b.pk], "pitch")
    assert caught.value.code == "chair_conflict"
    assert ("T-1" in " ".join(caught.value.messages)) is not anonymous, "nor is a team named"
    tie.refresh_from_db()
    assert tie.status == "open"
    shown = {tie.pk: [team.code for team in tie.interests] for tie in ties_of(panel.round)}
    assert shown == {tie.pk: ["T-1"], other.pk: []}, "the desk is told"


def test_what_a_chair_decided_does_not_count_once_a_conflict_is_declared(panel, by):
    a, b, c, _d = teams(panel)
    other = make_judge(panel.round.event)
    tie = ties.ask(panel, [a, b, c], by)
    ties.decide(tie, panel.chair.user, [c.pk, a.pk, b.pk], "pitch")
    recuse(other, c.team, other.user, "adviser")
    assert len(ties.decisions(panel.round)) == 1, "another judge's conflict is another matter"
    assert ties_of(panel.round)[0].holds
    recuse(panel.chair, c.team, panel.chair.user, "adviser")
    assert ties.decisions(panel.round) == []
    (shown,) = ties_of(panel.round)
    assert (shown.holds, shown.interests) == (False, [c.team])


def signed_off(panel, by):
    rounds.close_round(panel.round, by)
    proposal = advancement.propose(panel.round, by)
    tied = [row.row.participation_id for row in proposal.rows.filter(outcome="tied")]
    if tied:
        advancement.decide_tie(proposal, by, tied[:1], "coin")
    advancement.sign_off(proposal, by)
    return proposal


def test_once_the_ranking_is_signed_off_ties_stand(panel, by):
    a, b, c, _d = teams(panel)
    decided, waiting = ties.ask(panel, [a, b, c], by), ties.ask(panel, [a, b], by)
    ties.decide(decided, panel.chair.user, [c.pk, a.pk, b.pk], "pitch")
    signed_off(panel, by)
    waiting.refresh_from_db()
    assert waiting.status == "dropped", "no chair is asked any longer"
    assert tablet.package(panel.chair)["ties"] == []
    refused("round_decided", lambda: ties.drop(decided, by, "why"))
    ties.decide(decided, panel.chair.user, [c.pk, a.pk, b.pk], "pitch")  # sent again
    refused(
        "round_decided", lambda: ties.decide(waiting, panel.chair.user, [a.pk, b.pk], "too late")
    )
    assert RecordEntry.objects.filter(kind__in=["tie", "tie_dropped"]).count() == 1
    decided.refresh_from_db()
    assert decided.status == "decided"


def test_ties_do_not_ask_for_more_the_more_there_are(panel, by, django_assert_num_queries):
    a, b, c, d = teams(panel)
    ties.ask(panel, [a, b], by)
    ties_of(panel.round)
    with CaptureQueriesContext(connection) as few:
        ties_of(panel.round)
    ties.ask(panel, [b, c], by)
    ties.ask(panel, [c, d], by)
    with django_assert_num_queries(len(few)):
        ties_of(panel.round)
