"""A judge declares a conflict of interest before anybody is assigned."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from contest.models import LogEntry
from judging.models import Recusal
from judging.roles import declarable_teams
from judging.services.designs import Wish, propose
from tests.factories import (
    make_event,
    make_judge,
    make_panel,
    make_participation,
    make_round,
    make_team,
    make_track,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def round():
    track = make_track(make_event())
    round = make_round(track, format="roadshow", kind="semifinal", status="draft")
    for n in range(3):
        make_participation(round, make_team(track, code=f"T-{n}", organisation_en=f"Uni {n}"))
    return round


@pytest.fixture
def judge(round):
    return make_judge(round.event)


@pytest.fixture
def page(client, judge):
    client.force_login(judge.user, backend="django.contrib.auth.backends.ModelBackend")

    def page(query=None, **data):
        address, language = reverse("judge-conflicts"), {"Accept-Language": "en"}
        if data:
            answer = client.post(address, data, follow=True, headers=language)
        else:
            answer = client.get(address, query or {}, headers=language)
        return answer.status_code, " ".join(answer.content.decode().split())

    return page


def test_before_a_design_is_drawn(round, judge, page):
    panel = make_panel(round, [judge], assign=False)
    first, other = round.participations.order_by("team__code")[:2]
    assert "T-0" in page()[1]
    assert "T-1" not in page({"q": "uni 0"})[1]
    assert "Give a reason" in page(team=first.team_id, reason=" ")[1]
    for _twice in range(2):
        status, said = page(team=first.team_id, reason="adviser")
        assert (status, "adviser" in said) == (200, True)
    recusal = Recusal.objects.get()
    assert (recusal.judge, recusal.team, recusal.declared_by) == (judge, first.team, judge.user)
    assert LogEntry.objects.filter(action="recused").count() == 1
    pairs = propose(panel, Wish(k=1, accept_fewer=True)).design.pairs
    assert (judge.pk, first.pk) not in pairs
    assert (judge.pk, other.pk) in pairs


def test_only_teams_of_the_tracks_of_the_own_panels(round, judge, page):
    make_panel(round, [judge], assign=False)
    elsewhere = make_team(make_track(round.event), code="X-1")
    withdrawn = make_team(round.track, code="W-1", status="withdrawn")
    text = page()[1]
    assert "X-1" not in text
    assert "W-1" not in text
    for team in (elsewhere, withdrawn, make_team()):
        assert page(team=team.pk, reason="adviser")[0] == 404
    assert page(team="x", reason="adviser")[0] == 404
    assert not Recusal.objects.exists()


def test_over_the_api(round, judge, client):
    client.force_login(judge.user, backend="django.contrib.auth.backends.ModelBackend")
    team = round.participations.first().team
    body = {"judge": judge.pk, "team": team.pk, "reason": "adviser"}
    assert client.post("/api/v1/recusals/", body).status_code == 400, "sits in no panel yet"
    make_panel(round, [judge], assign=False)
    assert client.post("/api/v1/recusals/", body).status_code == 201
    assert Recusal.objects.get().team == team


def test_an_anonymous_panel_names_no_team_and_says_so(round, judge, page):
    make_panel(round, [judge], assign=False)
    later = make_round(round.track, format="review", kind="final")
    make_participation(later, round.participations.first().team)
    make_panel(later, [judge], is_anonymous=True)
    _status, text = page()
    assert "Of an anonymous review no team can be named here" in text
    for participation in round.participations.select_related("team"):
        assert participation.team.code not in text, "who is left out would be in that round"
        assert page(team=participation.team_id, reason="adviser")[0] == 404
    hidden = Recusal.objects.create(
        judge=judge, team=later.participations.get().team, reason="adviser"
    )
    text = page()[1]
    assert "a team of an anonymous review" in text
    assert hidden.team.code not in text


def test_nothing_is_asked_of_the_database_for_whoever_is_not_signed_in(django_assert_num_queries):
    """The API's serializers ask when they are loaded: at the first start there is no database."""
    with django_assert_num_queries(0):
        declarable_teams(AnonymousUser())
