"""What judges wrote to a team: for its members, after publication, without names."""

import pytest
from django.urls import reverse
from django.utils import timezone

from judging.models import Recusal, Scoresheet
from judging.services.feedback import Comment, comments
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
def participation():
    """A team that five judges scored: one left no comment, one has a conflict of interest, one
    was returned the sheet."""
    track = make_track(make_event(make_user()))
    round = make_round(track, format="roadshow", kind="final")
    participation = make_participation(round, make_team(track, make_user()))
    judges = [make_judge(track.event) for _n in range(5)]
    panel = make_panel(round, judges)
    texts = ("clear and bold", " \n", "a better demo", "of a friend", "not yet")
    for assignment, text in zip(panel.assignments.order_by("judge_id"), texts, strict=True):
        Scoresheet.objects.create(
            assignment=assignment, comment=text, private_note="never to be read",
            status="returned" if text == "not yet" else "submitted", submitted_at=timezone.now(),
        )  # fmt: skip
    Recusal.objects.create(judge=judges[3], team=participation.team, reason="friend")
    return participation


def of(participation, client):
    round = participation.round
    args = [round.event.slug, round.slug, participation.team.code]
    return client.get(reverse("team-feedback", args=args))


@pytest.fixture
def member(client, participation):
    user = participation.team.memberships.get().user
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_only_counted_sheets_speak_and_without_names(participation, member):
    set_status(participation.round, "published")
    given = comments(participation)
    assert {comment.text for comment in given} == {"clear and bold", "a better demo"}
    assert [comment.judge for comment in given] == [1, 2]
    page = of(participation, member).content.decode()
    assert "clear and bold" in page
    for hidden in ("never to be read", "of a friend", "not yet"):
        assert hidden not in page
    for judge in participation.round.event.judges.all():
        assert judge.name not in page
        assert judge.organisation not in page


def test_the_order_says_nothing_of_the_judges(participation):
    set_status(participation.round, "published")
    sheets = Scoresheet.objects.filter(comment__in=["clear and bold", "a better demo"])
    by_id = [sheet.comment for sheet in sheets.order_by("pk")]
    assert comments(participation) == [Comment(n, text) for n, text in enumerate(by_id, start=1)]


@pytest.mark.parametrize("status", ["open", "closed", "decided"])
def test_nothing_is_told_before_publication(participation, member, status):
    set_status(participation.round, status)
    assert comments(participation) is None
    assert of(participation, member).status_code == 404
    team = participation.team
    address = reverse("team", args=[team.event.slug, team.code])
    assert "feedback" not in member.get(address).content.decode()


def test_the_teams_page_leads_there(participation, member):
    set_status(participation.round, "published")
    team = participation.team
    page = member.get(reverse("team", args=[team.event.slug, team.code])).content.decode()
    assert of(participation, member).wsgi_request.path in page


def test_no_comments_is_said(participation, member):
    set_status(participation.round, "published")
    Scoresheet.objects.update(comment="")
    answer = of(participation, member)
    assert answer.status_code == 200
    assert 'class="empty"' in answer.content.decode()


def test_a_team_that_is_not_in_the_round_has_no_page(participation, client):
    set_status(participation.round, "published")
    captain = make_user()
    other = make_team(participation.round.track, captain)
    client.force_login(captain, backend="django.contrib.auth.backends.ModelBackend")
    args = [other.event.slug, participation.round.slug, other.code]
    assert client.get(reverse("team-feedback", args=args)).status_code == 404
    assert of(participation, client).status_code == 403
