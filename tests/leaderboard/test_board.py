"""The public leaderboard and the desk's ranking page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contest.services import rounds
from leaderboard.models import Award
from leaderboard.services import advancement, awards, standings
from tests.factories import make_event, make_judge, make_team, make_track, make_user, set_status
from tests.leaderboard.test_standings import _no_broker, automated, roadshow  # noqa: F401

pytestmark = pytest.mark.django_db


def board_of(round, **query):
    return reverse("leaderboard", args=[round.event.slug, round.slug]), query


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def live(organizer):
    """An open automated round with a live board of three teams in two countries."""
    track = make_track(make_event(organizer))
    round = automated(track, [40, 30, 20])
    last = round.participations.last().team
    last.country, last.name_en, last.name_zh = "KE", "Lake Turkana", "图尔卡纳湖"
    last.save()
    standings.refresh(round)
    return round


def page(client, round, **query):
    return client.get(*board_of(round, **query))


def test_everybody_sees_ranks_and_public_scores(client, live):
    text = page(client, live).content.decode()
    assert "图尔卡纳湖" in text
    assert text.index("100.00") < text.index("图尔卡纳湖")
    assert 'id="picture"' in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "图尔卡纳"}, 1),
        ({"q": "turkana"}, 1),
        ({"country": "KE"}, 1),
        ({"country": "CN"}, 2),
        ({"q": "nobody at all"}, 0),
        ({"track": "no-such-track"}, 0),
        ({"page": "nonsense"}, 3),
        ({"q": "长" * 300}, 0),
    ],
)
def test_search_and_filters(client, live, query, found):
    answer = page(client, live, **query)
    assert answer.status_code == 200
    assert answer.content.decode().count('class="num rank"') == found


def test_long_chinese_searches_do_not_share_a_page(client, live):
    """Cache keys must not be cut off: two long searches that begin alike are two pages."""
    start = "字" * 80
    assert "图尔卡纳湖" not in page(client, live, q=start + "一").content.decode()
    assert page(client, live, q=start + "一")["ETag"] != page(client, live, q=start + "二")["ETag"]


def test_the_browser_is_told_when_it_has_the_newest(client, live):
    first = page(client, live)
    again = client.get(*board_of(live), headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    rounds.close_round(live, make_user())
    changed = client.get(*board_of(live), headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200


def test_a_page_costs_the_same_however_many_teams(client, live):
    from tests.leaderboard.test_standings import make_participation, submit

    submit(make_participation(live, make_team(live.track, make_user())), 5)
    standings.refresh(live)
    page(client, live)
    with CaptureQueriesContext(connection) as few:
        client.get(*board_of(live, q="a"))
    for n in range(12):
        submit(make_participation(live, make_team(live.track, make_user())), n)
    standings.refresh(live)
    page(client, live)  # as before: what is kept for a second was asked for just now
    with CaptureQueriesContext(connection) as many:
        client.get(*board_of(live, q="a"))
    assert len(many) <= len(few)


def test_the_own_team_is_marked(client, live):
    member = live.participations.first().team.memberships.get().user
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    assert page(client, live).content.decode().count('class="mine"') == 1


def judged(organizer):
    track = make_track(make_event(organizer))
    teams = [make_team(track) for _ in range(2)]
    return roadshow(track, teams, [make_judge(track.event)], [[9.5], [4]], board="live", advance=0)


def test_a_roadshow_shows_nothing_before_it_is_published_and_prizes_after(client, organizer):
    round = judged(organizer)
    award = Award.objects.create(round=round, name_zh="一等奖", first_rank=1, last_rank=1)
    standings.refresh(round)
    before = page(client, round).content.decode()
    assert "95.00" not in before
    assert 'class="num rank"' not in before
    rounds.close_round(round, organizer)
    advancement.sign_off(advancement.propose(round, organizer), organizer)
    awards.allocate(round, organizer)
    assert award.winners.count() == 1
    signed = page(client, round).content.decode()
    assert "95.00" not in signed
    assert "一等奖" not in signed
    rounds.publish_round(round, organizer)
    standings.refresh(round)
    after = page(client, round).content.decode()
    assert "95.00" in after
    assert "一等奖" in after


def test_a_round_in_preparation_and_a_draft_event_are_not_there(client, live):
    set_status(live, "draft")
    assert page(client, live).status_code == 404
    set_status(live, "open")
    set_status(live.event, "draft")
    assert page(client, live).status_code == 404


def test_a_board_that_is_shown_after_publication_only(client, live):
    live.board = "after"
    live.save()
    assert 'class="num rank"' not in page(client, live).content.decode()


def test_the_desk_shows_how_each_total_came_about(client, organizer):
    round = judged(organizer)
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("desk-ranking", args=[round.event.slug, round.slug])
    text = client.get(address).content.decode()
    assert "95.00" in text
    assert text.index(round.participations.first().team.code) > 0
    act = reverse("desk-decide", args=[round.event.slug, round.slug])
    assert client.post(act, {"action": "nonsense"}).status_code == 409
    client.post(act, {"action": "propose"}, follow=True)
    assert advancement.in_force(round) is None, "the round is still open"
    rounds.close_round(round, organizer)
    for action, status in (
        ("propose", "closed"),
        ("sign_off", "decided"),
        ("publish", "published"),
    ):
        client.post(act, {"action": action})
        round.refresh_from_db()
        assert round.status == status
    client.post(act, {"action": "unpublish", "reason": ""})
    round.refresh_from_db()
    assert round.status == "published"
    client.post(act, {"action": "unpublish", "reason": "a name was wrong"})
    client.post(act, {"action": "revoke", "reason": "a name was wrong"})
    round.refresh_from_db()
    assert round.status == "closed"


def test_the_scheme_is_changed_at_the_desk(client, organizer):
    round = judged(organizer)
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("desk-scheme", args=[round.event.slug, round.slug])
    assert client.get(address).status_code == 200
    form = {
        "advance_count": "1", "decimals": "3", "tie_break_1": "judges",
        "components-TOTAL_FORMS": "1", "components-INITIAL_FORMS": "0",
        "components-MIN_NUM_FORMS": "1", "components-MAX_NUM_FORMS": "10",
        "components-0-kind": "judges", "components-0-source": str(round.pk),
        "components-0-weight": "100", "components-0-aggregation": "mean",
        "components-0-worst": "0", "components-0-best": "1",
    }  # fmt: skip
    refused = client.post(address, form)
    assert refused.status_code == 200, "a change needs a reason once there are scores"
    tried = client.post(address, form | {"action": "try"})
    assert tried.context["moves"] is not None
    round.scheme.refresh_from_db()
    assert round.scheme.decimals == 2, "trying changes nothing"
    assert client.post(address, form | {"reason": "as announced"}).status_code == 302
    round.scheme.refresh_from_db()
    assert (round.scheme.advance_count, round.scheme.decimals) == (1, 3)
    assert round.scheme.tie_breaks == ["judges"]
    assert round.scheme.components.get().aggregation == "mean"
    foreign = automated(make_track(round.event), [])
    bad = client.post(address, form | {"components-0-source": str(foreign.pk)})
    assert bad.status_code == 200
    assert 'class="errors"' in bad.content.decode()
