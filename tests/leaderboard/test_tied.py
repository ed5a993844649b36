"""Ties on the ranking page: the chair is asked, decides, and is taken back."""

import pytest
from django.urls import reverse

from contest.models import LogEntry
from contest.services import rounds
from judging.models import Panel, Tie
from judging.services import ties
from leaderboard.models import Scheme
from leaderboard.services import advancement, standings
from leaderboard.services.schemes import add_tie_break
from leaderboard.services.tied import tied_groups, ties_of
from tests.factories import make_event, make_judge, make_team, make_track, make_user
from tests.leaderboard.test_standings import roadshow

pytestmark = pytest.mark.django_db


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def round(organizer):
    """Four teams: one ahead, two that tie across the cut of two, one behind."""
    track = make_track(make_event(organizer))
    teams = [make_team(track, code=f"T-{n}") for n in range(4)]
    judges = [make_judge(track.event, name="Chair Wang")]
    return roadshow(track, teams, judges, [[9, 9, 9], [7, 7, 7], [7, 7, 7], [1, 1, 1]], advance=2)


def panel_of(round):
    panel = round.panels.get()
    Panel.objects.filter(pk=panel.pk).update(chair=panel.judges.first())
    panel.refresh_from_db()
    return panel


def groups(round):
    standings.refresh(round)
    rows = list(standings.current(round, standings.FULL).rows.select_related("participation__team"))
    return tied_groups(rows, Scheme.objects.get(round=round), ties_of(round))


def test_groups_know_whether_they_tie_across_the_cut(round):
    (group,) = groups(round)
    assert (group.rank, group.last, group.across_cut, group.asked) == (2, 3, True, None)
    Scheme.objects.filter(round=round).update(advance_count=3)
    assert not groups(round)[0].across_cut
    Scheme.objects.filter(round=round).update(advance_count=1)
    assert not groups(round)[0].across_cut


@pytest.fixture
def page(client, organizer, round):
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    place = [round.event.slug, round.slug]

    def page(**data):
        if data:
            client.post(reverse("desk-tie", args=place), data, headers={"Accept-Language": "en"})
        answer = client.get(reverse("desk-ranking", args=place), headers={"Accept-Language": "en"})
        return " ".join(answer.content.decode().split())

    return page


def test_the_chair_is_asked_on_the_page_and_taken_back(page, round):
    assert "No panel of this round has a chair" in page()
    panel = panel_of(round)
    text = page()
    assert "Places 2 to 3" in text
    assert "Ask the chair, Chair Wang" in text
    assert "The scheme does not ask the panel's chair" in text
    page(action="add_tie_break")
    ids = list(
        round.participations.filter(team__code__in=["T-1", "T-2"]).values_list("pk", flat=True)
    )
    text = page(action="ask", id=panel.pk, team=ids)
    assert "Chair Wang has been asked." in text
    assert "Waits for Chair Wang since" in text
    tie = Tie.objects.get()
    ties.decide(tie, panel.chair.user, [ids[1], ids[0]], "clearer demo")
    assert groups(round) == []
    text = page()
    assert "Decided by Chair Wang at" in text
    assert "clearer demo" in text
    assert "Give a reason" in page(action="drop", id=tie.pk, reason="")
    text = page(action="drop", id=tie.pk, reason="the chair had a conflict")
    assert "Ask the chair, Chair Wang" in text
    assert "clearer demo" not in text


def test_a_wrong_question_is_refused_on_the_page(page, round):
    panel = panel_of(round)
    one = round.participations.first().pk
    assert "between two or more teams" in page(action="ask", id=panel.pk, team=[one])
    assert "Unknown action" in page(action="nonsense")
    assert not Tie.objects.exists()


def test_the_tie_break_is_added_once_and_logged(round, organizer):
    before = list(round.scheme.components.values("kind", "source", "weight", "aggregation"))
    scheme = add_tie_break(round, organizer, "chair", "two share a place")
    add_tie_break(round, organizer, "chair")
    assert scheme.tie_breaks[-1] == "chair"
    assert list(scheme.components.values("kind", "source", "weight", "aggregation")) == before
    assert LogEntry.objects.filter(action="scheme").count() == 1


def test_nothing_is_asked_once_the_ranking_is_signed(page, round, organizer):
    panel = panel_of(round)
    rounds.close_round(round, organizer)
    proposal = advancement.propose(round, organizer)
    tied = [row.row.participation_id for row in proposal.rows.filter(outcome="tied")]
    advancement.decide_tie(proposal, organizer, tied[:1], "coin")
    advancement.sign_off(proposal, organizer)
    text = page(action="ask", id=panel.pk, team=tied)
    assert "is signed off" in text
    assert not Tie.objects.exists()
