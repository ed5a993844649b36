import hashlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone, translation

from contest.errors import Refused, WrongMove
from contest.models import Submission
from contest.services.submissions import quota, receive, withdraw_submission
from contest.states import ParticipationStatus, SubmissionStatus
from tests.factories import (
    make_event,
    make_participation,
    make_round,
    make_team,
    make_track,
    make_user,
)


@pytest.fixture
def captain(db):
    return make_user()


@pytest.fixture
def participation(captain):
    round = make_round(quota_per_day=2, quota_total=3, max_upload_mb=1)
    return make_participation(round, make_team(round.track, captain))


def send(participation, by, key="k1", content=b"id,label\n1,0\n", name="a.csv", **kwargs):
    return receive(
        participation=participation,
        file=ContentFile(content, name=name),
        kind=kwargs.pop("kind", "predictions"),
        by=by,
        client_key=key,
        **kwargs,
    )


def refusal(*args, **kwargs) -> Refused:
    with pytest.raises(Refused) as caught:
        send(*args, **kwargs)
    return caught.value


def test_a_file_is_kept_with_its_digest_and_numbered(participation, captain):
    first, created = send(participation, captain)
    second, _ = send(participation, captain, key="k2", content=b"other")
    assert created
    assert (first.number, second.number) == (1, 2)
    assert first.sha256 == hashlib.sha256(b"id,label\n1,0\n").hexdigest()
    assert first.file.read() == b"id,label\n1,0\n"
    assert first.status == SubmissionStatus.RECEIVED


def test_the_same_key_is_the_same_submission(participation, captain):
    first, _ = send(participation, captain)
    again, created = send(participation, captain)
    assert (again.pk, created) == (first.pk, False)
    assert Submission.objects.count() == 1


def test_a_repeat_is_answered_even_after_the_deadline(participation, captain):
    first, _ = send(participation, captain)
    round = participation.round
    round.closes_at = timezone.now() - timedelta(seconds=1)
    round.save()
    assert send(participation, captain)[0].pk == first.pk
    assert refusal(participation, captain, key="new").code == "round_not_open"


def test_only_members_submit(participation):
    assert refusal(participation, make_user()).code == "not_member"


def test_quota_of_the_day_and_in_all(participation, captain):
    now = datetime(2026, 11, 25, 10, tzinfo=UTC)  # 18:00 in Shanghai
    participation.round.opens_at = now - timedelta(days=9)
    participation.round.closes_at = now + timedelta(days=9)
    participation.round.save()
    send(participation, captain, "a", now=now)
    send(participation, captain, "b", now=now)
    error = refusal(participation, captain, "c", now=now)
    assert error.code == "quota_day"
    # The next day begins at midnight in Shanghai, and the message says so.
    assert "2026-11-26 00:00 (Asia/Shanghai)" in error.messages[0]
    midnight = datetime(2026, 11, 25, 16, tzinfo=UTC)
    assert refusal(participation, captain, "c", now=midnight - timedelta(seconds=1))
    send(participation, captain, "c", now=midnight)
    assert refusal(participation, captain, "d", now=midnight).code == "quota_total"


def test_quota_of_the_size_of_all(participation, captain):
    participation.round.quota_per_day = participation.round.quota_total = 9
    participation.round.quota_total_mb = 1
    participation.round.save()
    half = b"x" * (600 << 10)
    send(participation, captain, "a", content=half)
    error = refusal(participation, captain, "b", content=half)
    assert error.code == "quota_size"
    assert "1 MB" in error.messages[0]
    participation.submissions.get().move_to(SubmissionStatus.FAILED)
    send(participation, captain, "b", content=half)


def test_what_the_platform_failed_to_score_does_not_count(participation, captain):
    submission, _ = send(participation, captain)
    assert quota(participation).left == 1
    submission.move_to(SubmissionStatus.FAILED)
    assert quota(participation).left == 2


def test_a_day_with_a_clock_change_has_its_own_length(captain):
    # Berlin leaves summer time on 2026-10-25: the day has 25 hours and ends at 23:00 UTC.
    event = make_event(time_zone="Europe/Berlin")
    round = make_round(make_track(event))
    participation = make_participation(round, make_team(round.track, captain))
    state = quota(participation, datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert state.resets_at == datetime(2026, 10, 25, 23, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "accepted"), [(-1, True), (0, False), (1, False)])
def test_the_closing_second_is_out(participation, captain, seconds, accepted):
    now = timezone.now()
    participation.round.closes_at = now - timedelta(seconds=seconds)
    participation.round.save()
    if accepted:
        assert send(participation, captain, now=now)[1]
    else:
        with translation.override("en"):
            error = refusal(participation, captain, now=now)
        assert error.code == "round_not_open"
        assert "(Asia/Shanghai)" in error.messages[0]


def test_limits_of_the_file(participation, captain):
    assert refusal(participation, captain, content=b"").code == "empty_file"
    error = refusal(participation, captain, content=b"x" * (1024 * 1024 + 1), name="big.csv")
    assert error.code == "file_too_large"
    assert "big.csv" in error.messages[0]
    assert "1 MB" in error.messages[0]
    assert refusal(participation, captain, kind="exe").code == "wrong_kind"


def test_the_senders_file_name_takes_no_part_in_the_path(participation, captain):
    submission, _ = send(participation, captain, name="../../etc/passwd\x00.csv")
    assert submission.original_name == "passwd.csv"
    assert "passwd" not in submission.file.name
    assert ".." not in submission.file.name


def test_a_team_that_left_cannot_submit(participation, captain):
    participation.move_to(ParticipationStatus.WITHDRAWN)
    assert refusal(participation, captain).code == "not_taking_part"


def test_withdrawing_once_and_only_while_open(participation, captain):
    submission, _ = send(participation, captain)
    withdraw_submission(submission, captain)
    withdraw_submission(submission, captain)
    assert submission.status == SubmissionStatus.WITHDRAWN
    with pytest.raises(WrongMove):
        submission.move_to(SubmissionStatus.SCORED)
    other, _ = send(participation, captain, "k2")
    participation.round.move_to("closed")
    other.refresh_from_db()
    with pytest.raises(Refused):
        withdraw_submission(other, captain)


@pytest.mark.django_db(transaction=True)
def test_two_uploads_in_the_same_second_at_the_quotas_edge():
    captain = make_user()
    round = make_round(quota_per_day=1)
    participation = make_participation(round, make_team(round.track, captain))
    start, outcomes = threading.Barrier(4), []

    def upload(n):
        try:
            start.wait()
            outcomes.append(send(participation, captain, f"key-{n}")[1])
        except Refused as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=upload, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [True, "quota_day", "quota_day", "quota_day"]
    assert participation.submissions.count() == 1
