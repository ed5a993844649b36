"""What judges wrote to a team, for the team's members once the result is published."""

from dataclasses import dataclass

from contest.models import Participation
from contest.states import RoundStatus
from judging.models import Recusal, Scoresheet
from judging.states import ScoresheetStatus


@dataclass(frozen=True)
class Comment:
    """``judge`` counts from 1 and says nothing of who it is."""

    judge: int
    text: str


def comments(participation: Participation) -> list[Comment] | None:
    """The comments of counted, submitted sheets, without names; None before publication.

    They stand in the order of the sheets' ids, which are random, so that the order says nothing of
    the judge; private notes are in no part of this.
    """
    if participation.round.status != RoundStatus.PUBLISHED:
        return None
    recused = Recusal.objects.filter(team=participation.team_id).values("judge")
    texts = (
        Scoresheet.objects.filter(
            assignment__participation=participation, status=ScoresheetStatus.SUBMITTED
        )
        .exclude(assignment__judge__in=recused)
        .order_by("pk")
        .values_list("comment", flat=True)
    )
    given = [text.strip() for text in texts if text.strip()]
    return [Comment(number, text) for number, text in enumerate(given, start=1)]
