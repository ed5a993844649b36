"""Panels and assignments."""

import threading
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import translation

from contest.errors import Refused
from contest.models import EventRole, LogEntry
from judging.models import Assignment, Judge, RecordEntry, Recusal, Scoresheet
from judging.services.panels import (
    add_judge,
    akin_assignments,
    assign,
    assign_all,
    awaited,
    edit_judge,
    effects,
    lift_recusal,
    recuse,
    save_panel,
    unassign,
)
from judging.services.scoresheets import Sent, open_sheet, save_mark, submit_sheet
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
def round():
    track = make_track(make_event())
    round = make_round(track, format="roadshow", kind="semifinal")
    for _n in range(3):
        make_participation(round, make_team(track))
    return round


@pytest.fixture
def by():
    return make_user()


def test_a_judge_gets_an_account_of_this_event_alone(by):
    event = make_event()
    judge = add_judge(event, by, name="Ada", organisation_en="Fund", organisation_zh="基金")
    assert judge.user.email is None
    assert not judge.user.has_usable_password()
    edit_judge(judge, by, name="Ada L.", organisation_en="Lab")
    judge.user.refresh_from_db()
    assert judge.user.name == "Ada L."
    entry = LogEntry.objects.get(action="judge_edited")
    assert (entry.before, entry.after) == ("Ada · 基金 · Fund", "Ada L. · 基金 · Lab")
    with pytest.raises(ValidationError):
        add_judge(event, by, name="Nobody", organisation_en="", organisation_zh="")


def test_everybody_gets_everybody_but_where_interests_conflict(round, by):
    team = round.participations.first().team
    colleague = make_judge(round.event, organisation_en=f" {team.organisation_en.upper()} ")
    panel = make_panel(round, [make_judge(round.event), colleague], assign=False)
    added, left_out = assign_all(panel, by)
    assert added == 5
    assert left_out == [(colleague, team)]
    assert assign_all(panel, by)[0] == 0, "again changes nothing"


def test_a_judge_is_assigned_only_within_the_panel(round, by):
    panel = make_panel(round, [make_judge(round.event)], assign=False)
    stranger = make_judge(round.event)
    with pytest.raises(Refused) as caught:
        assign(panel, stranger, round.participations.first(), by)
    assert caught.value.code == "not_in_panel"
    elsewhere = make_participation()
    with pytest.raises(Refused) as caught:
        assign(panel, panel.judges.first(), elsewhere, by)
    assert caught.value.code == "wrong_round"


def test_the_same_organisation_takes_a_reason(round, by):
    participation = round.participations.first()
    own = make_judge(round.event, organisation_en=participation.team.organisation_en)
    panel = make_panel(round, [own], assign=False)
    with pytest.raises(Refused) as caught:
        assign(panel, own, participation, by)
    assert caught.value.code == "same_organisation"
    given = assign(panel, own, participation, by, in_spite="no other expert")
    assert assign(panel, own, participation, by) == given, "given is given"
    assert LogEntry.objects.get(action="assigned").reason == "no other expert"


def test_a_judge_who_turns_out_to_be_of_the_organisation_is_told_and_confirmed(round, by):
    judge, other = make_judge(round.event), make_judge(round.event)
    panel = make_panel(round, [judge, other])
    participation = round.participations.first()
    assert akin_assignments(panel=panel) == []
    edit_judge(judge, by, organisation_zh=f"{participation.team.organisation_zh}研究院")
    (found,) = akin_assignments(panel=panel)
    assert (found.assignment.judge, found.assignment.participation) == (judge, participation)
    assert found.reason == ""
    assert akin_assignments(judge=other) == []
    for _again in range(2):
        assign(panel, judge, participation, by, in_spite="no other expert")
    assert [item.reason for item in akin_assignments(judge=judge)] == ["no other expert"]
    assert LogEntry.objects.filter(action="assigned").count() == 1


def test_a_team_that_the_judge_has_in_another_panel_is_not_given_again(round, by):
    judge = make_judge(round.event)
    make_panel(round, [judge])
    panel = make_panel(round, [judge], assign=False)
    with pytest.raises(Refused) as caught:
        assign(panel, judge, round.participations.first(), by)
    assert caught.value.code == "other_panel"


def test_a_conflict_is_declared_and_lifted_once(round, by):
    EventRole.objects.create(event=round.event, user=by)
    judge, team = make_judge(round.event), round.participations.first().team
    first = recuse(judge, team, by, "adviser")
    assert recuse(judge, team, by, "adviser") == first
    kinds = RecordEntry.objects.filter(record__round=round).values_list("kind", flat=True)
    assert list(kinds) == ["recused"]
    assert LogEntry.objects.filter(action="recused").count() == 1
    for _again in range(2):
        lift_recusal(Recusal(pk=first.pk, judge=judge, team=team), by, "a mistake")
    assert sorted(kinds.all()) == ["recusal_lifted", "recused"]
    assert LogEntry.objects.filter(action="recusal_lifted").count() == 1
    with pytest.raises(ValidationError):
        recuse(judge, make_team(), by, "of another event")


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_once_declare_one_conflict():
    """On SQLite one waits for the other; on PostgreSQL both write and one finds it is there."""
    event = make_event()
    round = make_round(make_track(event), format="roadshow", kind="semifinal")
    judge, team = make_judge(event), make_participation(round).team
    faults = at_once(
        *[lambda: recuse(Judge.objects.get(pk=judge.pk), team, judge.user, "adviser")] * 4
    )
    assert faults == []
    assert RecordEntry.objects.filter(kind="recused").count() == 1
    assert LogEntry.objects.filter(action="recused").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_first_mark_and_another_rubric_do_not_meet():
    """Whichever comes first, no mark is left on criteria of a rubric that is not in force."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    event = make_event()
    by = make_user()
    round = make_round(make_track(event), format="roadshow", kind="semifinal")
    for n in range(8):
        judge = make_judge(event)
        if n == 0:
            make_participation(round)
        panel, other = make_panel(round, [judge]), make_rubric(event)
        sheet = open_sheet(panel.assignments.get())
        asked = panel.rubric.criteria.first()
        at_once(
            partial(save_mark, sheet, asked, Decimal(5), sent=Sent("k"), by=judge.user),
            partial(save_panel, round, by, panel, fields={}, rubric=other, judges=[judge]),
        )
        panel.refresh_from_db()
        for mark in sheet.marks.select_related("criterion"):
            assert mark.criterion.rubric_id == panel.rubric_id


def at_once(*calls):
    """Run them side by side; what they raise, but for refusals."""
    faults, ready = [], threading.Barrier(len(calls))

    def run(call):
        try:
            ready.wait(10)
            call()
        except ValidationError:
            pass  # a refusal is an answer
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def test_a_chair_sits_in_the_panel(round, by):
    names, rubric = {"name_en": "Panel", "name_zh": ""}, make_rubric(round.event)
    chair, other = make_judge(round.event), make_judge(round.event)
    panel = save_panel(round, by, fields={**names, "chair": chair}, rubric=rubric, judges=[chair])
    assert panel.chair == chair
    with pytest.raises(ValidationError) as caught:
        save_panel(round, by, panel, fields={}, rubric=rubric, judges=[other])
    assert "chair" in caught.value.message_dict


def test_a_conflict_says_what_it_means_for_sheets(round, by):
    EventRole.objects.create(event=round.event, user=by)
    judges = [make_judge(round.event) for _n in range(3)]
    panel = make_panel(round, judges, make_rubric(round.event, weights=(100,)))
    first, second, *_rest = round.participations.select_related("team")
    for assignment in panel.assignments.filter(participation=first):
        sheet, user = open_sheet(assignment), assignment.judge.user
        save_mark(sheet, panel.rubric.criteria.get(), Decimal(5), sent=Sent("k"), by=user)
        submit_sheet(sheet, user)
    assert awaited(round).count() == 9
    (effect,) = effects(recuse(judges[0], first.team, by, "adviser"))
    assert (effect.submitted, effect.counted) == (True, 2)
    with translation.override("en"):
        assert "no longer counts" in effect.sentence
        assert "count now: 2" in effect.sentence
    (effect,) = effects(recuse(judges[0], second.team, by, "adviser"))
    assert (effect.submitted, effect.counted) == (False, 0)
    assert awaited(round).count() == 7
    assert effects(recuse(make_judge(round.event), first.team, by, "adviser")) == []


def test_an_assignment_with_marks_stays(round, by):
    judge = make_judge(round.event)
    panel = make_panel(round, [judge])
    first, second = panel.assignments.all()[:2]
    sheet = open_sheet(first)
    save_mark(sheet, panel.rubric.criteria.first(), Decimal(5), sent=Sent("k"), by=judge.user)
    with pytest.raises(Refused) as caught:
        unassign(first, by)
    assert caught.value.code == "marks_given"
    open_sheet(second)
    unassign(second, by)
    assert Assignment.objects.filter(pk=second.pk).count() == 0
    assert Scoresheet.objects.count() == 1
    # Nor can the judge be dropped from the panel, or its rubric be changed.
    names = {"name_en": "Panel", "name_zh": ""}
    with pytest.raises(Refused) as caught:
        save_panel(round, by, panel, fields=names, rubric=panel.rubric, judges=[])
    assert caught.value.code == "marks_given"
    other = make_rubric(round.event)
    with pytest.raises(Refused) as caught:
        save_panel(round, by, panel, fields=names, rubric=other, judges=[judge])
    assert caught.value.code == "rubric_in_use"


def test_a_panel_takes_no_judge_or_rubric_of_another_event(round, by):
    names = {"name_en": "Panel", "name_zh": ""}
    rubric = make_rubric(round.event)
    with pytest.raises(ValidationError):
        save_panel(round, by, fields=names, rubric=rubric, judges=[make_judge(make_event())])
    with pytest.raises(ValidationError):
        save_panel(round, by, fields=names, rubric=make_rubric(make_event()), judges=[])
