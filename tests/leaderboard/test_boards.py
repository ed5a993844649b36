"""Leaderboards for everybody: the same answer for all, pages, frames, JSON, ranks over time."""

import gzip
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contest.models import Participation
from contest.services import rounds
from contest.services.teams import disqualify_team
from judging.models import ScoringRun
from leaderboard.models import Advancement, AdvancementRow, Reveal, Standing
from leaderboard.services import advancement, boards, retention, standings
from tests.factories import (
    make_event,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
    set_status,
)
from tests.leaderboard.test_standings import _no_broker, automated, submit  # noqa: F401

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def organizer():
    return make_user()


@pytest.fixture
def live(organizer):
    round = automated(make_track(make_event(organizer)), [40, 30, 20])
    standings.refresh(round)
    return round


def address(name, round, *more):
    return reverse(name, args=[round.event.slug, round.slug, *more])


def large(organizer, count: int):
    """A round with a public standing of so many teams, without a single submission."""
    round = make_round(make_track(make_event(organizer)))
    for n in range(count):
        team = make_team(round.track, country="KE" if n % 10 == 0 else "CN")
        make_participation(round, team)
    standing = Standing.objects.create(
        round=round, audience="public", shown_to="all",
        method={"components": [{"name": "m", "kind": "metric", "source_zh": "", "source_en": "P",
                                "weight": "1"}]},
    )  # fmt: skip
    for n, participation in enumerate(round.participations.order_by("pk"), start=1):
        standing.rows.create(
            participation=participation, rank=n, position=n, total=100 - n / 10,
            explanation={"components": [{"scaled": "50", "weight": "1"}]},
        )  # fmt: skip
    return round, standing


# --- The same for everybody ----------------------------------------------------------------------


def test_the_table_is_the_same_for_everybody_and_asks_for_no_cookie(client, live):
    path = address("leaderboard-table", live)
    anonymous = client.get(path)
    assert anonymous.status_code == 200
    client.force_login(live.participations.first().team.memberships.get().user, backend=BACKEND)
    own = client.get(path)
    assert own.content == anonymous.content
    assert own["ETag"] == anonymous["ETag"]
    for answer in (anonymous, own):
        assert not answer.cookies
        assert answer["Vary"] == "Accept-Encoding"
        assert "public" in answer["Cache-Control"]
        assert "must-revalidate" in answer["Cache-Control"]
    assert b"csrf" not in anonymous.content.lower()


def test_pages_of_readers_are_not_for_shared_caches(client, live):
    answer = client.get(address("leaderboard", live))
    assert "private" in answer["Cache-Control"]
    assert answer["ETag"].startswith("W/")


def test_what_a_reader_has_is_not_sent_again_and_touches_no_row(client, live):
    path = address("leaderboard-table", live)
    first = client.get(path)
    with CaptureQueriesContext(connection) as asked:
        again = client.get(path, headers={"If-None-Match": f'"other", W/{first["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert len(asked) == 2
    assert not any("standingrow" in query["sql"] for query in asked)
    # A date is not enough: two tables may have been made within one second.
    by_date = client.get(path, headers={"If-Modified-Since": first["Last-Modified"]})
    assert by_date.status_code == 200


def test_a_thousand_readers_ask_the_database_once_a_second(client, live, monkeypatch):
    monkeypatch.setattr("leaderboard.services.boards.KEPT_S", 60)
    monkeypatch.setattr("leaderboard.services.boards._kept", {})
    path = address("leaderboard-table", live)
    first = client.get(path)
    with CaptureQueriesContext(connection) as asked:
        for _n in range(20):
            assert client.get(path).content == first.content
            client.get(path, headers={"If-None-Match": first["ETag"]})
    assert len(asked) == 0


def test_zipped_and_plain_are_two_representations_of_one_table(client, live):
    path = address("leaderboard-table", live)
    plain = client.get(path)
    zipped = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert zipped["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.content) == plain.content
    assert zipped["ETag"] != plain["ETag"]
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused


def test_a_change_is_seen_at_once(client, live):
    path = address("leaderboard-table", live)
    first = client.get(path)
    submit(live.participations.last(), 50)
    standings.refresh(live)
    changed = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_languages_have_addresses_of_their_own(client, live):
    path = address("leaderboard-table", live)
    english = client.get(path, {"lang": "en"}, headers={"Accept-Language": "zh-hans"})
    assert "Team" in english.content.decode()
    chinese = client.get(path, {"lang": "zh-hans"}, headers={"Accept-Language": "en"})
    assert "队伍" in chinese.content.decode()
    assert client.get(path, {"lang": "xx"}).status_code == 400


@pytest.mark.parametrize("name", ["leaderboard-table", "leaderboard-embed"])
def test_nothing_of_what_is_hidden(client, live, name):
    path = address(name, live)
    code = live.participations.first().team.name_zh
    query = {"lang": "zh-hans"}
    assert code in client.get(path, query).content.decode()
    for field, value in (("board", "after"), ("board", "teams")):
        setattr(live, field, value)
        live.save()
        hidden = client.get(path, query)
        assert hidden.status_code == 200
        assert code not in hidden.content.decode()
    live.board = "live"
    live.save()
    set_status(live, "draft")
    assert client.get(path, query).status_code == 404
    set_status(live, "open")
    set_status(live.event, "draft")
    answer = client.get(path, query)
    assert answer.status_code == 404
    assert answer["Cache-Control"] == "no-store"
    assert client.post(path).status_code in (403, 405)


def test_a_retracted_result_is_gone_from_what_caches_may_keep(client, live, organizer):
    rounds.close_round(live, organizer)
    advancement.sign_off(advancement.propose(live, organizer), organizer)
    live.refresh_from_db()
    live.board = "after"
    live.save()
    rounds.publish_round(live, organizer)
    standings.refresh(live)
    path = address("leaderboard-table", live)
    shown = client.get(path)
    assert b'class="num rank"' in shown.content
    live.refresh_from_db()
    rounds.unpublish_round(live, organizer, "a mistake")
    for headers in (
        {"If-None-Match": shown["ETag"]},
        {"If-Modified-Since": shown["Last-Modified"]},
    ):
        gone = client.get(path, headers=headers)
        assert gone.status_code == 200
        assert b'class="num rank"' not in gone.content


# --- Pages ---------------------------------------------------------------------------------------


def test_pages_are_ranges_of_numbers(client, organizer, monkeypatch):
    monkeypatch.setattr(boards, "PAGE", 10)
    _round, standing = large(organizer, 35)
    seen = []
    for number in range(1, 5):
        page = boards.page(standing, boards.Query(page=number))
        assert (page.number, page.pages, page.count) == (number, 4, 35)
        seen += [row["position"] for row in page.rows]
    assert seen == list(range(1, 36))
    assert boards.page(standing, boards.Query(page=99)).number == 4
    assert boards.Query.of({"page": "-1"}).page == boards.Query.of({"page": "x"}).page == 1
    with CaptureQueriesContext(connection) as asked:
        boards.page(standing, boards.Query(page=4))
    text = " ".join(query["sql"] for query in asked)
    assert "OFFSET" not in text
    assert "COUNT" not in text
    narrowed = boards.Query(country="KE")
    assert [row["rank"] for row in boards.page(standing, narrowed).rows] == [1, 11, 21, 31]
    assert boards.page(standing, boards.Query(country="KE", page=2)).number == 1


def test_a_search_keeps_ranks_and_leads_to_the_place_among_all(client, organizer, monkeypatch):
    monkeypatch.setattr(boards, "PAGE", 10)
    round, standing = large(organizer, 25)
    team = standing.rows.get(position=23).participation.team
    text = client.get(address("leaderboard", round), {"q": team.code}).content.decode()
    assert text.count('class="num rank"') == 1
    assert f'href="?page=3#t-{team.pk}"' in text
    there = client.get(address("leaderboard", round), {"page": 3}).content.decode()
    assert f'id="t-{team.pk}"' in there


def test_a_search_that_finds_too_many_says_so(client, organizer, monkeypatch):
    monkeypatch.setattr(boards, "SEARCH_MOST", 5)
    _round, standing = large(organizer, 8)
    page = boards.page(standing, boards.Query(q="University"))
    assert (page.count, page.is_cut) == (5, True)
    assert not boards.page(standing, boards.Query(country="CN")).is_cut


def test_members_are_told_where_their_team_is(client, organizer, monkeypatch):
    monkeypatch.setattr(boards, "PAGE", 10)
    round, standing = large(organizer, 25)
    team = standing.rows.get(position=15).participation.team
    member = make_user()
    team.memberships.create(user=member, role="captain")
    client.force_login(member, backend=BACKEND)
    text = client.get(address("leaderboard", round)).content.decode()
    assert f"?page=2#t-{team.pk}" in text
    assert 'class="mine"' not in text
    assert client.get(address("leaderboard", round), {"page": 2}).content.decode().count(
        'class="mine"'
    ) == 1  # fmt: skip


# --- For teams alone -----------------------------------------------------------------------------


def test_a_board_for_teams_is_for_teams_that_take_part(client, live, organizer):
    live.board = "teams"
    live.save()
    first, second, _third = live.participations.order_by("pk")
    stranger = make_user()
    make_team(live.track, stranger)

    def sees(user) -> tuple[bool, ...]:
        client.logout()
        if user is not None:
            client.force_login(user, backend=BACKEND)
        page = client.get(address("leaderboard", live)).content.decode()
        fetched = client.get(address("leaderboard", live), headers={"HX-Request": "true"})
        team = client.get(address("leaderboard-team", live, first.team.code)).status_code == 200
        listed = client.get("/api/v1/standings/", {"round": live.pk, "audience": "public"}).json()
        return (
            'class="num rank"' in page,
            b'class="num rank"' in fetched.content,
            team,
            listed["count"] == 1,
        )

    assert sees(None) == (False,) * 4
    assert sees(stranger) == (False,) * 4
    assert sees(first.team.memberships.get().user) == (True,) * 4
    assert sees(organizer) == (True,) * 4
    disqualify_team(second.team, organizer, "two teams are one")
    assert sees(second.team.memberships.get().user) == (False,) * 4
    assert standings.public_standing(live) is None
    for name in ("leaderboard-table", "leaderboard-embed"):
        assert first.team.name_zh not in client.get(address(name, live)).content.decode()
    assert client.get(reverse("api-board-detail", args=[live.pk])).status_code == 404


# --- On other sites ------------------------------------------------------------------------------


def test_any_site_may_frame_the_small_page_and_no_other(client, live):
    framed = client.get(address("leaderboard-embed", live), {"top": 2, "lang": "en"})
    assert "frame-ancestors *" in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    assert not framed.cookies
    text = framed.content.decode()
    assert "<form" not in text
    assert text.count("<tr>") == 3
    for name in ("leaderboard", "leaderboard-table"):
        page = client.get(address(name, live))
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
    assert "&lt;iframe src=&quot;" in client.get(address("leaderboard", live)).content.decode() or (
        "&lt;iframe" in client.get(address("leaderboard", live)).content.decode()
    )


@pytest.mark.parametrize(
    "query", [{"top": "0"}, {"top": "51"}, {"top": "x"}, {"theme": "<script>"}, {"lang": "xx"}]
)
def test_what_a_frame_may_ask_for_is_checked(client, live, query):
    answer = client.get(address("leaderboard-embed", live), query)
    assert answer.status_code == 400
    assert b"<script>" not in answer.content


def test_programs_of_other_sites_read_public_boards(client, live):
    path = reverse("api-board-detail", args=[live.pk])
    answer = client.get(path, {"page_size": 2})
    data = answer.json()
    assert [row["rank"] for row in data["rows"]] == [1, 2]
    assert (data["count"], data["pages"], data["is_result"]) == (3, 2, False)
    assert client.get(path, {"page_size": 2, "page": 2}).json()["rows"][0]["rank"] == 3
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    assert not answer.cookies
    again = client.get(path, {"page_size": 2}, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert again["Access-Control-Allow-Origin"] == "*"
    assert client.options(path)["Access-Control-Allow-Headers"] == "If-None-Match"
    for wrong in ({"page": "0"}, {"page_size": "1001"}, {"page": "x"}, {"page": "9" * 30}):
        refused = client.get(path, wrong)
        assert refused.status_code == 400
        assert b"1000" in b"".join(refused), "as a web server reads it"
    live.board = "after"
    live.save()
    for hidden in (client.get(path), client.options(path)):
        assert hidden.status_code == 404
        assert b"detail" in b"".join(hidden)
        assert "Access-Control-Allow-Origin" not in hidden
    assert "Access-Control-Allow-Origin" not in client.get("/api/v1/standings/")


# --- Ranks over time -----------------------------------------------------------------------------


def move(round, rights):
    """Other scores of the teams, and the standing that follows."""
    for participation, right in zip(round.participations.order_by("pk"), rights, strict=True):
        ScoringRun.objects.filter(submission__participation=participation).update(
            public_score=right / 100, private_score=right / 100
        )
    standings.refresh(round)


def public(round):
    return standings.public_standing(round)


def ranks(round):
    standing = public(round)
    return [team["ranks"] for team in boards.history(round, standing)["teams"]]


def test_ranks_over_time_of_the_first_teams_and_of_one(client, live):
    move(live, [40, 30, 50])
    assert ranks(live) == [[3, 1], [1, 2], [2, 3]]
    team = live.participations.order_by("pk").last().team
    text = client.get(address("leaderboard-team", live, team.code)).content.decode()
    assert 'data-ranks="line"' in text
    assert 'data-ranks="history"' in client.get(address("leaderboard", live)).content.decode()
    assert client.get(address("leaderboard-team", live, "no-such")).status_code == 404


def test_history_shows_nothing_that_was_computed_behind_a_closed_board(live):
    for board in ("after", "teams"):
        live.board = board
        live.save()
        # The first of these takes the place of one that was public, and so stays in the history.
        move(live, [50, 40, 30] if board == "after" else [30, 50, 40])
    live.board = "live"
    live.save()
    move(live, [60, 60, 60])
    shown = {moment.standing for moment in boards.moments(live, public(live))}
    kept = Standing.objects.filter(round=live, audience="public").order_by("pk")
    assert [standing.shown_to for standing in kept] == ["all", "teams", "all", "all"]
    assert shown == {kept[0].pk, kept[2].pk, kept[3].pk}, (
        "the third was current when the board opened"
    )


def test_a_history_for_teams_is_not_for_everybody_later(live):
    live.board = "teams"
    live.save()
    move(live, [50, 40, 30])
    move(live, [30, 50, 40])
    assert len(boards.moments(live, standings.current(live, "public"))) == 3
    live.board = "live"
    live.save()
    assert len(boards.moments(live, public(live))) == 2


def test_a_frozen_board_has_no_history_after_the_freeze(live):
    move(live, [40, 30, 50])
    live.freeze_at = timezone.now()
    live.save()
    submit(live.participations.order_by("pk")[0], 39)
    standings.refresh(live)
    times = boards.moments(live, public(live))
    assert all(moment.at <= live.freeze_at for moment in times)
    assert ranks(live)[0][-1] == 1
    assert max(row.total for row in public(live).rows.all()) == 50


def test_a_result_that_was_taken_back_is_not_in_the_history(live, organizer):
    rounds.close_round(live, organizer)
    advancement.sign_off(advancement.propose(live, organizer), organizer)
    for _n in range(2):
        live.refresh_from_db()
        rounds.publish_round(live, organizer)
        standings.refresh(live)
        live.refresh_from_db()
        rounds.unpublish_round(live, organizer, "a mistake")
        standings.refresh(live)
    live.refresh_from_db()
    results = set(Standing.objects.filter(round=live, is_result=True).values_list("pk", flat=True))
    assert results
    assert not results & {m.standing for m in boards.moments(live, public(live))}
    rounds.publish_round(live, organizer)
    standings.refresh(live)
    live.refresh_from_db()
    last = public(live)
    shown = {moment.standing for moment in boards.moments(live, last)}
    assert shown & (results | {last.pk}) == {last.pk}


@pytest.mark.parametrize(("count", "most"), [(1, 5), (5, 5), (6, 5), (1000, 30)])
def test_thinned_moments_keep_both_ends(count, most):
    start = timezone.now()
    times = [start + timedelta(seconds=n * n) for n in range(count)]
    kept = boards.thin(times, most)
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, count - 1)
    assert len(kept) <= most + 1


# --- What is kept --------------------------------------------------------------------------------


def test_what_is_kept_thins_with_age():
    now = timezone.now()
    ages = [timedelta(seconds=20 * n) for n in range(3 * 60 * 24 * 10)]  # ten days, every 20 s
    kept = [retention.Kept(n, now - age) for n, age in enumerate(ages)]
    gone = set(retention.superfluous(kept, now))
    left = [n for n in range(len(ages)) if n not in gone]
    assert left[:10] == list(range(10))
    assert len(left) < 10 + 60 + 6 * 24 + 24 * 7 + 10 + 5
    assert retention.superfluous([kept[n] for n in left], now) == [], "done once, it is done"
    hours = {int(ages[n].total_seconds() // 3600) for n in left}
    assert set(range(24 * 6)) <= hours


def test_what_anything_refers_to_is_never_removed(live, organizer):
    made = []
    for n in range(8):
        old = Standing.objects.create(round=live, audience="full", is_current=False)
        row = old.rows.create(participation=live.participations.first(), position=1, rank=1)
        long_ago = timezone.now() - timedelta(days=30, minutes=n)
        Standing.objects.filter(pk=old.pk).update(computed_at=long_ago)
        made.append(SimpleNamespace(standing=old, row=row))
    # Younger ones, so that age alone would keep none of these but the last of the day.
    for _n in range(retention.NEWEST):
        Standing.objects.create(round=live, audience="full", is_current=False)
    decided = Advancement.objects.create(round=live, standing=made[1].standing, status="revoked")
    AdvancementRow.objects.create(advancement=decided, row=made[2].row, outcome="in")
    Reveal.objects.create(round=live, standing=made[3].standing, sheets_standing=made[4].standing)
    Standing.objects.filter(pk=made[5].standing.pk).update(is_result=True)
    assert retention.thin_out() == 2
    left = set(Standing.objects.values_list("pk", flat=True))
    assert {n for n, one in enumerate(made) if one.standing.pk not in left} == {6, 7}
    assert standings.current(live, "full") is not None
    assert retention.thin_out() == 0


def test_positions_have_no_gaps(live, organizer):
    disqualify_team(live.participations.order_by("pk")[1].team, organizer, "a reason")
    standings.refresh(live)
    for audience in ("public", "full"):
        rows = standings.current(live, audience).rows.values_list("position", flat=True)
        assert list(rows) == list(range(1, len(rows) + 1))
    assert Participation.objects.filter(round=live, status="disqualified").exists()


def test_json_of_a_board_is_what_the_api_says_it_is(client, live):
    from leaderboard.api.serializers import BoardSerializer

    data = json.loads(client.get(reverse("api-board-detail", args=[live.pk])).content)
    assert set(data) == set(BoardSerializer().fields)
    assert set(data["rows"][0]) == set(BoardSerializer().fields["rows"].child.fields)
