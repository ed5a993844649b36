"""A judge drops out: what was submitted counts, the rest is somebody else's."""

from decimal import Decimal

import pytest
from django.utils import translation

from contest.errors import Refused
from contest.models import LogEntry
from judging.models import Panel, RecordEntry
from judging.services.panels import assign, awaited, recuse
from judging.services.record_check import verify
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
from judging.services.sheet_results import sheet_totals
from judging.services.substitutes import readmit, substitute
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
    set_status,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def by():
    return make_user()


@pytest.fixture
def panel(by):
    """Five teams and two judges; the first has submitted one sheet and begun another."""
    track = make_track(make_event(by))
    round = make_round(track, format="roadshow", kind="semifinal")
    for n in range(5):
        make_participation(round, make_team(track, code=f"T-{n}"), running_order=n + 1)
    judges = [make_judge(track.event) for _n in range(2)]
    panel = make_panel(round, judges, make_rubric(track.event, weights=(100,)))
    out, criterion = judges[0], panel.rubric.criteria.get()
    for n, assignment in enumerate(panel.assignments.filter(judge=out)[:2]):
        sheet = open_sheet(assignment)
        save_mark(sheet, criterion, Decimal(7), sent=Sent("k"), by=out.user)
        if n == 0:
            submit_sheet(sheet, out.user)
    return panel


def codes(participations):
    return sorted(p.team.code for p in participations)


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code


def test_the_successor_takes_over_what_was_not_submitted(panel, by):
    (out, colleague), successor = panel.judges.all(), make_judge(panel.round.event)
    done = substitute(panel, out, successor, by, "ill")
    assert codes(done.submitted) == ["T-0"]
    assert codes(done.released) == ["T-1"]
    assert codes(done.given) == ["T-1", "T-2", "T-3", "T-4"]
    assert done.left == []
    assert panel.assignments.filter(judge=successor).count() == 4
    assert set(panel.judges.all()) == {colleague, successor}
    assert [sheet.judge_id for sheet in sheet_totals(panel.round)] == [out.pk]
    # Nobody waits for the sheet that was begun; it is on record with the reason.
    assert sorted(awaited(panel.round).filter(judge=out).values_list(
        "participation__team__code", flat=True)) == ["T-0"]  # fmt: skip
    entry = RecordEntry.objects.get(kind="released")
    assert (entry.judge, entry.reason) == (out, "ill")
    assert verify(panel.round) == []
    refused(
        "released",
        lambda: save_mark(
            entry.scoresheet, panel.rubric.criteria.get(), Decimal(8), sent=Sent("x"), by=out.user
        ),
    )
    refused("released", lambda: assign(panel_with(panel, out), out, entry.participation, by))


def panel_with(panel, judge):
    panel.judges.add(judge)
    return panel


def test_again_changes_nothing(panel, by):
    out, successor = panel.judges.first(), make_judge(panel.round.event)
    substitute(panel, out, successor, by, "ill")
    before = set(panel.assignments.values_list("judge", "participation", "released_at"))
    logged, entries = LogEntry.objects.count(), RecordEntry.objects.count()
    done = substitute(panel, out, successor, by, "ill")
    assert (done.given, done.released) == ([], [])
    assert set(panel.assignments.values_list("judge", "participation", "released_at")) == before
    assert (LogEntry.objects.count(), RecordEntry.objects.count()) == (logged, entries)


def test_conflicts_of_the_successor_are_named_and_left(panel, by):
    out = panel.judges.first()
    teams = {p.team.code: p.team for p in panel.round.participations.select_related("team")}
    successor = make_judge(panel.round.event, organisation_en=teams["T-3"].organisation_en)
    recuse(successor, teams["T-2"], by, "adviser")
    done = substitute(panel, out, successor, by, "ill")
    assert codes(done.given) == ["T-1", "T-4"]
    assert {p.team.code for p, _why in done.left} == {"T-2", "T-3"}


def test_a_judge_of_the_panel_can_take_over(panel, by):
    out, colleague = panel.judges.all()
    done = substitute(panel, out, colleague, by, "ill")
    assert done.given == []
    assert codes(done.had) == ["T-1", "T-2", "T-3", "T-4"]
    assert list(panel.judges.all()) == [colleague]


def test_the_chair_passes_on(panel, by):
    out, successor = panel.judges.first(), make_judge(panel.round.event)
    Panel.objects.filter(pk=panel.pk).update(chair=out)
    substitute(panel, out, successor, by, "ill")
    panel.refresh_from_db()
    assert panel.chair == successor


def test_what_is_refused(panel, by):
    out, successor = panel.judges.first(), make_judge(panel.round.event)
    refused("reason_required", lambda: substitute(panel, out, successor, by, " "))
    refused("same_judge", lambda: substitute(panel, out, out, by, "ill"))
    refused("wrong_event", lambda: substitute(panel, out, make_judge(make_event()), by, "ill"))
    stranger = make_judge(panel.round.event)
    refused("not_in_panel", lambda: substitute(panel, stranger, successor, by, "ill"))


def released(panel, by):
    """The assignment that was begun, after its judge was substituted."""
    out, successor = panel.judges.first(), make_judge(panel.round.event)
    substitute(panel, out, successor, by, "ill")
    return panel.assignments.select_related("participation__team").get(released_at__isnull=False)


def test_a_released_judge_is_readmitted(panel, by):
    assignment = released(panel, by)
    judge, participation = assignment.judge, assignment.participation
    refused("released", lambda: assign(panel_with(panel, judge), judge, participation, by))
    panel.judges.remove(judge)
    refused("reason_required", lambda: readmit(assignment, by, " "))
    for _again in range(2):
        readmit(assignment, by, "well again")
    assignment.refresh_from_db()
    assert assignment.released_at is None
    assert panel.judges.filter(pk=judge.pk).exists(), "and sits in the panel"
    entry = RecordEntry.objects.get(kind="readmitted")
    assert (entry.judge, entry.participation, entry.reason) == (judge, participation, "well again")
    assert entry.scoresheet == assignment.scoresheet
    assert LogEntry.objects.get(action="readmitted").reason == "well again"
    assert awaited(panel.round).filter(pk=assignment.pk).exists()
    save_mark(
        assignment.scoresheet, panel.rubric.criteria.get(), Decimal(8), sent=Sent("x"),
        by=judge.user,
    )  # fmt: skip
    submit_sheet(assignment.scoresheet, judge.user)


def test_who_is_not_readmitted(panel, by):
    assignment = released(panel, by)
    for status in ("decided", "published"):
        set_status(panel.round, status)
        refused("round_decided", lambda: readmit(assignment, by, "well again"))
    set_status(panel.round, "open")
    set_status(assignment.participation, "withdrawn")
    refused("not_taking_part", lambda: readmit(assignment, by, "well again"))
    set_status(assignment.participation, "active")
    recuse(assignment.judge, assignment.participation.team, assignment.judge.user, "adviser")
    refused("recused", lambda: readmit(assignment, by, "well again"))
    assert not RecordEntry.objects.filter(kind="readmitted").exists()


def test_a_substitution_is_undone(panel, by):
    out = panel.judges.first()
    before = set(panel.assignments.values_list("judge", "participation", "released_at"))
    assignment = released(panel, by)
    successor = panel.assignments.exclude(judge__in=[out, *panel.judges.all()[:1]]).first().judge
    done = substitute(panel, successor, out, by, "out is well again")
    assert codes(done.given) == ["T-2", "T-3", "T-4"]
    with translation.override("en"):
        assert [str(why) for _p, why in done.left] == ["was released from it before; readmit them"]
    readmit(assignment, by, "well again")
    after = set(panel.assignments.values_list("judge", "participation", "released_at"))
    assert after == before
    assert not panel.judges.filter(pk=successor.pk).exists()
