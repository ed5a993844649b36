"""The live grid: what is counted, who is late, what stands out, reminding and locking."""

import time
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.urls import reverse
from django.utils import timezone

from contest.errors import Refused
from contest.services.rounds import close_round, missing_sheets
from contest.services.teams import withdraw_team
from judging.models import Appearance, Criterion, Reminder
from judging.services import grid, panels, reminders, stage, tablet
from judging.services.panels import recuse
from judging.services.scoresheets import Sent, open_sheet, return_sheet, save_mark, submit_sheet
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


def fractions(*values):
    return [Fraction(str(value)) for value in values]


@pytest.mark.parametrize(
    ("totals", "far"),
    [
        ([], []),
        ([50], [0]),
        # Three or fewer: more than ten points from the median of the others.
        ([50, 60], [0, 0]),
        ([50, 61], [-1, 1]),
        ([80, 82, 70], [0, 0, -1]),
        # From four on also further than three robust deviations of the others.
        ([80, 81, 82, 95], [0, 0, 0, 1]),
        ([60, 70, 80, 95], [0, 0, 0, 0]),
        ([80, 80, 80, 80, 91], [0, 0, 0, 0, 1]),
        ([80, 80, 80, 80, 90], [0, 0, 0, 0, 0]),
    ],
)
def test_a_total_far_from_the_others(totals, far):
    assert grid.far_from_others(fractions(*totals)) == far


def test_judges_are_compared_on_the_teams_they_share():
    totals = {
        1: dict(zip("abc", fractions(80, 70, 60), strict=True)),
        2: dict(zip("ab", fractions(90, 80), strict=True)),
        3: {"d": Fraction(10)},
    }
    assert grid.judge_differences(totals) == {
        "a": (Fraction(25, 2), 2),  # +15 and +10
        "b": (Fraction(-5), 2),  # 0 and -10
        "c": (Fraction(-15), 1),
    }


class Hall:
    """Four judges, three teams in running order, one criterion of ten points."""

    def __init__(self):
        self.by = make_user()
        track = make_track(make_event(self.by))
        self.round = make_round(track, format="roadshow", kind="semifinal")
        self.teams = [
            make_participation(
                self.round, make_team(track, make_user(), code=f"T-{n}"), running_order=n
            )
            for n in (1, 2, 3)
        ]
        self.judges = [make_judge(track.event, name=f"Judge {letter}") for letter in "ABCD"]
        self.panel = make_panel(self.round, self.judges, make_rubric(track.event, weights=(2, 1)))

    def sheet(self, judge, team):
        assignment = self.panel.assignments.get(judge=judge, participation=team)
        return open_sheet(assignment)

    def score(self, judge, team, mark, *, submit=True, criteria=2):
        sheet = self.sheet(judge, team)
        for n, criterion in enumerate(self.panel.rubric.criteria.all()[:criteria]):
            save_mark(sheet, criterion, Decimal(mark), sent=Sent(f"k{n}"), by=judge.user)
        if submit:
            submit_sheet(sheet, judge.user)
        return sheet

    def cell(self, judge, team, **options):
        loaded = grid.load(self.round, **options)
        row = next(row for row in loaded.rows if row.participation == team)
        return next(cell for cell in row.cells if cell.judge_id == judge.pk)


@pytest.fixture
def hall(db):
    return Hall()


def test_what_each_cell_says(hall):
    a, b, c, d = hall.judges
    first, second, third = hall.teams
    hall.score(a, first, 8)
    hall.score(b, first, 6, submit=False, criteria=1)
    returned = hall.score(c, first, 7)
    return_sheet(returned, hall.by, "slip")
    recuse(d, first.team, hall.by, "adviser")
    hall.panel.assignments.filter(judge=b, participation=second).update(released_at=timezone.now())
    loaded = grid.load(hall.round)
    states = [[cell.state for cell in row.cells] for row in loaded.rows]
    assert states == [
        ["submitted", "draft", "returned", "recused"],
        ["none", "released", "none", "none"],
        ["none"] * 4,
    ]
    cells = loaded.rows[0].cells
    assert (cells[1].marks, cells[1].needed) == (1, 2)
    assert cells[0].total == 80
    assert (loaded.rows[0].done, loaded.rows[0].all) == (1, 3), "who is recused is not waited for"
    assert (loaded.rows[1].done, loaded.rows[1].all) == (0, 3), "nor who was released"
    assert (loaded.done, loaded.all, loaded.missing) == (1, 10, 9)
    assert [(c.done, c.all) for c in loaded.columns] == [(1, 3), (0, 2), (0, 3), (0, 2)]
    assert grid.submitted_counts(hall.round) == {first.pk: (1, 3), second.pk: (0, 3),
                                                 third.pk: (0, 4)}  # fmt: skip


def test_mean_spread_and_what_stands_out(hall):
    first = hall.teams[0]
    for judge, mark in zip(hall.judges, ("8", "8.5", "7.5", "4"), strict=True):
        hall.score(judge, first, mark)
    row = grid.load(hall.round).rows[0]
    assert (row.mean, row.spread) == (Decimal(70), Decimal(45))
    assert [cell.far for cell in row.cells] == [0, 0, 0, -1]
    recuse(hall.judges[3], first.team, hall.by, "adviser")
    row = grid.load(hall.round).rows[0]
    assert row.mean == Decimal(80), "a sheet that does not count is in no mean"
    assert [cell.far for cell in row.cells] == [0, 0, 0, 0]


def test_a_judge_who_is_severe_everywhere(hall):
    for team in hall.teams:
        for judge, mark in zip(hall.judges, ("8", "8", "8", "7"), strict=True):
            hall.score(judge, team, mark)
    columns = grid.load(hall.round).columns
    assert [column.far for column in columns] == [0, 0, 0, -1]
    assert columns[3].difference == Decimal(-10)
    assert columns[3].teams == 3


def test_a_sheet_is_late_three_minutes_after_the_turn(hall):
    a, b, *_rest = hall.judges
    first, second, _third = hall.teams
    hall.score(b, first, 8)
    now = timezone.now()
    assert not hall.cell(a, first).is_late
    stage.call_next(hall.round, hall.by)
    assert not hall.cell(a, first, now=now + timedelta(hours=3)).is_late, "it is on stage"
    stage.call_next(hall.round, hall.by)
    ended = Appearance.objects.get(participation=first).ended_at
    assert not hall.cell(a, first, now=ended + timedelta(minutes=3)).is_late
    late = {"now": ended + timedelta(minutes=3, seconds=1)}
    assert hall.cell(a, first, **late).is_late
    assert not hall.cell(b, first, **late).is_late, "submitted"
    assert not hall.cell(a, second, **late).is_late
    columns = grid.load(hall.round, **late).columns
    assert [column.late for column in columns] == [1, 0, 1, 1]
    set_status(hall.round, "closed")
    assert not hall.cell(a, first, **late).is_late, "nobody can submit any more"


def test_without_a_stage_late_is_a_day_before_the_round_closes(hall):
    judge, team = hall.judges[0], hall.teams[0]
    closes = hall.round.closes_at
    assert not hall.cell(judge, team, now=closes - timedelta(hours=25)).is_late
    assert hall.cell(judge, team, now=closes - timedelta(hours=23)).is_late


def test_a_team_that_left_is_not_waited_for(hall):
    gone = hall.teams[1]
    withdraw_team(gone.team, gone.team.memberships.get().user, "ill")
    loaded = grid.load(hall.round)
    assert [row.participation for row in loaded.rows] == [hall.teams[0], hall.teams[2]]
    assert loaded.all == 8


def end_turns(hall):
    """Every team had its turn an hour ago."""
    for _n in range(4):
        stage.call_next(hall.round, hall.by)
    Appearance.objects.update(ended_at=timezone.now() - timedelta(hours=1))


def test_a_reminder_a_minute_and_no_more(hall, monkeypatch):
    a, b, c, d = hall.judges
    for judge in (a, b):
        for team in hall.teams:
            hall.score(judge, team, 8)
    end_turns(hall)
    sent = reminders.remind_late(hall.round, hall.by, "  The panel\nwaits ")
    assert [(r.judge, r.text) for r in sent] == [(c, "The panel waits"), (d, "The panel waits")]
    assert reminders.remind_late(hall.round, hall.by) == []
    assert reminders.remind(hall.round, c, hall.by) is None
    assert reminders.remind(hall.round, a, hall.by), "others may be reminded"
    assert Reminder.objects.count() == 3
    later = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert reminders.remind(hall.round, c, hall.by)
    with pytest.raises(Refused) as caught:
        reminders.remind(hall.round, make_judge(hall.round.event), hall.by)
    assert caught.value.code == "not_assigned"
    with pytest.raises(Refused) as caught:
        reminders.remind_late(hall.round, hall.by, "x" * 301)
    assert caught.value.code == "text_too_long"


def test_a_reminder_in_one_round_does_not_silence_another(hall):
    other = make_round(hall.round.track, format="roadshow", kind="final")
    make_participation(other, hall.teams[0].team)
    make_panel(other, hall.judges[:1], hall.panel.rubric)
    for round in (hall.round, other):
        assert reminders.remind(round, hall.judges[0], hall.by)
        assert reminders.remind(round, hall.judges[0], hall.by) is None


def test_tablets_show_the_newest_reminder_while_a_sheet_is_missing(hall, monkeypatch):
    judge = hall.judges[0]
    reminders.remind(hall.round, judge, hall.by, "first")
    later = timezone.now() + timedelta(minutes=2)
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: later)
        reminders.remind(hall.round, judge, hall.by, "second")
    assert [r["text"] for r in tablet.package(judge)["reminders"]] == ["second"]
    assert tablet.package(hall.judges[1])["reminders"] == []
    for team in hall.teams:
        hall.score(judge, team, 8)
    assert tablet.package(judge)["reminders"] == []
    return_sheet(hall.sheet(judge, hall.teams[0]), hall.by, "slip")
    assert len(tablet.package(judge)["reminders"]) == 1
    set_status(hall.round, "closed")
    assert tablet.package(judge)["reminders"] == []


def test_the_round_is_not_locked_unawares(hall):
    hall.score(hall.judges[0], hall.teams[0], 8)
    with pytest.raises(Refused) as caught:
        close_round(hall.round, hall.by, told=10)
    assert caught.value.code == "more_missing"
    assert close_round(hall.round, hall.by, told=11).status == "closed"
    assert close_round(hall.round, hall.by, told=0).status == "closed", "it is already"


def test_whoever_closes_the_round_is_told_what_is_missing(hall, client):
    """By whatever way: the round's page and the API ask as the grid does."""
    sign_in(client, hall)
    arguments = [hall.round.event.slug, hall.round.slug]
    page, move = (reverse(name, args=arguments) for name in ("desk-round", "desk-round-move"))
    shown = client.get(page).content.decode()
    assert "Score sheets still missing: 12. Close the round all the same?" in shown
    assert '<input type="hidden" name="missing" value="12">' in shown
    api = f"/api/v1/rounds/{hall.round.pk}/close/"
    for sent in ({}, {"missing": 11}):
        answer = client.post(move, {"action": "close", **sent}, follow=True)
        assert "12 sheets are missing by now" in answer.content.decode()
        answer = client.post(api, sent, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (409, "more_missing")
    hall.round.refresh_from_db()
    assert hall.round.status == "open"
    answer = client.post(api, {"missing": 12}, content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (200, "closed")


def test_sheets_are_counted_in_one_way(hall):
    """Submitted and released, recused, of a team that left: grid, screen and ranking agree."""
    a, b, c, _d = hall.judges
    first, second, third = hall.teams
    hall.score(a, first, 8)
    hall.score(b, first, 8)
    hall.panel.assignments.filter(judge__in=(a, c)).update(released_at=timezone.now())
    recuse(b, first.team, hall.by, "adviser")
    withdraw_team(third.team, third.team.memberships.get().user, "ill")
    loaded = grid.load(hall.round)
    assert (loaded.done, loaded.all, loaded.missing) == (1, 4, 3)
    assert grid.submitted_counts(hall.round) == {first.pk: (1, 2), second.pk: (0, 2)}
    assert panels.awaited(hall.round).count() == 4
    assert panels.missing(hall.round) == missing_sheets(hall.round) == 3


def test_a_veto_is_seen_in_the_grid_and_conditions_are_words(hall, client):
    page, judge, team = sign_in(client, hall), hall.judges[0], hall.teams[0]
    rubric = hall.panel.rubric
    Criterion.objects.create(
        rubric=rubric, code="c9", kind="veto", name_zh="条件", name_en="Condition",
        minimum=0, maximum=1, step=1, weight=0, ordinal=8,
    )  # fmt: skip
    Criterion.objects.create(
        rubric=rubric, code="c10", kind="penalty", name_zh="扣分", name_en="Late",
        minimum=0, maximum=5, step=1, weight=0, ordinal=9,
    )  # fmt: skip
    sheet = hall.sheet(judge, team)
    for n, (criterion, mark) in enumerate(zip(rubric.criteria.all(), "8803", strict=True)):
        save_mark(sheet, criterion, Decimal(mark), sent=Sent(f"v{n}"), by=judge.user)
    assert not hall.cell(judge, team).veto, "a draft votes for nothing"
    submit_sheet(sheet, judge.user)
    assert hall.cell(judge, team).veto
    assert "⊗ veto" in client.get(page).content.decode()
    shown = client.get(page, {"sheet": str(sheet.pk)}, headers={"HX-Request": "true"})
    text = shown.content.decode()
    assert "condition not met" in text
    assert "−3" in text


def sign_in(client, hall):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    client.force_login(hall.by, backend="django.contrib.auth.backends.ModelBackend")
    return reverse("desk-grid", args=[hall.round.event.slug, hall.round.slug])


def test_the_page_reminds_locks_and_opens_again(hall, client):
    page, act = sign_in(client, hall), f"{sign_in(client, hall)}act/"
    end_turns(hall)
    shown = client.get(page).content.decode()
    assert "Remind who is late (4)" in shown
    answer = client.post(
        act, {"action": "remind_late", "text": "It is time"}, headers={"HX-Request": "true"}
    )
    assert {reminder.text for reminder in Reminder.objects.all()} == {"It is time"}
    assert "Reminded: Judge A, Judge B, Judge C, Judge D." in answer.content.decode()
    answer = client.post(act, {"action": f"remind:{hall.judges[0].pk}"}, follow=True)
    assert "less than a minute ago" in answer.content.decode()
    answer = client.post(act, {"action": "lock", "missing": "3"}, follow=True)
    assert "12 sheets are missing by now, not 3" in answer.content.decode()
    client.post(act, {"action": "lock", "missing": "12"})
    hall.round.refresh_from_db()
    assert hall.round.status == "closed"
    answer = client.post(act, {"action": "unlock", "reason": ""}, follow=True)
    assert "Give a reason" in answer.content.decode()
    client.post(act, {"action": "unlock", "reason": "a tablet was away"})
    hall.round.refresh_from_db()
    assert hall.round.status == "open"


def test_one_sheet_is_looked_at_and_returned_in_place(hall, client):
    page = sign_in(client, hall)
    sheet = hall.score(hall.judges[0], hall.teams[0], 8)
    type(sheet).objects.update(private_note="between us")
    shown = client.get(page, {"sheet": str(sheet.pk)}, headers={"HX-Request": "true"})
    text = shown.content.decode()
    assert "Return the sheet" in text
    assert "80.00" in text
    assert "between us" not in text, "a private note is the judge's own"
    assert client.get(page, {"sheet": "x"}).status_code == 404
    other = Hall()
    strange = other.score(other.judges[0], other.teams[0], 8)
    assert client.get(page, {"sheet": str(strange.pk)}).status_code == 404
    client.post(f"{page.removesuffix('grid/')}sheets/{sheet.pk}/return/", {"reason": "slip"})
    sheet.refresh_from_db()
    assert sheet.status == "returned"


def test_a_page_that_has_the_newest_is_sent_nothing(hall, client):
    page = sign_in(client, hall)
    seen = client.get(page).context["digest"]
    asked = {"headers": {"HX-Request": "true"}}
    assert client.get(page, {"seen": seen}, **asked).status_code == 204
    hall.score(hall.judges[0], hall.teams[0], 8, submit=False, criteria=1)
    assert client.get(page, {"seen": seen}, **asked).status_code == 200


def test_marks_of_drafts_alone_are_shown_every_few_seconds(hall, client, monkeypatch):
    page, asked = sign_in(client, hall), {"headers": {"HX-Request": "true"}}
    hall.score(hall.judges[0], hall.teams[0], 8, submit=False, criteria=1)
    seen = client.get(page).context["digest"]
    sheet = hall.sheet(hall.judges[0], hall.teams[0])
    last = hall.panel.rubric.criteria.last()
    save_mark(sheet, last, Decimal(7), sent=Sent("last"), by=hall.judges[0].user)
    assert client.get(page, {"seen": seen}, **asked).status_code == 204
    later = time.time() + 6
    monkeypatch.setattr(time, "time", lambda: later)
    assert client.get(page, {"seen": seen}, **asked).status_code == 200
    submit_sheet(sheet, hall.judges[0].user)
    monkeypatch.undo()
    assert client.get(page, {"seen": seen}, **asked).status_code == 200, "that is shown at once"
    for wrong in ("x", "a.b.c", "..", f"{seen}.x"):
        assert client.get(page, {"seen": wrong}, **asked).status_code == 200


def test_what_locks_the_round_is_replaced_only_if_it_says_something_else(hall, client):
    page = sign_in(client, hall)
    shown = client.get(page).context
    asked = {"headers": {"HX-Request": "true"}}
    hall.score(hall.judges[0], hall.teams[0], 8, submit=False, criteria=1)
    part = client.get(page, {"seen": shown["digest"], "lock": shown["lock"]}, **asked)
    assert 'id="lock"' not in part.content.decode()
    hall.score(hall.judges[1], hall.teams[0], 8)
    part = client.get(page, {"seen": shown["digest"], "lock": shown["lock"]}, **asked)
    assert 'id="lock" hx-swap-oob="true"' in part.content.decode()
