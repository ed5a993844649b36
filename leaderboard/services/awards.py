"""Prizes of a round."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import LogEntry, Participation, Round, User
from contest.states import ParticipationStatus, RoundStatus
from leaderboard.models import Award, AwardWinner
from leaderboard.services import notices, standings


@transaction.atomic
def save_award(round: Round, by: User, award: Award | None = None, **fields) -> Award:
    """Define or change a prize. Raises ValidationError."""
    award = award or Award(round=round)
    for name, value in fields.items():
        setattr(award, name, value)
    award.full_clean()
    award.save()
    LogEntry.write(award, "award_saved", by=by)
    return award


@transaction.atomic
def delete_award(award: Award, by: User) -> None:
    """Remove a prize nobody has won. Raises Refused."""
    if award.winners.exists():
        raise Refused(_("Take the prize back from its winners first."), code="award_given")
    LogEntry.write(award, "award_deleted", by=by)
    award.delete()


@transaction.atomic
def allocate(round: Round, by: User) -> list[AwardWinner]:
    """Give the prizes that go by rank, from the newest full standing; again gives the same.

    A team that left the round wins nothing. Raises Refused while the round runs, or when a tie
    makes a prize go to more teams than it has ranks.
    """
    standings.refresh(round)
    round = Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    if round.status in (RoundStatus.DRAFT, RoundStatus.OPEN):
        raise Refused(
            _("Close “%(round)s” before you give its prizes."),
            code="round_not_closed",
            params={"round": round.name},
        )
    standing = standings.current(round, standings.FULL)
    rows = (
        list(
            standing.rows.exclude(rank=None)
            .filter(participation__status=ParticipationStatus.ACTIVE)
            .select_related("participation__team")
        )
        if standing
        else []
    )
    winners = []
    for award in round.awards.exclude(first_rank=None):
        won = [row for row in rows if award.first_rank <= row.rank <= award.last_rank]
        places = award.last_rank - award.first_rank + 1
        if len(won) > places:
            raise Refused(
                _("%(count)s teams tie for “%(award)s”, which goes to %(places)s. "
                  "Give the prizes by hand, or change their ranks."),
                code="award_tied",
                params={"count": len(won), "award": award.name, "places": places},
            )  # fmt: skip
        award.winners.exclude(participation__in=[row.participation_id for row in won]).delete()
        for row in won:
            winner, _created = AwardWinner.objects.get_or_create(
                award=award, participation=row.participation
            )
            winners.append(winner)
    LogEntry.write(round, "awards_allocated", by=by, after=str(len(winners)))
    notices.prepare(round)
    return winners


@transaction.atomic
def give(award: Award, participation: Participation, by: User) -> AwardWinner:
    """Give a prize by name; giving it twice changes nothing. Raises Refused."""
    if participation.round_id != award.round_id:
        raise Refused(_("The team is not in the prize's round."), code="wrong_round")
    if participation.status != ParticipationStatus.ACTIVE:
        raise Refused(_("The team no longer takes part in this round."), code="not_taking_part")
    winner, created = AwardWinner.objects.get_or_create(award=award, participation=participation)
    if created:
        LogEntry.write(award, "award_given", by=by, after=str(participation.team))
        notices.prepare(award.round)
    return winner


@transaction.atomic
def take_back(winner: AwardWinner, by: User) -> None:
    LogEntry.write(winner.award, "award_taken_back", by=by, before=str(winner.participation.team))
    winner.delete()
    notices.prepare(winner.award.round)


def prizes(round: Round) -> dict[int, list[str]]:
    """Names of the round's prizes by participation, each team's in the order of the awards."""
    won: dict[int, list[str]] = {}
    winners = AwardWinner.objects.filter(award__round=round).select_related("award")
    for winner in winners.order_by("award__ordinal", "award", "pk"):
        won.setdefault(winner.participation_id, []).append(winner.award.name)
    return won
