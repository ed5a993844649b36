"""The reveal on the stage screen: step by step, pinned, frozen, and never more than was shown."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from contest.errors import Refused
from contest.models import LogEntry
from contest.services.teams import withdraw_team
from judging.models import Scoresheet
from judging.services import stage
from judging.services.panels import recuse
from judging.services.scoresheets import return_sheet
from leaderboard.models import Reveal
from leaderboard.services import reveal, standings
from tests.factories import (
    make_event,
    make_judge,
    make_participation,
    make_team,
    make_track,
    make_user,
)
from tests.leaderboard.test_standings import roadshow

pytestmark = pytest.mark.django_db

# Five judges' marks of four teams, so that every total and every mean is a number of its own:
# means without the highest and lowest 78.33, 70.00, 70.00 (tied), 31.67.
MARKS = [
    ["7.0", "8.5", "8.0", "9.5", "1.5"],
    ["7.0", "6.5", "7.5", "9.0", "0.5"],
    ["7.5", "6.5", "7.0", "10.0", "0.0"],
    ["3.0", "2.0", "4.5", "5.5", "1.0"],
]


@pytest.fixture
def by():
    return make_user()


@pytest.fixture
def round(by):
    track = make_track(make_event(by))
    names = ["Aster", "Birch", "Cedar", "Daisy"]
    teams = [
        make_team(track, make_user(), code=f"T-{n}", name_en=name, name_zh=f"队{name}")
        for n, name in enumerate(names, start=1)
    ]
    judges = [make_judge(track.event, name=f"Judge {letter}") for letter in "VWXYZ"]
    made = roadshow(track, teams, judges, MARKS, advance=3)
    scheme = made.scheme
    scheme.tie_breaks = []
    scheme.save()
    return made


def team(round, number):
    return round.participations.get(running_order=number)


def text_of(round):
    """Everything that leaves the server, but for times, which hold any digits."""
    state = reveal.state(round)
    del state["server_time"]
    return json.dumps(state, ensure_ascii=False)


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code


def shown_totals(round):
    return [sheet["total"] for sheet in reveal.state(round)["sheets"]]


# --- Judges' scores of a team ----------------------------------------------------------------


def test_a_team_is_revealed_sheet_by_sheet(round, by):
    reveal.choose_team(round, by, team(round, 1))
    wanted = ["70.00", "85.00", "80.00", "95.00", "15.00"]
    for count in range(6):
        assert shown_totals(round) == wanted[:count] + [None] * (5 - count)
        assert reveal.state(round)["mean"] is None
        assert not any(sheet["dropped"] for sheet in reveal.state(round)["sheets"])
        reveal.step(round, by)
    dropped = [sheet["dropped"] for sheet in reveal.state(round)["sheets"]]
    assert dropped == ["", "", "", "highest", "lowest"]
    assert reveal.state(round)["mean"] is None
    reveal.step(round, by)
    assert reveal.state(round)["mean"] == "78.33"
    assert reveal.state(round)["is_complete"]
    reveal.step(round, by)
    assert reveal.progress(Reveal.objects.get()) == (7, 7), "there is nothing more"
    log = list(LogEntry.objects.filter(model="reveal").order_by("pk").values_list("action", "by"))
    assert log == [("reveal_begun", by.pk), ("score_revealed", by.pk)]


def test_nothing_unrevealed_leaves_the_server(round, by, client):
    """At every step: no total that waits, no mean and no other team is in what is sent."""
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("stage-screen", args=[round.event.slug, round.slug])
    reveal.choose_team(round, by, team(round, 1))
    totals = ["70.00", "85.00", "80.00", "95.00", "15.00"]
    for count in range(8):
        for text in (text_of(round), client.get(page).content.decode()):
            for waiting in totals[count:]:
                if waiting not in totals[:count]:
                    assert waiting not in text, (count, waiting)
            assert ("78.33" in text) == (count == 7)
            for name in ("Birch", "Cedar", "Daisy", "T-2", "T-3", "T-4", "Judge V"):
                assert name not in text
        reveal.step(round, by)


def test_whoever_is_recused_is_not_shown(round, by):
    judge = round.panels.get().judges.order_by("name").last()
    recuse(judge, team(round, 1).team, by, "adviser")
    reveal.choose_team(round, by, team(round, 1))
    for _n in range(4):
        reveal.step(round, by)
    assert shown_totals(round) == ["70.00", "85.00", "80.00", "95.00"]


def test_judges_are_named_only_if_wanted(round, by):
    reveal.choose_team(round, by, team(round, 1))
    assert "judge" not in reveal.state(round)["sheets"][0]
    reveal.set_show_judges(round, by, True)
    assert reveal.state(round)["sheets"][0]["judge"] == "Judge V"
    assert LogEntry.objects.filter(action="reveal_judges").exists()


def test_a_sheet_returned_on_the_way_changes_nothing_but_a_warning(round, by):
    reveal.choose_team(round, by, team(round, 1))
    reveal.step(round, by)
    sheet = Scoresheet.objects.filter(assignment__participation=team(round, 1)).first()
    return_sheet(sheet, by, "slip")
    standings.refresh(round)
    for _n in range(6):
        reveal.step(round, by)
    assert reveal.state(round)["mean"] == "78.33"
    made = Reveal.objects.select_related("sheets_standing", "standing").get()
    assert reveal.outdated(made) == ["sheets"]
    assert reveal.outdated_means(made) == [team(round, 1).pk], "so is the mean on the board"
    refused("sheets_missing", lambda: reveal.choose_team(round, by, team(round, 1)))
    reveal.choose_team(round, by, team(round, 1), missing=1)
    assert len(reveal.state(round)["sheets"]) == 4
    made = Reveal.objects.select_related("sheets_standing", "standing").get()
    assert reveal.outdated(made) == []


def test_without_sheets_there_is_nothing_to_reveal(round, by):
    Scoresheet.objects.filter(assignment__participation=team(round, 2)).update(status="draft")
    refused("no_sheets", lambda: reveal.choose_team(round, by, team(round, 2)))
    refused("wrong_round", lambda: reveal.choose_team(round, by, make_participation()))


def test_the_key_takes_the_team_on_stage_unless_another_is_half_revealed(round, by):
    refused("no_team", lambda: reveal.show(round, by, "sheets"))
    stage.call(round, by, team(round, 2))
    assert reveal.show(round, by, "sheets").participation == team(round, 2)
    reveal.step(round, by)
    stage.call(round, by, team(round, 3))
    assert reveal.show(round, by, "sheets").participation == team(round, 2), "half revealed"
    for _n in range(6):
        reveal.step(round, by)
    assert reveal.show(round, by, "sheets").participation == team(round, 3)
    stage.finish(round, by)
    assert reveal.show(round, by, "sheets").participation == team(round, 3), "was there last"


# --- Teams so far ----------------------------------------------------------------------------


def reveal_whole(round, by, number):
    reveal.choose_team(round, by, team(round, number))
    for _n in range(7):
        reveal.step(round, by)


def test_the_board_has_the_teams_whose_mean_was_shown(round, by):
    for number in (4, 2):
        reveal_whole(round, by, number)
    reveal.choose_team(round, by, team(round, 1))
    for _n in range(6):
        reveal.step(round, by)
    reveal.show(round, by, "board")
    rows = [(row["rank"], row["team"]["code"], row["score"]) for row in reveal.state(round)["rows"]]
    assert rows == [(1, "T-2", "70.00"), (2, "T-4", "31.67")]
    assert "Aster" not in text_of(round)
    assert "78.33" not in text_of(round)
    reveal_whole(round, by, 3)
    reveal.show(round, by, "board")
    assert [row["rank"] for row in reveal.state(round)["rows"]] == [1, 1, 3]
    reveal.take_off(round, by, team(round, 4))
    assert len(reveal.state(round)["rows"]) == 2
    gone = team(round, 3).team
    withdraw_team(gone, gone.memberships.get().user, "ill")
    assert [row["team"]["code"] for row in reveal.state(round)["rows"]] == ["T-2"]


def test_means_are_ranked_and_the_excluded_come_last():
    means = {1: Decimal(70), 2: None, 3: Decimal(80), 4: Decimal(70)}
    assert reveal.ranked_means(means) == [(1, 3), (2, 1), (2, 4), (None, 2)]


# --- The ranking -----------------------------------------------------------------------------


def ranks(round):
    return [(row["rank"], row["team"]["code"]) for row in reveal.state(round)["rows"]]


def test_from_the_last_place_to_the_first_ties_together(round, by):
    reveal.begin_ranking(round, by, places=4, drumroll=1)
    assert ranks(round) == []
    reveal.step(round, by)
    assert ranks(round) == [(4, "T-4")]
    reveal.step(round, by)
    assert ranks(round) == [(2, "T-2"), (2, "T-3"), (4, "T-4")]
    reveal.step(round, by)
    assert reveal.state(round)["coming"] == 1
    assert len(ranks(round)) == 3
    reveal.step(round, by)
    assert ranks(round)[0] == (1, "T-1")
    reveal.step(round, by)
    reveal.back(round, by)
    reveal.back(round, by)
    assert reveal.state(round)["coming"] is None
    assert ranks(round) == [(2, "T-2"), (2, "T-3"), (4, "T-4")]
    said = LogEntry.objects.filter(action="rank_revealed").order_by("pk")
    assert [entry.after for entry in said] == ["4: T-4", "2: T-2, T-3", "1: T-1"]


def test_as_many_places_as_advance(round, by):
    reveal.show(round, by, "ranking")
    made = Reveal.objects.get()
    assert (made.places, made.drumroll) == (3, 3)
    reveal.step(round, by)
    assert reveal.state(round)["coming"] == 2
    assert ranks(round) == []
    reveal.step(round, by)
    assert ranks(round) == [(2, "T-2"), (2, "T-3")]
    scheme = round.scheme
    scheme.advance_count = 0
    scheme.save()
    reveal.begin_ranking(round, by, places=0)
    assert Reveal.objects.get().places == 4, "a final shows all"
    refused("bad_places", lambda: reveal.begin_ranking(round, by, places=201))


def test_no_team_or_total_that_waits_is_in_any_answer(round, by, client):
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("stage-screen", args=[round.event.slug, round.slug])
    reveal.begin_ranking(round, by, places=4, drumroll=4)
    order = [("T-4", "Daisy", "31.67"), ("T-2", "Birch", "70.00"), ("T-1", "Aster", "78.33")]
    for shown in (0, 0, 1, 1, 2, 2, 3):
        for text in (text_of(round), client.get(page).content.decode()):
            for n, facts in enumerate(order):
                assert all((fact in text) == (n < shown) for fact in facts), (shown, facts)
        reveal.step(round, by)


def test_the_ranking_is_pinned_to_the_standing_it_began_with(round, by):
    reveal.begin_ranking(round, by, places=4, drumroll=0)
    for _n in range(2):
        reveal.step(round, by)
    recuse(round.panels.get().judges.order_by("name").first(), team(round, 1).team, by, "adviser")
    withdraw_team(team(round, 4).team, team(round, 4).team.memberships.get().user, "ill")
    standings.refresh(round)
    made = Reveal.objects.select_related("standing", "sheets_standing").get()
    assert reveal.outdated(made) == ["ranking"]
    reveal.toggle_blank(round, by)
    refused("ranking_changed", lambda: reveal.toggle_blank(round, by))
    reveal.toggle_blank(round, by, standing=made.standing_id)
    reveal.show(round, by, "stage")
    refused("ranking_changed", lambda: reveal.show(round, by, "ranking"))
    assert reveal.show(round, by, "ranking", standing=made.standing_id).scene == "ranking"
    assert len(ranks(round)) == 3, "the reveal goes on where it was"
    reveal.step(round, by)
    assert ranks(round) == [(1, "T-1"), (2, "T-2"), (2, "T-3"), (4, "T-4")]
    reveal.begin_ranking(round, by, places=4, drumroll=0)
    for _n in range(3):
        reveal.step(round, by)
    assert "T-4" not in text_of(round)


def test_of_which_nothing_was_shown_the_newest_ranking_is_taken(round, by):
    """Key 4 at noon, to see whether it works, does not pin the evening's ranking."""
    noon = reveal.show(round, by, "ranking").standing
    reveal.show(round, by, "stage")
    recuse(round.panels.get().judges.order_by("name").last(), team(round, 1).team, by, "adviser")
    evening = reveal.show(round, by, "ranking").standing
    assert evening != noon
    assert evening.is_current


def test_a_ranking_rehearsed_to_its_end_is_not_shown_at_once(round, by):
    reveal.begin_ranking(round, by, places=4, drumroll=0)
    for _n in range(3):
        reveal.step(round, by)
    reveal.toggle_blank(round, by)
    reveal.toggle_blank(round, by)
    assert len(ranks(round)) == 4, "of a ranking that stands, back from nothing"
    reveal.show(round, by, "stage")
    refused("ranking_revealed", lambda: reveal.show(round, by, "ranking"))
    assert reveal.state(round)["scene"] == "stage"
    reveal.begin_anew(round, by)
    assert ranks(round) == []
    assert Reveal.objects.get().places == 4, "the places that were asked for stay"


def test_places_by_themselves_follow_the_scheme(round, by):
    reveal.show(round, by, "ranking")
    scheme = round.scheme
    scheme.advance_count = 2
    scheme.save()
    reveal.show(round, by, "stage")
    made = reveal.show(round, by, "ranking")
    assert (made.places_asked, made.places) == (0, 2)


def test_scores_are_not_revealed_while_sheets_are_missing_unawares(round, by):
    sheets = Scoresheet.objects.filter(assignment__participation=team(round, 1))
    for sheet in sheets[:2]:
        return_sheet(sheet, by, "slip")
    stage.call(round, by, team(round, 1))
    for act in (
        lambda: reveal.choose_team(round, by, team(round, 1)),
        lambda: reveal.choose_team(round, by, team(round, 1), missing=1),
        lambda: reveal.show(round, by, "sheets"),
        lambda: reveal.show(round, by, "ranking"),
        lambda: reveal.begin_ranking(round, by),
    ):
        refused("sheets_missing", act)
    with pytest.raises(Refused) as caught:
        reveal.show(round, by, "sheets")
    assert caught.value.params["confirm"] == {"missing": 2}
    with translation.override("en"):
        assert caught.value.messages == ["3 of 5 sheets are in."]
    assert reveal.show(round, by, "sheets", missing=2).participation == team(round, 1)
    assert reveal.show(round, by, "ranking", missing=2).scene == "ranking"
    reveal.choose_team(round, by, team(round, 2))


def test_a_second_press_discloses_nothing_more_whatever_its_page_saw(round, by):
    seen = reveal.begin_ranking(round, by, places=4, drumroll=0).version
    seen = reveal.step(round, by, seen).version
    assert reveal.step(round, by, seen).version == seen
    assert ranks(round) == [(4, "T-4")]
    Reveal.objects.update(stepped_at=timezone.now() - reveal.APART)
    reveal.step(round, by, seen)
    assert len(ranks(round)) == 3


def test_a_round_without_ranks_cannot_be_revealed(by):
    empty = roadshow(make_track(make_event(by)), [], [], [])
    refused("nobody_ranked", lambda: reveal.begin_ranking(empty, by))


# --- The screen as a whole -------------------------------------------------------------------


def test_on_stage_says_how_many_sheets_are_in_and_no_score(round, by):
    stage.call(round, by, team(round, 1))
    shown = reveal.state(round)
    assert shown["stage"]["current"]["code"] == "T-1"
    assert (shown["sheets_in"], shown["sheets_expected"]) == (5, 5)
    assert not any(total in text_of(round) for total in ("80.00", "78.33", "70.00"))


def test_a_frozen_screen_keeps_what_it_showed(round, by, monkeypatch):
    stage.call(round, by, team(round, 1))
    stage.start(round, by)
    reveal.freeze(round, by)
    held = reveal.state(round)
    assert held["is_frozen"]
    assert held["stage"]["running_since"] is None, "its clock stands"
    stage.call(round, by, team(round, 2))
    reveal.begin_ranking(round, by, places=4, drumroll=0)
    reveal.step(round, by)
    now = reveal.state(round)
    changing = ("server_time", "version", "stage_version")
    assert {k: v for k, v in now.items() if k not in changing} == {
        k: v for k, v in held.items() if k not in changing
    }
    assert now["version"] > held["version"], "keys act on what is there"
    driven = reveal.driven_state(round)["drive"]
    assert (driven["scene"], driven["phase"]) == ("ranking", "presentation")
    assert driven["current"] == team(round, 2).pk
    assert driven["teams"] == [team(round, n).pk for n in (1, 2, 3, 4)]
    reveal.freeze(round, by)
    assert reveal.state(round)["scene"] == "stage", "frozen twice is frozen once"
    reveal.unfreeze(round, by)
    assert ranks(round) == [(4, "T-4")]
    later = timezone.now() + timedelta(minutes=5)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert reveal.state(round)["scene"] == "ranking"


def test_blank_and_back(round, by):
    reveal.begin_ranking(round, by, places=4, drumroll=0)
    reveal.step(round, by)
    reveal.toggle_blank(round, by)
    assert "rows" not in reveal.state(round)
    reveal.toggle_blank(round, by)
    assert ranks(round) == [(4, "T-4")]


def test_a_second_press_of_the_same_key_does_nothing(round, by):
    reveal.begin_ranking(round, by, places=4, drumroll=0)
    seen = reveal.state(round)["version"]
    reveal.step(round, by, seen)
    reveal.step(round, by, seen)
    reveal.back(round, by, seen)
    assert ranks(round) == [(4, "T-4")]
    assert reveal.state(round)["version"] == seen + 1
