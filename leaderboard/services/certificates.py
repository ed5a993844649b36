"""Certificates of prizes and of advancing, and whether one that somebody holds is still true.

A code names the prize or the place and is signed by our key: nobody can make one, and nothing has
to be stored. What the page behind it says is looked up at that moment.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from contest.links import absolute_url
from contest.models import Event, Membership, Participation, Round
from contest.states import ParticipationStatus, RoundStatus, TeamStatus
from leaderboard.models import Advancement, Award, AwardWinner
from leaderboard.services.advancement import advancing, has_left
from leaderboard.states import AdvancementStatus

SIGNER = Signer(sep=".", salt="certificate")


@dataclass(frozen=True)
class Certificate:
    """``award`` is None on that of a team that advances to ``following``."""

    code: str
    participation: Participation
    award: Award | None
    following: Round | None
    members: tuple[str, ...]
    signed_at: datetime
    signers: tuple[str, ...]

    @property
    def round(self) -> Round:
        return self.participation.round

    @property
    def event(self) -> Event:
        return self.participation.round.event

    @property
    def url(self) -> str:
        return absolute_url(reverse("verify", args=[self.code]))


@dataclass(frozen=True)
class Verdict:
    """What the page of a code says. ``certificate`` is None while the result is not public."""

    valid: bool
    certificate: Certificate | None


def code_of(participation_id: int, award_id: int | None = None) -> str:
    return SIGNER.sign(f"{participation_id}-{award_id or 0}")


def _signed(round: Round) -> Advancement | None:
    return (
        Advancement.objects.filter(round=round, status=AdvancementStatus.SIGNED)
        .select_related("round__event", "signed_by")
        .first()
    )


def _make(signed: Advancement, wanted: list[tuple[Participation, Award | None]]):
    """Certificates for teams of a signed round, in the order given; two queries."""
    members: dict[int, list[str]] = {}
    teams = [participation.team_id for participation, _award in wanted]
    for team, name in Membership.objects.filter(team__in=teams).values_list(
        "team_id", "user__name"
    ):
        members.setdefault(team, []).append(name)
    signers = tuple(item.by.name for item in signed.signatures.select_related("by"))
    following = signed.round.next()
    return [
        Certificate(
            code=code_of(participation.pk, award.pk if award else None),
            participation=participation,
            award=award,
            following=None if award else following,
            members=tuple(members.get(participation.team_id, ())),
            signed_at=signed.signed_at,
            signers=signers,
        )
        for participation, award in wanted
    ]


def _disqualified(participation: Participation) -> bool:
    gone = (participation.status, participation.team.status)
    return ParticipationStatus.DISQUALIFIED in gone or TeamStatus.DISQUALIFIED in gone


def certificates(round: Round, team_id: int | None = None) -> list[Certificate]:
    """Those of a decided round: prizes in their order, then who advances, best first. Of one team
    where ``team_id`` is given."""
    signed = _signed(round)
    if signed is None or not round.is_decided:
        return []
    winners = AwardWinner.objects.filter(award__round=round).select_related(
        "award", "participation__team", "participation__round__event", "participation__round__track"
    )
    items = advancing(signed).select_related(
        "row__participation__team",
        "row__participation__round__event",
        "row__participation__round__track",
    )
    if team_id is not None:
        winners = winners.filter(participation__team=team_id)
        items = items.filter(row__participation__team=team_id)
    wanted: list[tuple[Participation, Award | None]] = [
        (winner.participation, winner.award)
        for winner in winners.order_by("award__ordinal", "award", "pk")
        if not _disqualified(winner.participation)
    ]
    wanted += [(item.row.participation, None) for item in items if not has_left(item)]
    return _make(signed, wanted)


def verify(code: str) -> Verdict | None:
    """What is true of a certificate now; None for a code that is not ours."""
    try:
        match = re.fullmatch(r"(\d{1,18})-(\d{1,18})", SIGNER.unsign(code))
    except BadSignature:
        return None
    if match is None:
        return None
    participation = (
        Participation.objects.filter(pk=int(match[1]))
        .select_related("team", "round__event", "round__track")
        .first()
    )
    if participation is None:
        return Verdict(False, None)
    round, award_id = participation.round, int(match[2])
    signed = _signed(round)
    if signed is None or round.status != RoundStatus.PUBLISHED:
        return Verdict(False, None)
    award = Award.objects.filter(pk=award_id, round=round).first() if award_id else None
    if award_id and award is None:  # the prize itself is gone
        return Verdict(False, None)
    if award is not None:
        holds = award.winners.filter(participation=participation).exists()
        valid = holds and not _disqualified(participation)
    else:
        item = advancing(signed).filter(row__participation=participation).first()
        valid = item is not None and not has_left(item)
    (certificate,) = _make(signed, [(participation, award)])
    return Verdict(valid, certificate)
