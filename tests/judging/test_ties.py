"""Ties that go to the chair, and what the ranking makes of the decision."""

from decimal import Decimal

import pytest

from contest.errors import Refused
from judging.models import Panel, RecordEntry, TiedTeam
from judging.services import ties
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
from leaderboard.services import standings
from leaderboard.services.schemes import save_scheme
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
        round, by, advance_count=1, tie_breaks=["judges", "chair"], decimals=2,
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
    assert standings.why_unranked(row) == [str(standings.VETOED)]
