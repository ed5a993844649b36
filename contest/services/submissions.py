"""Submissions: taking a team's file in, within deadline, size and quota, once per request."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Membership, Participation, Round, Submission, User
from contest.signals import (
    ranking_inputs_changed,
    submission_offered,
    submission_received,
    submission_withdrawn,
)
from contest.states import EventStatus, ParticipationStatus, RoundStatus, SubmissionStatus
from contest.templatetags.wuzhen import event_time
from contest.uploads import UploadTooLarge, safe_name, sha256_of

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Quota:
    """How many submissions a team has made and may still make."""

    used_today: int
    per_day: int
    used_total: int
    total: int
    resets_at: datetime  # the next midnight of the event's zone
    used_bytes: int = 0
    total_bytes: int = 0  # 0: no limit

    @property
    def left(self) -> int:
        return max(0, min(self.per_day - self.used_today, self.total - self.used_total))


def quota(participation: Participation, now: datetime | None = None) -> Quota:
    """The team's quota at ``now``. What the platform failed to score does not count."""
    round = participation.round
    local = timezone.localtime(now or timezone.now(), round.event.tzinfo)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    counted = participation.submissions.exclude(status=SubmissionStatus.FAILED)
    # Wall-clock arithmetic on an aware local time: right on days of 23 or 25 hours, too.
    tomorrow = midnight + timedelta(days=1)
    return Quota(
        used_today=counted.filter(received_at__gte=midnight, received_at__lt=tomorrow).count(),
        per_day=round.quota_per_day,
        used_total=counted.count(),
        total=round.quota_total,
        resets_at=tomorrow,
        used_bytes=counted.aggregate(sum=Sum("size"))["sum"] or 0,
        total_bytes=round.quota_total_mb * MEGABYTE,
    )


def receive(
    *,
    participation: Participation,
    file,
    kind: str,
    by: User,
    client_key: str,
    note: str = "",
    now: datetime | None = None,
) -> tuple[Submission, bool]:
    """Store a team's file and hand it on for scoring; returns it and whether it is new.

    ``client_key`` names the request: sent twice, it gives the first submission again, even when
    the deadline or the quota has been reached since. Raises Refused (codes: not_member,
    round_not_open, not_taking_part, wrong_kind, empty_file, file_too_large, quota_day,
    quota_total, quota_size).
    """
    now = now or timezone.now()
    round = participation.round
    if not Membership.objects.filter(team=participation.team_id, user=by).exists():
        raise Refused(_("Only members of the team can submit."), code="not_member")
    if not 1 <= len(client_key) <= 64:
        raise Refused(
            _("The key of the request must have 1 to 64 characters."), code="bad_client_key"
        )
    if kind not in Submission.Kind.values:
        raise Refused(
            _("Unknown kind of submission: %(kind)s."), code="wrong_kind", params={"kind": kind}
        )
    # Read the file before the lock is taken: a slow disk must not hold up other uploads.
    too_large = file.size > round.max_upload_bytes
    digest = "" if too_large else sha256_of(file)

    with transaction.atomic():
        participation = (
            Participation.objects.select_for_update(of=("self",))
            .select_related("round__event", "team")
            .get(pk=participation.pk)
        )
        round = participation.round
        if earlier := participation.submissions.filter(client_key=client_key).first():
            return earlier, False
        if participation.status != ParticipationStatus.ACTIVE:
            raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
        if not round.accepts_at(now):
            raise _not_open(round, now)
        if round.format != Round.Format.AUTOMATED:
            raise Refused(
                _("“%(round)s” is scored by judges and takes no files."),
                code="round_not_open",
                params={"round": round.name},
            )
        if round.event.status != EventStatus.PUBLISHED:
            raise Refused(_("The event takes no submissions now."), code="round_not_open")
        submission_offered.send(sender=Submission, round=round, kind=kind)
        require_size(file, round)
        _require_quota(participation, now, file.size)
        submission = store(
            participation, file, kind=kind, by=by, client_key=client_key, digest=digest, now=now,
            note=note,
        )  # fmt: skip
    return submission, True


def require_size(file, round: Round) -> None:
    """Raise Refused for a file that is empty or larger than the round takes."""
    name = safe_name(file.name)
    if file.size > round.max_upload_bytes:
        raise UploadTooLarge(round.max_upload_bytes, name)
    if file.size == 0:
        raise Refused(_("%(file)s: the file is empty."), code="empty_file", params={"file": name})


def store(
    participation: Participation,
    file,
    *,
    kind: str,
    by: User,
    client_key: str,
    digest: str,
    now: datetime,
    note: str = "",
) -> Submission:
    """Keep a file that was found in order, and hand it on; within the caller's transaction."""
    last = participation.submissions.order_by("-number").values_list("number", flat=True).first()
    name = safe_name(file.name)
    submission = Submission(
        participation=participation,
        number=(last or 0) + 1,
        kind=kind,
        original_name=name,
        size=file.size,
        sha256=digest,
        note=note[:300],
        client_key=client_key,
        submitted_by=by,
        received_at=now,
    )
    submission.file.save(name, file, save=False)
    submission.save()
    submission_received.send(sender=Submission, submission=submission)
    return submission


def _not_open(round, now: datetime) -> Refused:
    if (round.closes_at and round.closes_at <= now) or round.status in (
        RoundStatus.CLOSED,
        RoundStatus.DECIDED,
        RoundStatus.PUBLISHED,
    ):
        if round.closes_at:
            return Refused(
                _("“%(round)s” closed at %(when)s; nothing more can be submitted."),
                code="round_not_open",
                params={"round": round.name, "when": event_time(round.closes_at, round.event)},
            )
        return Refused(
            _("“%(round)s” is closed; nothing more can be submitted."),
            code="round_not_open",
            params={"round": round.name},
        )
    return Refused(
        _("“%(round)s” is not open for submissions yet."),
        code="round_not_open",
        params={"round": round.name},
    )


def _require_quota(participation: Participation, now: datetime, size: int) -> None:
    state = quota(participation, now)
    if state.used_total >= state.total:
        raise Refused(
            _("All %(total)s submissions of this round are used."),
            code="quota_total",
            params={"total": state.total},
        )
    if state.total_bytes and state.used_bytes + size > state.total_bytes:
        raise Refused(
            _("This file of %(size)s would pass the %(total)s MB that all submissions may take; "
              "%(used)s are used."),
            code="quota_size",
            params={
                "size": filesizeformat(size),
                "total": state.total_bytes // MEGABYTE,
                "used": filesizeformat(state.used_bytes),
            },
        )  # fmt: skip
    if state.used_today >= state.per_day:
        raise Refused(
            _("All %(count)s submissions of today are used; the next day begins at %(when)s."),
            code="quota_day",
            params={
                "count": state.per_day,
                "when": event_time(state.resets_at, participation.round.event),
            },
        )


@transaction.atomic
def withdraw_submission(submission: Submission, by: User) -> None:
    """The team takes a submission back: it no longer counts, and its quota stays used.

    Raises Refused once the round is not open, WrongMove.
    """
    round = submission.participation.round
    if submission.status != SubmissionStatus.WITHDRAWN and not round.is_accepting:
        raise Refused(
            _("A submission can be withdrawn only while the round is open."),
            code="round_not_open",
        )
    submission.move_to(SubmissionStatus.WITHDRAWN, by=by)
    submission_withdrawn.send(sender=Submission, submission=submission)
    ranking_inputs_changed.send(sender=Submission, round=round)


@transaction.atomic
def choose_final(submission: Submission, by: User, *, chosen: bool = True) -> Participation:
    """Let a submission be the one that counts for its team, or leave it to the public score again.

    Raises Refused by anybody but a member, once the round is not open, and for a submission without
    a score.
    """
    participation = Participation.objects.select_for_update(of=("self",)).get(
        pk=submission.participation_id
    )
    round = participation.round
    if not Membership.objects.filter(team=participation.team_id, user=by).exists():
        raise Refused(_("Only members of the team can choose."), code="not_member")
    if not round.is_accepting:
        raise Refused(
            _("Which submission counts can be chosen only while the round is open."),
            code="round_not_open",
        )
    submission.refresh_from_db()
    if chosen and submission.status not in (SubmissionStatus.RECEIVED, SubmissionStatus.SCORED):
        raise Refused(_("A submission without a score cannot be chosen."), code="no_score")
    before = participation.final_submission
    after = submission if chosen else None
    if before != after:
        participation.final_submission = after
        participation.final_chosen_at = timezone.now() if chosen else None
        participation.save(update_fields=["final_submission", "final_chosen_at"])
        LogEntry.write(
            participation, "final_chosen", by=by,
            before=f"#{before.number}" if before else "", after=f"#{after.number}" if after else "",
        )  # fmt: skip
        ranking_inputs_changed.send(sender=Submission, round=round)
    return participation


def new_client_key() -> str:
    """A key for one rendering of an upload form."""
    return uuid.uuid4().hex
