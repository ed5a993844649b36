"""The archive of results and certificates."""

import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from contest.models import Membership, Round
from contest.services import rounds
from contest.services.teams import disqualify_team
from leaderboard.certificates import pdf
from leaderboard.models import Award
from leaderboard.services import advancement, awards, certificates, standings
from tests.factories import make_user
from tests.leaderboard.test_advancing import ranked, ruled
from tests.leaderboard.test_standings import (
    _no_broker,  # noqa: F401
    decided,
    organizer,  # noqa: F401
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db
ENGLISH = {"Accept-Language": "en"}


def finished(track, organizer, teams=4):  # noqa: F811
    """A published round with a prize; (round, teams, captain of the first)."""
    round, _final, teams = ranked(track, ["CN"] * teams)
    captain = make_user(name="Li Hua")
    Membership.objects.create(team=teams[0], user=captain, role="captain")
    ruled(round, organizer, reserves=1)
    award = Award.objects.create(
        round=round, name_en="Special prize", name_zh="特别奖", first_rank=1, last_rank=1
    )
    advancement.sign_off(decided(round, organizer), organizer)
    awards.allocate(round, organizer)
    rounds.publish_round(Round.objects.get(pk=round.pk), organizer)
    standings.refresh(round)
    return Round.objects.get(pk=round.pk), award, teams, captain


def page(client, name, round, *more):
    return client.get(reverse(name, args=[round.event.slug, round.slug, *more]), headers=ENGLISH)


def test_the_archive_shows_what_is_published_and_nothing_else(track, organizer, client):  # noqa: F811
    round, _award, teams, _captain = finished(track, organizer)
    answer = page(client, "round-results", round)
    text = answer.content.decode()
    for wanted in ("Special prize", teams[3].code, "The best 2 advance.", "reserve 1", "head"):
        assert wanted in text
    assert text.count("badge-ok") == 2
    listed = client.get(reverse("event-results", args=[round.event.slug])).content.decode()
    assert reverse("round-results", args=[round.event.slug, round.slug]) in listed
    given = page(client, "round-results-file", round, "json").json()
    assert [row["outcome"] for row in given["results"]] == ["in", "in", "reserve", "out"]
    assert page(client, "round-results-file", round, "csv").content.startswith(b"\xef\xbb\xbfrank")
    assert page(client, "round-results-file", round, "xlsx").status_code == 404
    rounds.unpublish_round(round, organizer, "appeal")
    text = page(client, "round-results", round).content.decode()
    assert "has not been published yet" in text
    assert teams[0].code not in text
    assert page(client, "round-results-file", round, "json").status_code == 404
    listed = client.get(reverse("event-results", args=[round.event.slug]), headers=ENGLISH)
    assert "No result has been published yet." in listed.content.decode()


def test_the_archive_asks_no_more_for_more_teams(track, organizer, client):  # noqa: F811
    counts = []
    for size in (3, 8):
        round, *_ = finished(track if size == 3 else _another(track), organizer, size)
        page(client, "round-results", round)
        with CaptureQueriesContext(connection) as asked:
            assert page(client, "round-results", round).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def _another(track):  # noqa: F811
    from tests.factories import make_track

    return make_track(track.event)


# --- Certificates ----------------------------------------------------------------------------


def test_who_won_or_advanced_has_a_certificate_in_both_languages(track, organizer, client):  # noqa: F811
    round, award, teams, captain = finished(track, organizer)
    found = certificates.certificates(round)
    assert [(c.participation.team, c.award) for c in found] == [
        (teams[0], award), (teams[0], None), (teams[1], None),
    ]  # fmt: skip
    pages = PdfReader(io.BytesIO(pdf(found))).pages
    assert len(pages) == 3
    said = pages[0].extract_text()
    for wanted in (
        round.event.name_zh, round.event.name_en, "特别奖", "Special prize", "Li Hua",
        teams[0].name_zh, organizer.name, "(Asia/Shanghai)",
    ):  # fmt: skip
        assert wanted in said, wanted
    client.force_login(captain, backend="django.contrib.auth.backends.ModelBackend")
    mine = client.get(
        reverse("team-certificates", args=[round.event.slug, teams[0].code, round.slug])
    )
    assert len(PdfReader(io.BytesIO(mine.content)).pages) == 2
    offered = reverse("team-certificates", args=[round.event.slug, teams[0].code, round.slug])
    assert offered in page(client, "round-results", round).content.decode()
    other = reverse("team-certificates", args=[round.event.slug, teams[1].code, round.slug])
    assert client.get(other).status_code == 403
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    whole = page(client, "desk-certificates", round)
    assert len(PdfReader(io.BytesIO(whole.content)).pages) == 3
    none = reverse("team-certificates", args=[round.event.slug, teams[3].code, round.slug])
    assert client.get(none).status_code == 404


def verified(client, code):
    answer = client.get(reverse("verify", args=[code]), headers=ENGLISH)
    return answer.status_code, answer.content.decode()


def test_a_code_says_what_is_true_now(track, organizer, client):  # noqa: F811
    round, award, teams, _captain = finished(track, organizer)
    prize, place, _second = certificates.certificates(round)
    status, text = verified(client, prize.code)
    assert (status, ">valid<" in text, "Special prize" in text, "Li Hua" in text) == (
        200, True, True, True,
    )  # fmt: skip
    awards.take_back(award.winners.get(), organizer)
    status, text = verified(client, prize.code)
    assert (">no longer valid<" in text, "Special prize" in text, "Li Hua" in text) == (
        True,
        True,
        False,
    )
    assert ">valid<" in verified(client, place.code)[1]
    disqualify_team(teams[0], organizer, "cheated")
    assert ">no longer valid<" in verified(client, place.code)[1]
    awards.delete_award(award, organizer)
    text = verified(client, prize.code)[1]
    assert "not in force" in text
    assert teams[0].code not in text


def test_a_code_that_nobody_gave_out_says_nothing(track, organizer, client):  # noqa: F811
    round, award, _teams, _captain = finished(track, organizer)
    prize = certificates.certificates(round)[0]
    forged = prize.code.replace("-", "1-", 1)
    for code in (forged, prize.code[:-1], "1-0", "x", "." * 50):
        status, text = verified(client, code)
        assert status == 404
        assert award.name_en not in text
    rounds.unpublish_round(round, organizer, "appeal")
    status, text = verified(client, prize.code)
    assert (status, "Special prize" in text) == (200, False)


def test_the_code_on_paper_is_the_address_of_its_page(track, organizer, settings):  # noqa: F811
    settings.SITE_URL = "https://example.org"
    round, *_ = finished(track, organizer)
    prize = certificates.certificates(round)[0]
    assert prize.url == f"https://example.org/verify/{prize.code}/"
    assert json.dumps(prize.code).isascii()
