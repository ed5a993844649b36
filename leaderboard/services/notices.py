"""Telling teams by e-mail what became of them once a result is public: each member once.

What is to be said is a row before it is sent: a message that is lost or a mail server that is down
delays a notice, and does not lose it. Where something else becomes of a team later (a reserve that
follows, a prize, an appeal), its members get one more mail that says so.
"""

import hashlib
import json
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contest.links import absolute_url
from contest.models import Membership, Round
from contest.states import ParticipationStatus, RoundStatus
from leaderboard.models import AwardWinner, Notice, StandingRow
from leaderboard.services import advancement as services
from leaderboard.services.unranked import why_unranked
from leaderboard.states import ADVANCING, AdvancementStatus, Outcome

log = logging.getLogger(__name__)
# Whoever took a notice and did not send it within this time has died or failed.
AGAIN_AFTER = timedelta(minutes=10)

ADVANCES, RESERVE, OUT, RESULT = "advances", "reserve", "out", "result"


@dataclass(frozen=True)
class Said:
    """What a team is told; ``kind`` is one of the four above."""

    participation: int
    team: object
    kind: str
    row: StandingRow
    number: int | None
    awards: tuple

    @property
    def digest(self) -> str:
        awards = sorted(award.pk for award in self.awards)
        text = json.dumps([self.kind, self.number, awards])
        return hashlib.sha256(text.encode()).hexdigest()


def said_to_teams(round: Round) -> list[Said]:
    """What every team that takes part would be told now, best first; nothing before a signature."""
    advancement = services.in_force(round)
    if advancement is None or advancement.status != AdvancementStatus.SIGNED:
        return []
    won: dict[int, list] = {}
    winners = AwardWinner.objects.filter(award__round=round).select_related("award")
    for winner in winners:
        won.setdefault(winner.participation_id, []).append(winner.award)
    anybody = services.kept_rule(advancement)["count"] > 0
    found = []
    for item in advancement.rows.select_related("row__participation__team"):
        participation = item.row.participation
        if participation.status != ParticipationStatus.ACTIVE or services.has_left(item):
            continue
        if item.outcome in ADVANCING:
            kind = ADVANCES
        elif item.outcome == Outcome.RESERVE:
            kind = RESERVE
        else:
            kind = OUT if anybody else RESULT
        found.append(
            Said(
                participation.pk,
                participation.team,
                kind,
                item.row,
                item.number if kind == RESERVE else None,
                tuple(won.get(participation.pk, ())),
            )
        )
    return found


@transaction.atomic
def prepare(round: Round) -> int:
    """Write down whom to tell what, as far as they were not told it before; how many that is.

    Nothing unless the result is public.
    """
    round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    if round.status != RoundStatus.PUBLISHED:
        return 0
    said = {item.participation: item for item in said_to_teams(round)}
    known = {
        (notice.participation_id, notice.user_id): notice
        for notice in Notice.objects.filter(participation__round=round)
    }
    taking_part = {item.team.pk: item.participation for item in said.values()}
    members = (
        Membership.objects.filter(team__in=taking_part, user__is_active=True)
        .exclude(user__email=None)
        .values_list("team_id", "user_id")
    )
    new, changed = [], []
    for team, user in members:
        pk = taking_part[team]
        item, notice = said[pk], known.get((pk, user))
        if notice is None:
            new.append(Notice(participation_id=pk, user_id=user, said=item.digest))
        elif notice.said != item.digest:
            notice.corrects = notice.corrects or notice.sent_at is not None
            notice.said, notice.sent_at, notice.taken_at = item.digest, None, None
            changed.append(notice)
    Notice.objects.bulk_create(new, batch_size=1000, ignore_conflicts=True)
    Notice.objects.bulk_update(changed, ["said", "corrects", "sent_at", "taken_at"], batch_size=500)
    return len(new) + len(changed)


def _waiting():
    return Notice.objects.filter(
        Q(taken_at=None) | Q(taken_at__lt=timezone.now() - AGAIN_AFTER),
        sent_at=None,
        participation__round__status=RoundStatus.PUBLISHED,
    )


def send_waiting() -> int:
    """Send what waits; how many. A mail that the server refuses is tried again later."""
    sent, said = 0, {}
    for notice in _waiting().select_related(
        "user", "participation__round__event", "participation__round__track"
    ):
        # One of several workers gets it.
        if not _waiting().filter(pk=notice.pk).update(taken_at=timezone.now()):
            continue
        round = notice.participation.round
        if round.pk not in said:
            said[round.pk] = {item.participation: item for item in said_to_teams(round)}
        item = said[round.pk].get(notice.participation_id)
        if item is None:  # the team left meanwhile
            continue
        with translation.override(notice.user.language):
            subject, text = mail(round, item, corrects=notice.corrects)
            try:
                send_mail(subject, text, from_email=None, recipient_list=[notice.user.email])
            except OSError:
                log.exception("notice %s was not sent and waits", notice.pk)
                continue
        # What changed while it was sent is said in a mail of its own.
        Notice.objects.filter(pk=notice.pk, said=item.digest).update(sent_at=timezone.now())
        sent += 1
    return sent


def mail(round: Round, item: Said, corrects: bool = False) -> tuple[str, str]:
    """(subject, text) in the active language."""
    event = round.event
    subject = _("Result of “%(round)s”") % {"round": round.name}
    if corrects:
        subject = _("Changed: result of “%(round)s”") % {"round": round.name}
    following = round.next()
    text = render_to_string(
        "leaderboard/mail/result.txt",
        {
            "round": round,
            "event": event,
            "following": following,
            "said": item,
            "rank": item.row.rank,
            "unranked": why_unranked(item.row) if item.row.rank is None else [],
            "awards": ", ".join(award.name for award in item.awards),
            "corrects": corrects,
            "url": absolute_url(reverse("round-results", args=[event.slug, round.slug])),
        },
    )
    return subject, text


def previews(round: Round) -> list[dict]:
    """For each kind of notice: how many teams get it, and the mail to the first of them."""
    said = said_to_teams(round)
    counts = Counter((item.kind, bool(item.awards)) for item in said)
    shown: dict[tuple, Said] = {}
    for item in said:
        shown.setdefault((item.kind, bool(item.awards)), item)
    found = []
    for key, item in shown.items():
        subject, text = mail(round, item)
        found.append({"count": counts[key], "subject": subject, "text": text, "team": item.team})
    return found
