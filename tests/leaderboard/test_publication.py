"""Publication at a set time, and the notices that follow it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from contest.models import LogEntry, Membership, Round
from contest.services import rounds
from contest.services.teams import withdraw_team
from leaderboard.models import Advancement, Award, Notice
from leaderboard.services import advancement, awards, notices, promotion, publication
from leaderboard.tasks import publish_due_results
from tests.factories import make_round, make_user
from tests.leaderboard.test_advancing import ranked, ruled
from tests.leaderboard.test_standings import (
    _no_broker,  # noqa: F401
    decided,
    organizer,  # noqa: F401
    refusal,
    track,  # noqa: F401
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed(track, organizer):  # noqa: F811
    round, _final, teams = ranked(track, ["CN"] * 4)
    ruled(round, organizer, reserves=1)
    for n, team in enumerate(teams):
        captain = make_user(language="en" if n % 2 else "zh-hans")
        Membership.objects.create(team=team, user=captain, role="captain")
    return advancement.sign_off(decided(round, organizer), organizer)


def in_an_hour():
    return timezone.now() + timedelta(hours=1)


def pass_the_time(signed):
    Advancement.objects.filter(pk=signed.pk).update(
        publish_at=timezone.now() - timedelta(seconds=1)
    )


def status(signed):
    return Round.objects.get(pk=signed.round_id).status


def test_a_result_is_published_when_its_time_has_come_and_not_before(signed, organizer):  # noqa: F811
    publication.schedule(signed, organizer, in_an_hour())
    assert publication.publish_due() == 0
    pass_the_time(signed)
    assert publication.publish_due() == 1
    assert publication.publish_due() == 0
    assert status(signed) == "published"
    published = LogEntry.objects.filter(action="status", after="published").get()
    assert published.by == organizer
    rounds.unpublish_round(signed.round, organizer, "typo")
    assert publication.publish_due() == 0, "what was taken back stays back"


def test_a_time_is_cancelled_and_not_taken_when_it_makes_no_sense(signed, organizer):  # noqa: F811
    refusal("time_past", lambda: publication.schedule(signed, organizer, timezone.now()))
    publication.schedule(signed, organizer, in_an_hour())
    pass_the_time(signed)
    publication.schedule(signed, organizer, None)
    assert publication.publish_due() == 0
    assert status(signed) == "decided"
    advancement.revoke(signed, organizer, "appeal")
    refusal("not_signed", lambda: publication.schedule(signed, organizer, in_an_hour()))


def test_a_refusal_is_told_once_and_shown(signed, organizer, client, track):  # noqa: F811
    hidden = make_round(track, ordinal=3)
    signed.round.scheme.components.create(kind="metric", source=hidden, weight=1)
    publication.schedule(signed, organizer, in_an_hour())
    pass_the_time(signed)
    publish_due_results()
    publish_due_results()
    assert status(signed) == "decided"
    (told,) = mail.outbox
    assert told.to == [organizer.email]
    assert hidden.name_zh in told.body
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("desk-ranking", args=[track.event.slug, signed.round.slug]))
    assert hidden.name_zh in page.content.decode()
    publication.schedule(signed, organizer, in_an_hour())
    assert Advancement.objects.get(pk=signed.pk).publish_refusal == "", "another try"


def test_the_time_is_set_in_the_events_zone(signed, organizer, client, track):  # noqa: F811
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    names = [track.event.slug, signed.round.slug]
    client.post(
        reverse("desk-advance-act", args=names), {"action": "schedule", "at": "2099-01-01T10:00"}
    )
    signed.refresh_from_db()
    assert signed.publish_at.isoformat() == "2099-01-01T02:00:00+00:00"
    page = client.get(reverse("desk-ranking", args=names)).content.decode()
    assert "2099-01-01 10:00 (Asia/Shanghai)" in page
    client.post(reverse("desk-advance-act", args=names), {"action": "cancel"})
    signed.refresh_from_db()
    assert signed.publish_at is None


# --- Notices ---------------------------------------------------------------------------------


def publish(signed, organizer):  # noqa: F811
    rounds.publish_round(Round.objects.get(pk=signed.round_id), organizer)


def test_every_member_is_told_once_in_their_language(signed, organizer):  # noqa: F811
    assert notices.send_waiting() == 0, "nothing before publication"
    publish(signed, organizer)
    assert notices.send_waiting() == 4
    assert notices.send_waiting() == 0
    notices.prepare(signed.round)
    assert notices.send_waiting() == 0
    codes = [item.row.participation.team.code for item in signed.rows.order_by("row__position")]
    sent = {code: next(m for m in mail.outbox if code in m.body) for code in codes}
    event = signed.round.event
    assert event.name_zh in sent[codes[0]].body
    assert event.name_en in sent[codes[1]].body
    assert "advances to “" in sent[codes[1]].body
    assert event.name_zh in sent[codes[2]].body
    assert "does not advance" in sent[codes[3]].body


def test_what_changes_is_told_and_nothing_else(signed, organizer):  # noqa: F811
    publish(signed, organizer)
    notices.send_waiting()
    mail.outbox.clear()
    first, second, third, _fourth = signed.rows.order_by("row__position")
    withdraw_team(second.row.participation.team, organizer)
    promotion.promote(signed, second.pk, third.pk, organizer, "next")
    award = Award.objects.create(round=signed.round, name_en="Special", name_zh="特别奖")
    awards.give(award, first.row.participation, organizer)
    assert notices.send_waiting() == 2
    bodies = " ".join(message.body for message in mail.outbox)
    assert "特别奖" in bodies
    assert third.row.participation.team.code in bodies
    assert set(Notice.objects.values_list("corrects", flat=True)) == {True, False}


def test_a_mail_that_fails_is_sent_later(signed, organizer, monkeypatch):  # noqa: F811
    publish(signed, organizer)

    def fails(*args, **kwargs):
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(notices, "send_mail", fails)
        assert notices.send_waiting() == 0
    assert notices.send_waiting() == 0, "taken, and not given up yet"
    Notice.objects.update(taken_at=timezone.now() - notices.AGAIN_AFTER - timedelta(seconds=1))
    assert notices.send_waiting() == 4


def test_a_result_that_is_taken_back_is_told_to_nobody(signed, organizer):  # noqa: F811
    publish(signed, organizer)
    rounds.unpublish_round(Round.objects.get(pk=signed.round_id), organizer, "typo")
    assert notices.send_waiting() == 0


def test_the_desk_shows_what_will_be_said(signed, organizer, client, track):  # noqa: F811
    client.force_login(organizer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(
        reverse("desk-notices", args=[track.event.slug, signed.round.slug]),
        headers={"Accept-Language": "en"},
    ).content.decode()
    assert "advances to “" in page
    assert "reserve number 1" in page
    assert not Notice.objects.exists()
