"""Who is told of what: the desk of all that happens to sheets, the public of what it may see."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from contest import live
from contest.services.rounds import close_round, publish_round, unpublish_round
from judging.services import panels
from judging.services.scoresheets import Sent, open_sheet, return_sheet, save_mark, submit_sheet
from leaderboard.services import advancement, standings
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
def told(monkeypatch, django_capture_on_commit_callbacks):
    """``told(function, …)``: the channels that hear of what it does."""
    heard = []
    monkeypatch.setattr(live, "_send", lambda channel, message: heard.append(channel))

    def call(function, *args, **kwargs):
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            function(*args, **kwargs)
        return sorted(set(heard))

    return call


@pytest.fixture
def stage():
    organizer = make_user()
    track = make_track(make_event(organizer))
    round = make_round(track, format="roadshow", kind="semifinal", board="live")
    judge = make_judge(track.event)
    participation = make_participation(round, make_team(track))
    panel = make_panel(round, [judge])
    return organizer, round, judge, participation, panel


def fill(sheet, judge):
    for criterion in sheet.assignment.panel.rubric.criteria.all():
        save_mark(sheet, criterion, Decimal(7), sent=Sent(f"k{criterion.pk}"), by=judge.user)


def test_the_desk_hears_of_every_change_to_sheets(stage, told):
    organizer, round, judge, _participation, panel = stage
    # The judge's other tablets, too; the stage screen counts the sheets that are in.
    desk = [f"desk-{round.pk}", f"judge-{judge.pk}"]
    hall = [desk[0], f"hall-{round.pk}", desk[1]]
    sheet = open_sheet(judge.assignments.get())
    criterion = panel.rubric.criteria.first()
    mark = {"sent": Sent("k"), "by": judge.user}
    assert told(save_mark, sheet, criterion, Decimal(7), **mark) == desk
    assert told(save_mark, sheet, criterion, Decimal(7), **mark) == [], "the same tap again"
    with pytest.raises(ValidationError):
        told(save_mark, sheet, criterion, Decimal(700), sent=Sent("l"), by=judge.user)
    fill(sheet, judge)
    assert told(submit_sheet, sheet, judge.user) == hall
    assert told(submit_sheet, sheet, judge.user) == []
    assert told(return_sheet, sheet, organizer, "look again") == hall
    team = sheet.assignment.participation.team
    assert told(panels.recuse, judge, team, judge.user, "a friend") == hall, "it waits for fewer"
    assert told(panels.recuse, judge, team, judge.user, "a friend") == []
    assert told(panels.lift_recusal, team.recusals.get(), organizer, "no friend") == hall


def test_the_desk_hears_who_is_to_score_whom(stage, told):
    organizer, round, judge, _participation, panel = stage
    desk = [f"desk-{round.pk}", f"judge-{judge.pk}"]
    later = make_participation(round, make_team(round.track))
    assert told(panels.assign, panel, judge, later, organizer) == desk
    assert told(panels.assign, panel, judge, later, organizer) == []
    assignment = judge.assignments.get(participation=later)
    assert told(panels.unassign, assignment, organizer) == desk
    assert told(panels.assign_all, panel, organizer) == desk


def test_the_public_hears_nothing_of_marks_before_the_result_is_out(stage, told):
    organizer, round, judge, _participation, _panel = stage
    board = f"board-{round.pk}"
    sheet = open_sheet(judge.assignments.get())
    fill(sheet, judge)
    assert board not in told(submit_sheet, sheet, judge.user)
    assert told(standings.refresh, round) == [f"desk-{round.pk}"], "who reveals it is told"
    assert board not in told(close_round, round, organizer)
    assert told(standings.refresh, round) == []
    decision = advancement.propose(round, organizer)
    assert board not in told(advancement.sign_off, decision, organizer)
    round.refresh_from_db()
    assert board in told(publish_round, round, organizer)
    assert told(standings.refresh, round) == [], "nothing has changed since"
    assert board in told(unpublish_round, round, organizer, "a mistake")
