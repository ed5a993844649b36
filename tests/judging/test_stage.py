"""The roadshow desk: draw, order, who is on stage, the clock."""

import hashlib
import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone

from contest import live
from contest.errors import Refused
from contest.models import LogEntry
from contest.services.rounds import close_round
from contest.services.teams import disqualify_team, reinstate_team, withdraw_team
from judging.models import Appearance, RecordEntry, Stage
from judging.services import stage
from judging.services.panels import recuse
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
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
def round(by):
    track = make_track(make_event(by))
    round = make_round(track, format="roadshow", kind="semifinal")
    for n in range(4):
        make_participation(round, make_team(track, make_user(), code=f"T-{n}"))
    stage.draw(round, by, seed="x")
    return round


def codes(round):
    return [p.team.code for p in stage.taking_part(round)]


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code


def test_the_draw_can_be_drawn_again_by_anybody(round, by):
    assert codes(round) == sorted(
        [f"T-{n}" for n in range(4)],
        key=lambda code: hashlib.sha256(f"x:{code}".encode()).hexdigest(),
    )
    drawn = Stage.objects.get(round=round)
    assert stage.drawn_order(drawn.draw_seed, drawn.draw_codes) == codes(round)
    entry = RecordEntry.objects.get(kind="draw")
    assert entry.text == f"x: {' '.join(codes(round))}"
    stage.draw(round, by)
    assert len(Stage.objects.get(round=round).draw_seed) == 16, "a seed of its own"


def test_nobody_draws_again_once_a_team_was_on_stage(round, by):
    stage.call_next(round, by)
    refused("stage_begun", lambda: stage.draw(round, by))
    order = [p.pk for p in reversed(stage.taking_part(round))]
    stage.reorder(round, by, order)
    assert [p.pk for p in stage.taking_part(round)] == order


def test_a_team_comes_and_goes(round, by):
    first, second, third, fourth = stage.taking_part(round)
    assert stage.call_next(round, by).current == first
    assert stage.call_next(round, by).current == second
    assert stage.skip(round, by, third).current == second
    assert stage.call_next(round, by).current == fourth
    assert stage.call_next(round, by).current is None, "nobody waits; the last one is done"
    assert stage.call(round, by, third).current == third, "who was skipped is called back"
    assert stage.call(round, by, first).current == first, "and who was there may come again"
    states = dict(Appearance.objects.values_list("participation__team__code", "status"))
    assert states[first.team.code] == "on_stage"
    assert {states[p.team.code] for p in (second, third, fourth)} == {"done"}
    assert stage.finish(round, by).phase == "idle"


def test_the_second_of_two_taps_does_nothing(round, by):
    seen = stage.stage_of(round).version
    first = stage.call_next(round, by, seen)
    again = stage.call_next(round, by, seen)
    assert again.current == first.current
    assert again.version == seen + 1


def test_the_clock_runs_stands_and_goes_on(round, by, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    def after(seconds):
        nonlocal now
        now += timedelta(seconds=seconds)
        return stage.stage_of(round)

    refused("nobody_on_stage", lambda: stage.start(round, by))
    stage.save_settings(round, by, presentation_s=480, questions_s=420, is_public=False)
    stage.call_next(round, by)
    assert after(5).remaining_s == 480, "it does not run before it is started"
    stage.start(round, by)
    assert after(100).remaining_s == 380
    stage.start(round, by)
    stage.pause(round, by)
    assert after(50).remaining_s == 380
    stage.start(round, by)
    assert after(400).remaining_s == -20, "over time is shown as such"
    stage.go_to_phase(round, by, "questions")
    assert after(20).remaining_s == 400, "it went on running"
    stage.pause(round, by)
    stage.go_to_phase(round, by, "presentation")
    assert after(20).remaining_s == -20, "it is gone back to as it was left"
    stage.go_to_phase(round, by, "questions")
    assert after(20).remaining_s == 400
    assert stage.call_next(round, by).elapsed_ms == 0
    stage.go_to_phase(round, by, "questions")
    assert after(0).remaining_s == 420, "of the next team nothing has run"


def test_the_stage_belongs_to_an_open_round_and_its_teams(round, by):
    stranger = make_participation()
    refused("wrong_round", lambda: stage.call(round, by, stranger))
    gone = stage.taking_part(round)[0]
    withdraw_team(gone.team, gone.team.memberships.get().user, "ill")
    gone.refresh_from_db()
    refused("not_taking_part", lambda: stage.call(round, by, gone))
    set_status(round, "closed")
    refused("round_not_open", lambda: stage.call_next(round, by))


def test_a_round_that_is_closed_holds_the_clock_and_the_stage_can_be_ended(round, by):
    first = stage.call_next(round, by).current
    stage.start(round, by)
    close_round(round, by)
    assert stage.stage_of(round).running_since is None
    refused("round_not_open", lambda: stage.start(round, by))
    # By hand, too, should a clock run on for whatever reason.
    Stage.objects.update(running_since=timezone.now())
    assert stage.pause(round, by).running_since is None
    assert stage.finish(round, by).current is None
    assert stage.undo(round, by).current == first
    assert stage.put_back(round, by, first).current is None


def test_the_phase_that_is_on_is_not_begun_again(round, by):
    stage.call_next(round, by)
    stage.start(round, by)
    Stage.objects.update(elapsed_ms=60_000)
    version = stage.stage_of(round).version
    made = stage.go_to_phase(round, by, "presentation", version)
    assert (made.version, made.elapsed_ms) == (version, 60_000)


def test_the_clock_is_set_by_hand_and_the_log_says_so(round, by):
    stage.save_settings(round, by, presentation_s=90, questions_s=60, is_public=False)
    first = stage.call_next(round, by).current
    Stage.objects.update(elapsed_ms=30_000)
    assert stage.add_time(round, by, 60).limit_s == 150
    assert stage.add_time(round, by, -60).limit_s == 90
    assert stage.add_time(round, by, -600).limit_s == 1, "never none: that is no limit at all"
    stage.add_time(round, by, 89)
    assert stage.restart_clock(round, by).elapsed_ms == 0
    stage.add_time(round, by, 60)
    stage.go_to_phase(round, by, "questions")
    assert stage.stage_of(round).limit_s == 60, "each phase has its own"
    stage.go_to_phase(round, by, "presentation")
    assert stage.stage_of(round).limit_s == 150
    said = LogEntry.objects.filter(action__startswith="clock_").order_by("pk")
    assert said[0].after == f"150 s, {first.team.code}, presentation"
    assert said.get(action="clock_restarted").before == "30 s"


def test_what_the_hall_is_sent(round, by):
    stage.call_next(round, by)
    stage.start(round, by)
    shown = stage.describe(round)
    assert shown["current"]["code"] == codes(round)[0]
    assert shown["next"]["code"] == codes(round)[1]
    assert shown["running_since"]
    assert [row["status"] for row in shown["order"]] == ["on_stage", *["waiting"] * 3]
    assert (shown["done"], shown["count"]) == (0, 4)


@pytest.mark.parametrize("seed", ["x", "26 11 2026", 'it\'s $HOME; `ls` "%s" \\'])
def test_a_shell_draws_the_same_order(round, by, seed):
    drawn = stage.draw(round, by, seed=seed)
    said = subprocess.run(
        ["bash", "-c", stage.draw_command(drawn)], capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[1] for line in said.splitlines()] == codes(round)


def test_the_page_knows_whether_the_drawn_order_was_changed(round, by):
    drawn = Stage.objects.get(round=round)
    first, *_rest = stage.taking_part(round)
    assert stage.is_as_drawn(drawn, stage.taking_part(round))
    withdraw_team(first.team, first.team.memberships.get().user, "ill")
    make_participation(round, make_team(round.track, code="T-9"))
    assert stage.is_as_drawn(drawn, stage.taking_part(round)), "who stayed stands as drawn"
    stage.move(round, by, stage.taking_part(round)[0], 1, None)
    assert not stage.is_as_drawn(drawn, stage.taking_part(round))


def test_a_team_moves_up_and_down(round, by):
    first, second, *rest = stage.taking_part(round)
    stage.move(round, by, second, -1, stage.stage_of(round).version)
    assert stage.taking_part(round) == [second, first, *rest]
    stage.move(round, by, second, -1, stage.stage_of(round).version)
    assert stage.taking_part(round) == [second, first, *rest], "it is first already"
    stage.move(round, by, rest[0], 1, stage.stage_of(round).version - 1)
    assert stage.taking_part(round) == [second, first, *rest], "of a stage that moved on"


def test_one_button_starts_and_pauses(round, by):
    stage.call_next(round, by)
    assert stage.toggle(round, by).running_since
    assert stage.toggle(round, by).running_since is None


def test_a_team_called_or_skipped_by_mistake_waits_again(round, by):
    first, second, *_rest = stage.taking_part(round)
    stage.call(round, by, first)
    stage.put_back(round, by, first)
    assert stage.next_team(round) == first
    assert stage.stage_of(round).current is None
    assert Appearance.objects.get(participation=first).ended_at is None
    stage.skip(round, by, first)
    assert stage.next_team(round) == second
    stage.put_back(round, by, first)
    assert stage.next_team(round) == first


def turn(participation):
    return Appearance.objects.get(participation=participation)


def test_a_wrong_next_is_taken_back_as_if_it_had_not_been(round, by):
    first, second, *_rest = stage.taking_part(round)
    stage.call_next(round, by)
    stage.start(round, by)
    stage.go_to_phase(round, by, "questions")
    stage.pause(round, by)
    Stage.objects.update(elapsed_ms=90_000)
    stage.start(round, by)
    began = turn(first).began_at
    stage.call_next(round, by)
    made = stage.put_back(round, by, second)
    assert (made.current, made.phase) == (first, "questions")
    assert 90_000 <= made.elapsed_ms < 95_000
    assert made.running_since, "it goes on as it went"
    assert (turn(first).status, turn(first).began_at) == ("on_stage", began)
    assert turn(first).ended_at is None
    assert (turn(second).status, turn(second).began_at) == ("waiting", None)
    refused("nothing_to_undo", lambda: stage.undo(round, by))
    assert stage.next_team(round) == second


def test_a_team_recalled_by_mistake_is_done_again(round, by):
    first, second, *_rest = stage.taking_part(round)
    for _n in range(2):
        stage.call_next(round, by)
    ended = turn(first).ended_at
    stage.call(round, by, first)
    assert stage.put_back(round, by, first).current == second
    assert (turn(first).status, turn(first).ended_at) == ("done", ended)


def test_finishing_and_skipping_are_taken_back_too(round, by):
    first, second, *_rest = stage.taking_part(round)
    stage.call_next(round, by)
    Stage.objects.update(elapsed_ms=7_000)
    stage.finish(round, by)
    made = stage.undo(round, by)
    assert (made.current, made.elapsed_ms, made.running_since) == (first, 7_000, None)
    stage.skip(round, by, first)
    assert stage.undo(round, by).current == first
    # Who has left meanwhile does not come back on stage.
    stage.call(round, by, second)
    withdraw_team(first.team, first.team.memberships.get().user, "ill")
    made = stage.undo(round, by)
    assert (made.current, made.phase, made.limit_s) == (None, "idle", 0)
    assert turn(second).status == "waiting"


def test_next_pressed_twice_calls_one_team_whatever_the_second_page_saw(round, by):
    first, *_rest = stage.taking_part(round)
    made = stage.call_next(round, by, stage.stage_of(round).version)
    again = stage.call_next(round, by, made.version)
    assert (again.current, again.version) == (first, made.version)
    Appearance.objects.update(began_at=timezone.now() - stage.APART)
    assert stage.call_next(round, by, made.version).current != first


def test_the_place_is_one_among_those_who_compete(round, by):
    first, *_rest, last = stage.taking_part(round)
    withdraw_team(first.team, first.team.memberships.get().user, "ill")
    stage.call(round, by, last)
    shown = stage.describe(round)
    assert (shown["position"], shown["count"]) == (3, 3)
    assert shown["current"]["order"] == 4, "the number that was drawn stays the team's"


def sent(callbacks, monkeypatch, act):
    """The channels on which something is said of it."""
    channels = []
    monkeypatch.setattr(live, "_send", lambda channel, message: channels.append(channel))
    with callbacks(execute=True):
        act()
    return set(channels)


def test_the_hall_is_told_of_who_leaves_and_of_conflicts(
    round, by, monkeypatch, django_capture_on_commit_callbacks
):
    first, second, third, _fourth = stage.taking_part(round)
    judge = make_judge(round.event)
    make_panel(round, [judge])
    captain = first.team.memberships.get().user
    tablet, screen, desk = (f"{kind}-{round.pk}" for kind in ("stage", "hall", "desk"))
    for act in (
        lambda: withdraw_team(first.team, captain, "ill"),
        lambda: disqualify_team(second.team, by, "copied"),
        lambda: reinstate_team(second.team, by, "it was another"),
    ):
        told = sent(django_capture_on_commit_callbacks, monkeypatch, act)
        assert {tablet, screen, desk} <= told
    told = sent(
        django_capture_on_commit_callbacks, monkeypatch,
        lambda: recuse(judge, third.team, by, "adviser"),
    )  # fmt: skip
    assert {screen, desk} <= told


def test_who_may_watch(round, by):
    assert not stage.is_open_to_all(round)
    stage.save_settings(round, by, presentation_s=60, questions_s=60, is_public=True)
    assert stage.is_open_to_all(round)
    set_status(round, "draft")
    assert not stage.is_open_to_all(round)
    set_status(round, "open")
    set_status(round.event, "draft")
    assert not stage.is_open_to_all(round)
